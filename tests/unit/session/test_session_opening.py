"""How a session finds out what its server speaks."""

import asyncio

import pytest

from gateway.errors import BackendUnavailable, BadResponse, GatewayError, RemoteError
from gateway.http.failures import ConnectionLost, Refused
from gateway.protocol.eras import LATEST_LEGACY
from gateway.session.opening import NoStreamableHttp
from gateway.session.session import Session
from tests.peers.mcp_server_scripted import (
    DISCOVERED,
    INITIALIZED,
    LEGACY,
    MODERN,
    NOWHERE,
    Err,
    Events,
    Wire,
    legacy,
    modern,
)

PROBED = ["server/discover"]
FELL_BACK = ["server/discover", "initialize"]


async def opened(script, *, apart: bool = False, **settings) -> tuple[Session, Wire]:
    wire = Wire(script, apart=apart)
    return await Session.open(wire, NOWHERE, Events(), **settings), wire


def answering(**by_method):
    """A script of one answer, or one exception, for each method (`/` written as `_`)."""

    async def script(_wire, message):
        answer = by_method[message["method"].replace("/", "_")]
        if callable(answer):
            answer = answer()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return script


async def test_a_server_that_discovers_is_modern_and_says_who_it_is() -> None:
    session, wire = await opened(modern(instructions="hello"), apart=True)
    assert (session.revision.version, session.instructions) == (MODERN, "hello")
    assert session.server_info == {"name": "scripted", "version": "1"}
    assert session.capabilities == {"tools": {}}
    assert wire.methods() == PROBED
    assert wire.followed is None
    assert wire.headers[0] == {"mcp-protocol-version": MODERN, "mcp-method": "server/discover"}
    assert wire.heard[0]["params"]["_meta"].keys() == {
        "io.modelcontextprotocol/protocolVersion",
        "io.modelcontextprotocol/clientInfo",
        "io.modelcontextprotocol/clientCapabilities",
    }
    await session.aclose()
    await session.aclose()
    assert wire.closed == 2  # the transport knows that twice is once


@pytest.mark.parametrize(
    "refusal",
    [
        Err(-32601, status=404),
        Err(-32601),
        Err(-32600, "Bad Request: Missing session ID", status=400),
        Err(-32602, "Invalid request parameters"),
        Err(-32000, status=400),
        Refused("the server answered with HTTP 400", 400),
        BadResponse("the server answered with text/html"),
        BackendUnavailable("HTTP 500", reached=GatewayError("").reached.SENT_UNKNOWN),
    ],
)
async def test_any_other_answer_to_the_probe_means_a_legacy_server(refusal) -> None:
    session, wire = await opened(answering(server_discover=refusal, initialize=INITIALIZED))
    assert session.revision is LATEST_LEGACY
    assert wire.methods() == FELL_BACK
    assert (await wire.told.get())["method"] == "notifications/initialized"
    assert wire.followed == (("MCP-Protocol-Version", LEGACY),)
    assert wire.heard[1]["params"]["protocolVersion"] == LEGACY
    assert wire.headers[1] == {}
    assert wire.heard[1]["params"]["capabilities"] == {
        "elicitation": {"form": {}, "url": {}},
        "sampling": {"tools": {}},
        "roots": {"listChanged": False},
    }


async def test_a_server_without_a_modern_revision_of_ours_is_legacy() -> None:
    listed = {**DISCOVERED, "supportedVersions": [LEGACY, "2031-01-01"]}
    session, wire = await opened(answering(server_discover=listed, initialize=INITIALIZED))
    assert session.revision is LATEST_LEGACY
    assert wire.methods() == FELL_BACK


async def test_a_probe_that_is_never_answered_means_a_legacy_server() -> None:
    async def script(_wire, message):
        if message["method"] == "initialize":
            return INITIALIZED
        await asyncio.Event().wait()
        return None

    session, wire = await opened(script, patience=0.01)
    assert session.revision is LATEST_LEGACY
    assert [message["method"] for message in wire.told._queue] == ["notifications/initialized"]


@pytest.mark.parametrize(
    "error",
    [
        ConnectionLost("reset"),
        BackendUnavailable("connection refused"),
        Refused("the server refuses our credentials", 401),
    ],
)
async def test_what_is_no_answer_is_no_verdict(error) -> None:
    wire = Wire(answering(server_discover=error), apart=True)
    with pytest.raises(GatewayError) as told:
        await Session.open(wire, NOWHERE, Events())
    assert told.value is error
    assert wire.methods() == PROBED
    assert (wire.connected, wire.closed) == (1, 1)


async def test_a_program_that_ends_over_the_probe_is_started_again_without() -> None:
    events = Events()
    wire = Wire(answering(server_discover=ConnectionLost("it ended"), initialize=INITIALIZED))
    session = await Session.open(wire, NOWHERE, events)
    assert session.revision is LATEST_LEGACY
    assert (wire.connected, wire.closed) == (2, 1)
    assert events.losses == []


async def test_a_program_that_ends_over_initialize_is_not_started_twice() -> None:
    wire = Wire(answering(initialize=ConnectionLost("it ended")))
    with pytest.raises(ConnectionLost):
        await Session.open(wire, NOWHERE, Events(), known=LATEST_LEGACY)
    assert (wire.connected, wire.closed) == (1, 1)


async def test_a_refused_version_is_asked_again_in_a_common_one() -> None:
    answers = iter([Err(-32022, data={"supported": [MODERN, LEGACY]}, status=400), DISCOVERED])
    session, wire = await opened(answering(server_discover=lambda: next(answers)), apart=True)
    assert session.revision.modern
    assert wire.methods() == [*PROBED, *PROBED]
    assert len({message["id"] for message in wire.heard}) == 2


async def test_a_server_that_supports_legacy_revisions_only_is_initialized() -> None:
    refusal = Err(-32022, data={"supported": ["2025-06-18"]}, status=400)
    session, _ = await opened(
        answering(
            server_discover=refusal, initialize={**INITIALIZED, "protocolVersion": "2025-06-18"}
        )
    )
    assert session.revision.version == "2025-06-18"


async def test_a_server_of_unknown_revisions_only_cannot_be_talked_to() -> None:
    refusal = Err(-32022, data={"supported": ["2031-01-01"]}, status=400)
    with pytest.raises(BadResponse, match="no revision"):
        await opened(answering(server_discover=refusal))


async def test_a_modern_server_that_refuses_the_probe_is_not_taken_for_a_legacy_one() -> None:
    with pytest.raises(RemoteError, match="mismatch"):
        await opened(answering(server_discover=Err(-32020, "header mismatch", status=400)))


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
async def test_any_legacy_revision_that_we_know_is_accepted(version: str) -> None:
    session, wire = await opened(legacy(protocolVersion=version))
    assert session.revision.version == version
    assert wire.followed == (("MCP-Protocol-Version", version),)


@pytest.mark.parametrize("version", ["2019-01-01", MODERN, None, 7])
async def test_a_revision_that_nobody_offered_is_refused(version) -> None:
    with pytest.raises(BadResponse, match="unknown here"):
        await opened(legacy(protocolVersion=version))


@pytest.mark.parametrize(
    ("refusal", "is_other"),
    [
        (Refused("HTTP 405", 405), True),
        (Refused("HTTP 404", 404), True),
        (Err(-32000, status=400), True),
        (Refused("HTTP 403", 403), False),
        (Err(-32000), False),
    ],
)
async def test_a_url_that_refuses_to_be_initialized_may_be_of_another_transport(
    refusal, is_other
) -> None:
    script = answering(server_discover=Refused("HTTP 404", 404), initialize=refusal)
    with pytest.raises(GatewayError) as told:
        await opened(script, apart=True)
    assert isinstance(told.value, NoStreamableHttp) is is_other


async def test_a_server_known_as_legacy_is_not_probed() -> None:
    session, wire = await opened(legacy(), known=LATEST_LEGACY)
    assert session.revision is LATEST_LEGACY
    assert wire.methods() == ["initialize"]


async def test_what_a_server_spoke_last_time_may_be_wrong() -> None:
    session, wire = await opened(modern(), known=LATEST_LEGACY)
    assert session.revision.modern
    assert wire.methods() == ["initialize", "server/discover"]


async def test_a_server_that_read_the_probe_too_late_is_probed_once_more() -> None:
    answers = iter([Err(-32601), DISCOVERED])
    script = answering(
        server_discover=lambda: next(answers), initialize=Err(-32022, data={"supported": [MODERN]})
    )
    session, wire = await opened(script)
    assert session.revision.modern
    assert wire.methods() == ["server/discover", "initialize", "server/discover"]


async def test_cancelled_while_it_opens_it_leaves_nothing_behind() -> None:
    begun = asyncio.Event()

    async def script(_wire, _message):
        begun.set()
        await asyncio.Event().wait()

    wire = Wire(script)
    task = asyncio.create_task(Session.open(wire, NOWHERE, Events()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert wire.closed == 1


async def test_a_server_lost_within_its_introduction_is_not_open() -> None:
    async def script(wire, message):
        if message["method"] == "initialize":
            wire.peer.lost("it ended")
            return INITIALIZED
        raise Err(-32601)

    events, wire = Events(), Wire(script)
    with pytest.raises(BackendUnavailable, match="it ended"):
        await Session.open(wire, NOWHERE, events)
    assert wire.closed == 1
    assert events.losses == []


async def test_a_question_before_the_introduction_is_answered() -> None:
    async def script(wire, message):
        if message["method"] == "initialize":
            wire.ask("early", "ping")
            assert (await wire.answered("early"))["result"] == {}
            return INITIALIZED
        raise Err(-32601)

    async with asyncio.timeout(5):
        session, _ = await opened(script)
    assert session.revision is LATEST_LEGACY


@pytest.mark.parametrize("garbage", [{"capabilities": 7, "instructions": {}, "serverInfo": []}])
async def test_an_odd_introduction_counts_as_an_empty_one(garbage) -> None:
    session, _ = await opened(legacy(**garbage))
    assert (session.capabilities, session.instructions, session.server_info) == ({}, "", {})
