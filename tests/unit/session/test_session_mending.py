"""What a session does about a server that forgot it, or is another than before."""

import asyncio

import pytest

from gateway.errors import (
    BackendUnavailable,
    GatewayError,
    Reached,
    RemoteError,
    SessionLost,
)
from gateway.session.session import Session
from tests.peers.mcp_server_fixture import asked, called, text
from tests.peers.mcp_server_scripted import (
    INITIALIZED,
    NOWHERE,
    Err,
    Events,
    Front,
    Wire,
    legacy,
    modern,
)

TOOLS_CHANGED = "notifications/tools/list_changed"


def said(words):
    return {"content": [{"type": "text", "text": words}]}


async def opened(script, *, apart=True):
    wire, events = Wire(script, apart=apart), Events()
    return await Session.open(wire, NOWHERE, events), wire, events


class Forgetful:
    """A legacy server whose session expires: `forget`, and requests get 404 until initialized."""

    def __init__(self, reached=Reached.NOT_SENT, **initialized):
        self.known = False
        self.reached = reached
        self.initialized = initialized
        self.carried_out = 0

    def forget(self):
        self.known = False

    async def __call__(self, _wire, message):
        method = message["method"]
        if method == "server/discover":
            raise Err(-32601)
        if method == "initialize":
            await asyncio.sleep(0)
            self.known = True
            return {**INITIALIZED, **self.initialized}
        await asyncio.sleep(0)
        if not self.known:
            raise SessionLost("gone", reached=self.reached)
        self.carried_out += 1
        return {"tools": []} if method == "tools/list" else said("done")


async def test_fifty_calls_at_an_expired_session_introduce_us_once() -> None:
    server = Forgetful()
    session, wire, events = await opened(server)
    for round_ in (1, 2, 3):
        server.forget()
        async with asyncio.timeout(5):
            found = await asyncio.gather(*(called(session, "x") for _ in range(50)))
        assert {text(each) for each in found} == {"done"}
        assert wire.methods().count("initialize") == 1 + round_
    assert server.carried_out == 150
    assert events.losses == []
    assert events.changes == [TOOLS_CHANGED] * 3


@pytest.mark.parametrize(
    ("definition", "repeated"),
    [
        ({}, False),
        ({"annotations": {"destructiveHint": False}}, False),
        ({"annotations": {"idempotentHint": True}}, True),
        ({"annotations": {"readOnlyHint": True}}, True),
        ({"annotations": {"readOnlyHint": "yes"}}, False),
    ],
)
async def test_what_may_have_been_carried_out_is_repeated_only_where_it_may_be(
    definition, repeated
) -> None:
    server = Forgetful(Reached.SENT_UNKNOWN)
    session, wire, _ = await opened(server)
    server.forget()
    if repeated:
        assert text(await called(session, "x", **definition)) == "done"
    else:
        with pytest.raises(SessionLost) as told:
            await called(session, "x", **definition)
        assert told.value.reached is Reached.SENT_UNKNOWN
        assert wire.methods().count("tools/call") == 1


async def test_lists_and_reads_of_an_expired_session_are_repeated() -> None:
    server = Forgetful(Reached.SENT_UNKNOWN)
    session, *_ = await opened(server)
    server.forget()
    assert await session.list_all("tools/list") == []
    server.forget()
    assert await asked(session, "resources/read", {"uri": "x"}) == said("done")
    server.forget()
    await session.ping()
    assert server.carried_out == 3


async def test_a_server_that_forgets_at_once_is_not_asked_for_ever() -> None:
    async def script(_wire, message):
        if message["method"] == "initialize":
            return INITIALIZED
        raise SessionLost("gone") if message["method"] != "server/discover" else Err(-32601)

    session, wire, _ = await opened(script)
    async with asyncio.timeout(5):
        with pytest.raises(SessionLost):
            await called(session, "x")
    assert wire.methods().count("tools/call") == 2


async def test_what_arrives_late_of_a_session_that_was_does_not_end_the_next() -> None:
    late = asyncio.Event()
    gone: set[str] = {"first", "second"}

    async def tool(_wire, message):
        name = message["params"]["name"]
        if name in gone:
            gone.discard(name)
            if name == "second":
                await late.wait()
            raise SessionLost("gone")
        return said(name)

    session, wire, _ = await opened(legacy(tool))
    second = asyncio.create_task(called(session, "second"))
    await asyncio.sleep(0)
    assert text(await called(session, "first")) == "first"
    late.set()
    assert text(await second) == "second"
    assert wire.methods().count("initialize") == 2


async def test_a_session_that_cannot_be_opened_anew_is_lost() -> None:
    server = Forgetful()
    session, wire, events = await opened(server)
    server.forget()
    wire.script = _then_modern  # it has come back as another
    async with asyncio.timeout(5):
        found = await asyncio.gather(
            *(called(session, "x") for _ in range(5)), return_exceptions=True
        )
    assert {type(each) for each in found} == {SessionLost}
    assert {each.reached for each in found} == {Reached.NOT_SENT}
    assert len(events.losses) == 1
    with pytest.raises(SessionLost):
        await called(session, "x")
    await session.aclose()


async def _then_modern(_wire, message):
    if message["method"] == "initialize":
        raise Err(-32022, data={"supported": ["2026-07-28"]}, status=400)
    raise SessionLost("gone")


async def test_a_caller_that_leaves_does_not_stop_the_introduction_of_others() -> None:
    server = Forgetful()
    session, wire, _ = await opened(server)
    server.forget()
    first = asyncio.create_task(called(session, "x"))
    while wire.methods().count("initialize") < 2:
        await asyncio.sleep(0)
    second = asyncio.create_task(called(session, "x"))
    first.cancel()
    async with asyncio.timeout(5):
        assert text(await second) == "done"
    assert wire.methods().count("initialize") == 2


async def test_a_session_ended_on_the_standing_stream_is_opened_anew() -> None:
    server = Forgetful()
    session, wire, events = await opened(server)
    server.forget()
    wire.peer.lost("the server no longer knows our session")
    async with asyncio.timeout(5):
        while wire.methods().count("initialize") < 2:
            await asyncio.sleep(0)
    assert text(await called(session, "x")) == "done"
    assert wire.methods().count("initialize") == 2
    assert events.losses == []


async def test_a_server_without_a_standing_stream_has_not_forgotten_us() -> None:
    session, wire, events = await opened(Forgetful())
    wire.peer.lost("the server no longer knows our session")
    await called(session, "x")
    assert wire.methods().count("initialize") == 1
    assert events.losses == []


async def test_a_call_that_waited_for_one_session_may_need_the_next() -> None:
    server = Forgetful()
    session, wire, _ = await opened(server)
    server.forget()
    first = asyncio.create_task(called(session, "x"))
    while wire.methods().count("initialize") < 2:
        await asyncio.sleep(0)
    second = asyncio.create_task(called(session, "x"))
    await first
    server.forget()  # before the second has gone out
    async with asyncio.timeout(5):
        assert text(await second) == "done"


@pytest.mark.parametrize("script", [legacy, modern])
async def test_a_connection_that_is_gone_is_told_once(script) -> None:
    session, wire, events = await opened(script(), apart=False)
    wire.peer.lost("it was killed")
    wire.peer.lost("it was killed")
    assert events.losses == ["it was killed"]
    with pytest.raises(SessionLost, match="it was killed"):
        await called(session, "x")
    await session.aclose()
    wire.peer.lost("late")
    assert len(events.losses) == 1


async def test_what_is_lost_after_the_end_is_not_told() -> None:
    session, wire, events = await opened(legacy(), apart=False)
    await session.aclose()
    wire.peer.lost("closed")
    assert events.losses == []


@pytest.mark.parametrize(
    "complaint",
    [
        Err(-32602, "Received request before initialization was complete"),
        Err(-32000, "Bad Request: Server not initialized", status=400),
        Err(-32600, "Bad Request", status=400),
        Err(-32022, data={"supported": ["2025-11-25"]}),
    ],
)
async def test_a_server_that_takes_us_for_strangers_is_told_again_who_we_are(complaint) -> None:
    known = False

    async def script(_wire, message):
        nonlocal known
        if message["method"] == "initialize":
            known = True
            return INITIALIZED
        if message["method"] == "server/discover":
            raise Err(-32601)
        if not known:
            raise complaint
        return said("done")

    session, wire, _ = await opened(script)
    known = False
    assert text(await called(session, "x")) == "done"
    assert wire.methods().count("initialize") == 2


async def test_a_tools_own_complaint_does_not_end_the_session() -> None:
    async def tool(_wire, message):
        if message["method"] == "tools/list":
            return {"tools": []}
        raise Err(-32000, "the database is not initialized")

    session, wire, events = await opened(legacy(tool))
    with pytest.raises(RemoteError, match="database"):
        await called(session, "x")
    assert wire.methods().count("initialize") == 1
    assert wire.methods().count("tools/call") == 1
    assert events.losses == []


async def test_a_modern_server_that_became_a_legacy_one_is_lost() -> None:
    session, wire, events = await opened(modern())
    wire.script = _legacy_http
    with pytest.raises(SessionLost) as told:
        await called(session, "x")
    assert told.value.reached is Reached.NOT_SENT
    assert events.losses == ["the server speaks another era than before"]


async def _legacy_http(_wire, _message):
    raise Err(-32600, "Bad Request: Missing session ID", status=400)


async def test_a_version_refused_by_mistake_is_asked_again() -> None:
    refused = []

    async def tool(_wire, message):
        if message["method"] == "tools/call" and not refused:
            refused.append(1)
            raise Err(-32022, data={"supported": ["2026-07-28"]}, status=400)
        return said("done")

    session, *_ = await opened(modern(tool))
    assert text(await called(session, "x")) == "done"


async def test_a_tool_that_wants_other_headers_is_looked_up_and_called_again() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "x-mcp-header": "A"}}}

    async def tool(wire, message):
        if message["method"] == "tools/list":
            return {"tools": [{"name": "x", "inputSchema": schema}]}
        if "mcp-param-a" not in wire.headers[-1]:
            raise Err(-32020, "header mismatch", status=400)
        return said("done")

    session, wire, events = await opened(modern(tool))
    assert text(await called(session, "x", {"a": "b"})) == "done"
    assert wire.headers[-1]["mcp-param-a"] == "b"
    assert TOOLS_CHANGED in events.changes
    calls = [m for m in wire.heard if m["method"] == "tools/call"]
    assert [m["params"]["arguments"] for m in calls] == [{"a": "b"}] * 2


async def test_headers_that_stay_wrong_are_an_error() -> None:
    async def tool(_wire, message):
        if message["method"] == "tools/list":
            return {"tools": []}
        raise Err(-32020, "header mismatch", status=400)

    session, wire, _ = await opened(modern(tool))
    with pytest.raises(RemoteError, match="mismatch"):
        await called(session, "x")
    assert wire.methods().count("tools/call") == 2


async def test_a_call_that_finds_us_forgotten_by_its_log_level_goes_on() -> None:
    server = Forgetful(capabilities={"logging": {}})
    session, wire, _ = await opened(server)
    server.forget()
    await called(session, "x", client=Front(log_level="debug"))
    assert wire.methods()[-1] == "tools/call"
    assert "logging/setLevel" in wire.methods()


async def test_what_the_server_knew_of_us_is_told_again() -> None:
    server = Forgetful(capabilities={"logging": {}, "resources": {"subscribe": True}})
    session, wire, events = await opened(server)
    await session.watch(frozenset({"a", "b"}))
    await asked(session, "logging/setLevel", {"level": "info"})
    server.forget()
    await called(session, "x")
    async with asyncio.timeout(5):
        while wire.methods().count("resources/subscribe") < 4:
            await asyncio.sleep(0)
    assert wire.methods().count("logging/setLevel") == 2
    assert events.changes == ["notifications/resources/list_changed"]


async def test_the_newly_chosen_revision_is_that_of_the_next_request() -> None:
    server = Forgetful()
    session, wire, _ = await opened(server)
    server.forget()
    server.initialized = {"protocolVersion": "2025-06-18"}
    await called(session, "x")
    assert session.revision.version == "2025-06-18"
    assert wire.headers[-1]["mcp-protocol-version"] == "2025-06-18"


@pytest.mark.parametrize("apart", [True, False])
async def test_network_errors_are_passed_on_as_they_are(*, apart: bool) -> None:
    async def tool(_wire, _message):
        raise BackendUnavailable("unreachable")

    session, wire, events = await opened(legacy(tool), apart=apart)
    with pytest.raises(GatewayError, match="unreachable"):
        await called(session, "x", client=Front(modern=True))
    assert wire.methods().count("tools/call") == 1
    assert events.losses == []
