"""How a session hears of changes: one listen stream, or subscriptions one by one."""

import asyncio

import pytest

from gateway.errors import GatewayError, RemoteError, Unsupported
from gateway.session.listening import Listening
from gateway.session.session import Session
from tests.peers.mcp_server_scripted import NOWHERE, Err, Events, Wire, legacy, modern

ALL = {
    "tools": {"listChanged": True},
    "prompts": {},
    "resources": {"listChanged": True, "subscribe": True},
}
UPDATED = "notifications/resources/updated"
SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"


class Streams:
    """A modern server's listen streams: each acknowledges, and lasts until `end`."""

    def __init__(self, *, acknowledges: bool = True):
        self.open: dict[int, asyncio.Future] = {}
        self.acknowledges = acknowledges
        self.beside: list[set[int]] = []  # which others were open when one began

    async def __call__(self, wire, message):
        assert message["method"] == "subscriptions/listen"
        id = message["id"]
        self.beside.append(set(self.open))
        end = self.open[id] = asyncio.get_running_loop().create_future()
        if self.acknowledges:
            params = {"_meta": {SUBSCRIPTION: id}, "notifications": {}}
            wire.say("notifications/subscriptions/acknowledged", params, on=id)
        try:
            return await end
        finally:
            del self.open[id]

    def end(self, id, failure=None):
        if failure is None:
            self.open[id].set_result({"resultType": "complete"})
        else:
            self.open[id].set_exception(failure)

    async def next(self):
        """The id of the only stream, once there is exactly one that was not there before."""
        before = set(self.open)
        async with asyncio.timeout(5):
            while set(self.open) == before or len(self.open) != 1:
                await asyncio.sleep(0)
        return next(iter(self.open))


async def listening(streams, *, apart=True, capabilities=ALL):
    wire = Wire(modern(streams, capabilities=capabilities), apart=apart)
    events = Events()
    session = await Session.open(wire, NOWHERE, events)
    return session, wire, events


def wanted(wire):
    return [
        m["params"]["notifications"] for m in wire.heard if m["method"] == "subscriptions/listen"
    ]


async def test_lists_that_may_change_are_listened_to_from_the_start() -> None:
    streams = Streams()
    session, wire, events = await listening(streams)
    id = await streams.next()
    assert wanted(wire) == [{"toolsListChanged": True, "resourcesListChanged": True}]
    wire.say("notifications/tools/list_changed", {"_meta": {SUBSCRIPTION: id}}, on=id)
    assert events.changes == ["notifications/tools/list_changed"]
    await session.aclose()
    await asyncio.sleep(0)
    assert streams.open == {}


async def test_a_server_whose_lists_never_change_is_not_listened_to() -> None:
    session, wire, _ = await listening(Streams(), capabilities={"tools": {}})
    await session.watch(frozenset())
    assert wanted(wire) == []


async def test_watching_opens_a_new_stream_before_the_old_one_ends() -> None:
    streams = Streams()
    session, wire, events = await listening(streams)
    first = await streams.next()
    await session.watch(frozenset({"b", "a"}))
    assert streams.beside == [set(), {first}]
    async with asyncio.timeout(5):
        while first in streams.open:
            await asyncio.sleep(0)
    assert wanted(wire)[-1] == {
        "toolsListChanged": True,
        "resourcesListChanged": True,
        "resourceSubscriptions": ["a", "b"],
    }
    [id] = streams.open
    wire.say(UPDATED, {"uri": "a", "_meta": {SUBSCRIPTION: id, "x": 1}}, on=id)
    wire.say(UPDATED, {"uri": "b", "_meta": {SUBSCRIPTION: id}}, on=id)
    assert events.sayings == [(UPDATED, {"uri": "a", "_meta": {"x": 1}}), (UPDATED, {"uri": "b"})]
    await session.watch(frozenset({"a", "b"}))
    assert len(wanted(wire)) == 2
    await session.aclose()


async def test_over_pipes_the_end_of_a_stream_is_said() -> None:
    streams = Streams()
    session, wire, _ = await listening(streams, apart=False)
    first = await streams.next()
    await session.watch(frozenset({"a"}))
    told = await wire.notified("notifications/cancelled")
    assert told["params"]["requestId"] == first
    await session.aclose()


@pytest.mark.parametrize("failure", [None, Err(-32603), GatewayError("reset")])
async def test_a_stream_that_ends_is_opened_again_and_everything_may_have_changed(failure) -> None:
    streams = Streams()
    wire = Wire(modern(streams, capabilities=ALL), apart=True)
    events = Events()
    session = await Session.open(wire, NOWHERE, events)
    session._watching._rng = lambda: 0.0
    streams.end(await streams.next(), failure)
    await streams.next()
    async with asyncio.timeout(5):
        await events.heard.wait()
    assert events.changes == [
        "notifications/tools/list_changed",
        "notifications/resources/list_changed",
    ]
    assert events.losses == []
    await session.aclose()


async def test_a_server_that_knows_no_streams_is_not_asked_again() -> None:
    async def script(_wire, _message):
        raise Err(-32601, status=404)

    session, wire, _ = await listening(script)
    assert isinstance(session._watching, Listening)
    async with asyncio.timeout(5):
        await session._watching._again
    assert len(wanted(wire)) == 1
    with pytest.raises(RemoteError):
        await session.watch(frozenset({"a"}))
    await session.aclose()


async def test_resources_that_cannot_be_watched_are_refused() -> None:
    session, *_ = await listening(Streams(), capabilities={"resources": {}})
    with pytest.raises(Unsupported):
        await session.watch(frozenset({"a"}))
    session = await Session.open(Wire(legacy()), NOWHERE, Events())
    with pytest.raises(Unsupported):
        await session.watch(frozenset({"a"}))
    await session.watch(frozenset())


async def test_a_legacy_server_is_subscribed_to_by_the_difference() -> None:
    async def script(_wire, message):
        if message["params"]["uri"] == "bad":
            raise Err(-32602, "no such resource")
        return {}

    wire = Wire(legacy(script, capabilities=ALL))
    session = await Session.open(wire, NOWHERE, Events())

    def sent():
        found = [
            (m["method"].split("/")[1], m["params"]["uri"])
            for m in wire.heard
            if m["method"].startswith("resources/")
        ]
        del wire.heard[:]
        return found

    await session.watch(frozenset({"a", "b"}))
    assert sent() == [("subscribe", "a"), ("subscribe", "b")]
    await session.watch(frozenset({"b", "c"}))
    assert sent() == [("unsubscribe", "a"), ("subscribe", "c")]
    with pytest.raises(RemoteError, match="no such"):
        await session.watch(frozenset({"b", "bad"}))
    assert sent() == [("unsubscribe", "c"), ("subscribe", "bad")]
    await session.watch(frozenset())
    assert sent() == [("unsubscribe", "b")]
