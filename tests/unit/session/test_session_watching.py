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

    def __init__(self, *, acknowledges: bool = True, refuses=()):
        self.open: dict[int, asyncio.Future] = {}
        self.acknowledges = acknowledges
        self.refuses = refuses
        self.told = {}
        self.beside: list[set[int]] = []  # which others were open when one began

    async def __call__(self, wire, message):
        if message["method"] == "tasks/get":
            return {"resultType": "complete", **self.told[message["params"]["taskId"]]}
        assert message["method"] == "subscriptions/listen"
        id = message["id"]
        self.beside.append(set(self.open))
        end = self.open[id] = asyncio.get_running_loop().create_future()
        if self.acknowledges:
            asked = message["params"]["notifications"]
            kept = {
                name: [each for each in of if each not in self.refuses]
                for name, of in asked.items()
                if isinstance(of, list)
            }
            params = {"_meta": {SUBSCRIPTION: id}, "notifications": asked | kept}
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


async def test_a_stream_that_opens_at_the_second_try_only_comes_after_a_gap() -> None:
    streams, tries = Streams(), []

    async def script(wire, message):
        tries.append(message)
        if len(tries) == 1:
            raise Err(-32603)
        return await streams(wire, message)

    events = Events()
    session = await Session.open(Wire(modern(script, capabilities=ALL)), NOWHERE, events)
    session._watching._rng = lambda: 0.0
    await streams.next()
    async with asyncio.timeout(5):
        await events.heard.wait()
    assert "notifications/tools/list_changed" in events.changes
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
    refused = await session.watch(frozenset({"b", "bad"}))
    assert [uri for uri in refused if "no such resource" in str(refused[uri])] == ["bad"]
    assert sent() == [("unsubscribe", "c"), ("subscribe", "bad")]
    await session.watch(frozenset())
    assert sent() == [("unsubscribe", "b")]


TASKS = "io.modelcontextprotocol/tasks"
DONE = {"taskId": "t1", "status": "completed", "result": {"content": []}}


async def following(streams, **more):
    capabilities = {**ALL, "extensions": {TASKS: {}}}
    session, wire, events = await listening(streams, capabilities=capabilities, **more)
    await streams.next()
    return session, wire, events


async def test_tasks_are_listened_to_on_a_stream_of_their_own() -> None:
    streams = Streams(refuses={"t2"})
    session, wire, events = await following(streams)
    refused = await session.watch_tasks(frozenset({"t2", "t1"}))
    assert list(refused) == ["t2"]
    assert isinstance(refused["t2"], Unsupported)
    assert wanted(wire)[-1] == {"taskIds": ["t1", "t2"]}
    meta = wire.heard[-1]["params"]["_meta"]
    assert meta["io.modelcontextprotocol/clientCapabilities"] == {"extensions": {TASKS: {}}}
    assert len(streams.open) == 2
    wire.say("notifications/tasks", {**DONE, "_meta": {SUBSCRIPTION: max(streams.open)}})
    assert events.sayings == [("notifications/tasks", DONE)]
    await session.watch_tasks(frozenset())
    await asyncio.sleep(0)
    assert len(streams.open) == 1
    await session.aclose()


async def test_a_resource_that_is_not_acknowledged_is_refused() -> None:
    session, *_ = await following(Streams(refuses={"a"}))
    assert list(await session.watch(frozenset({"a", "b"}))) == ["a"]
    assert list(await session.watch(frozenset({"a", "b"}))) == ["a"]
    await session.aclose()


async def test_how_a_task_fared_in_a_gap_is_told_after_it() -> None:
    streams = Streams()
    session, _, events = await following(streams)
    streams.told["t1"] = DONE
    session._tasks._rng = lambda: 0.0
    await session.watch_tasks(frozenset({"t1"}))
    streams.end(max(streams.open))
    async with asyncio.timeout(5):
        await events.heard.wait()
    assert events.sayings == [("notifications/tasks", DONE)]
    assert len(streams.open) == 2
    await session.aclose()


async def test_a_server_without_tasks_is_not_asked_to_tell_of_any() -> None:
    streams = Streams()
    session, wire, _ = await listening(streams)
    await streams.next()
    with pytest.raises(Unsupported):
        await session.watch_tasks(frozenset({"t1"}))
    assert len(wanted(wire)) == 1
    await session.aclose()


async def test_a_legacy_server_tells_of_tasks_unasked() -> None:
    session = await Session.open(Wire(legacy()), NOWHERE, Events())
    assert await session.watch_tasks(frozenset({"t1"})) == {}
    session.missed_tasks()
