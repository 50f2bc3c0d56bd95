"""What a session sends for a client's request, and what becomes of the answer."""

import asyncio
import json

import pytest

from gateway.errors import BadResponse, RemoteError, StateRejected
from gateway.session.session import Session
from tests.peers.mcp_server_fixture import asked, call_of, called
from tests.peers.mcp_server_scripted import (
    LEGACY,
    MODERN,
    NOWHERE,
    Err,
    Events,
    Front,
    Wire,
    legacy,
    modern,
)

OWN = "io.modelcontextprotocol/"
PLAIN = {"content": [{"type": "text", "text": "hi"}]}
DONE = {**PLAIN, "resultType": "complete"}


async def plain(_wire, _message):
    return PLAIN


async def done(_wire, _message):
    return DONE


async def opened(script, *, apart: bool = False) -> tuple[Session, Wire]:
    wire = Wire(script, apart=apart)
    return await Session.open(wire, NOWHERE, Events()), wire


def eras():
    return pytest.mark.parametrize(("script", "is_modern"), [(legacy, False), (modern, True)])


async def test_a_call_of_the_gateways_own_says_no_more_than_it_has_to() -> None:
    session, wire = await opened(legacy(plain))
    result = await called(session, "echo", {"text": "ü"})
    assert (json.loads(result.raw), result.modern, result.is_error) == (PLAIN, False, False)
    assert wire.heard[-1]["params"] == {"name": "echo", "arguments": {"text": "ü"}}
    assert wire.headers[-1] == {"mcp-protocol-version": LEGACY}


async def test_a_modern_server_hears_the_envelope_with_every_call() -> None:
    session, wire = await opened(modern(done), apart=True)
    front = Front({"elicitation": {"form": {}}, "x": 1}, modern=True, log_level="info")
    result = await called(session, "ech ö", {}, front)
    assert (result.modern, result.kind) == (True, "complete")
    meta = wire.heard[-1]["params"]["_meta"]
    assert meta[OWN + "protocolVersion"] == MODERN
    assert meta[OWN + "clientCapabilities"] == {"elicitation": {"form": {}}, "x": 1}
    assert meta[OWN + "logLevel"] == "info"
    assert meta[OWN + "clientInfo"]["name"] == "capgate"
    assert wire.headers[-1] == {
        "mcp-protocol-version": MODERN,
        "mcp-method": "tools/call",
        "mcp-name": "=?base64?ZWNoIMO2?=",
    }


@eras()
async def test_a_clients_meta_passes_without_its_envelope_and_with_our_token(
    script, is_modern
) -> None:
    session, wire = await opened(script(done if is_modern else plain))
    theirs = {
        "progressToken": "theirs",
        "traceparent": "none that its context knows",
        "com.example/x": {"y": 1},
        OWN + "clientInfo": {"name": "evil"},
        OWN + "subscriptionId": 7,
    }
    await called(session, "echo", client=Front(), params={"_meta": theirs})
    heard = wire.heard[-1]
    meta = {k: v for k, v in heard["params"]["_meta"].items() if not k.startswith(OWN)}
    assert meta == {
        "progressToken": heard["id"],
        "com.example/x": {"y": 1},
    }
    named = heard["params"]["_meta"].get(OWN + "clientInfo", {"name": "capgate"})
    assert named["name"] == "capgate"
    assert OWN + "subscriptionId" not in heard["params"]["_meta"]


@eras()
async def test_no_two_requests_of_one_process_have_the_same_id(script, is_modern) -> None:
    heard = []
    for _ in range(2):
        session, wire = await opened(script(done if is_modern else plain))
        await asyncio.gather(*(called(session, "echo") for _ in range(20)))
        heard += wire.heard
    assert len({message["id"] for message in heard}) == len(heard)


async def test_a_legacy_clients_words_of_its_own_era_stay_out_of_a_modern_envelope() -> None:
    session, wire = await opened(modern(done))
    can = {
        "tasks": {"list": {}},
        "roots": {"listChanged": True},
        "extensions": {OWN + "tasks": {}, "com.example/y": {}},
    }
    params = {"task": {"ttl": 1}, "other": 1, "requestState": "mine"}
    await called(session, "echo", client=Front(can), params=params)
    sent = wire.heard[-1]["params"]
    assert sent["_meta"][OWN + "clientCapabilities"] == {
        "roots": {},
        "extensions": {"com.example/y": {}},
    }
    assert {key for key in sent if key != "_meta"} == {"name", "arguments", "other"}


async def test_params_beside_the_arguments_stay_in_their_era() -> None:
    session, wire = await opened(legacy(plain))
    await called(session, "echo", client=Front(), params={"task": {"ttl": 1}})
    assert wire.heard[-1]["params"]["task"] == {"ttl": 1}
    await called(session, "echo", client=Front(modern=True), params={"inputResponses": {}})
    assert "inputResponses" not in wire.heard[-1]["params"]
    with pytest.raises(StateRejected):
        await called(session, "echo", client=Front(modern=True), params={"requestState": "s"})

    session, wire = await opened(modern(done))
    answered = {"requestState": "s", "inputResponses": {"a": {}}}
    await called(session, "echo", client=Front(modern=True), params=answered)
    sent = wire.heard[-1]["params"]
    assert {key: sent[key] for key in answered} == answered


async def test_mirrored_arguments_become_headers() -> None:
    session, wire = await opened(modern(done), apart=True)
    schema = {
        "type": "object",
        "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "size": {"type": "integer", "x-mcp-header": "Size"},
            "wild": {"type": "boolean", "x-mcp-header": "Wild"},
            "none": {"type": "string", "x-mcp-header": "None"},
        },
    }
    call = call_of("echo", {"region": "süd", "size": 42.0, "wild": True, "none": None})
    await session.call(call, "echo", call.arguments, schema)
    headers = wire.headers[-1]
    assert headers["mcp-param-region"] == "=?base64?c8O8ZA==?="
    assert (headers["mcp-param-size"], headers["mcp-param-wild"]) == ("42", "true")
    assert "mcp-param-none" not in headers
    await session.call(call, "echo", {"region": "n"}, {"type": "object"})
    assert "mcp-param-region" not in wire.headers[-1]


async def test_an_error_of_the_server_keeps_its_number_words_and_data() -> None:
    async def fail(_wire, _message):
        raise Err(-32602, "no such tool", data={"near": ["x"]})

    session, _ = await opened(legacy(fail))
    with pytest.raises(RemoteError) as told:
        await called(session, "echo")
    error = told.value
    assert (error.number, error.said, error.data) == (-32602, "no such tool", {"near": ["x"]})


@pytest.mark.parametrize("kind", ["weird", "task", 7, None])
async def test_a_type_of_result_that_nobody_declared_is_refused(kind) -> None:
    async def odd(_wire, _message):
        return {**PLAIN, "resultType": kind}

    session, _ = await opened(modern(odd))
    with pytest.raises(BadResponse, match="unknown type"):
        await called(session, "echo")


async def test_a_task_is_for_a_client_that_declared_the_extension() -> None:
    async def task(_wire, _message):
        return {"resultType": "task", "taskId": "t"}

    session, _ = await opened(modern(task))
    can = {"extensions": {OWN + "tasks": {}}}
    assert (await called(session, "echo", client=Front(can, modern=True))).kind == "task"
    with pytest.raises(BadResponse):
        await called(session, "echo", client=Front(can))


@eras()
async def test_a_failed_result_is_known_as_one(script, is_modern) -> None:
    async def failed(_wire, _message):
        return {**(DONE if is_modern else PLAIN), "isError": True}

    session, _ = await opened(script(failed))
    assert (await called(session, "echo")).is_error


async def test_other_requests_go_out_with_all_their_params() -> None:
    session, wire = await opened(modern(done), apart=True)
    await asked(session, "resources/read", {"uri": "x://y", "_meta": {"a": 1}})
    sent = wire.heard[-1]["params"]
    assert sent["uri"] == "x://y"
    assert sent["_meta"]["a"] == 1
    assert wire.headers[-1]["mcp-name"] == "x://y"
    await asked(session, "tasks/get", {"taskId": "7"})
    assert wire.headers[-1]["mcp-name"] == "7"
    await asked(session, "completion/complete", {"ref": {}})
    assert "mcp-name" not in wire.headers[-1]


async def hang(_wire, _message):
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("script", "apart", "says_so"),
    [(legacy, True, True), (legacy, False, True), (modern, False, True), (modern, True, False)],
)
async def test_a_cancelled_call_is_withdrawn_where_the_stream_does_not_say_so(
    script, apart, says_so
) -> None:
    session, wire = await opened(script(hang), apart=apart)
    task = asyncio.create_task(called(session, "echo"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    [sent] = [message for message in wire.heard if message["method"] == "tools/call"]
    if says_so:
        told = await wire.notified("notifications/cancelled")
        assert told["params"]["requestId"] == sent["id"]
    else:
        assert wire.told.empty()
    await session.aclose()


async def test_the_level_of_logging_is_set_once_for_whoever_wants_most() -> None:
    session, wire = await opened(legacy(plain, capabilities={"tools": {}, "logging": {}}))
    await called(session, "echo")
    await called(session, "echo", client=Front(log_level="warning"))
    await called(session, "echo", client=Front(log_level="error"))
    await asyncio.gather(
        *(called(session, "echo", client=Front(log_level="debug")) for _ in range(3))
    )
    await asked(session, "logging/setLevel", {"level": "info"})
    levels = [m["params"]["level"] for m in wire.heard if m["method"] == "logging/setLevel"]
    assert levels == ["warning", "debug"]


async def test_a_server_that_does_not_log_is_not_told_how_to() -> None:
    session, wire = await opened(legacy(plain))
    await called(session, "echo", client=Front(log_level="debug"))
    assert "logging/setLevel" not in wire.methods()


async def test_lists_are_read_to_their_last_page() -> None:
    async def pages(_wire, message):
        cursor = message["params"].get("cursor")
        if cursor is None:
            return {"tools": [{"name": "a"}, "no tool"], "nextCursor": "2"}
        assert cursor == "2"
        return {"tools": [{"name": "b"}]}

    session, _ = await opened(legacy(pages))
    assert await session.list_all("tools/list") == [{"name": "a"}, "no tool", {"name": "b"}]


async def test_a_list_that_leads_in_a_circle_ends_where_it_closes() -> None:
    async def circle(_wire, message):
        following = {None: "2", "2": "3", "3": "2"}[message["params"].get("cursor")]
        return {"tools": [{"name": following}], "nextCursor": following}

    session, wire = await opened(legacy(circle))
    assert len(await session.list_all("tools/list")) == 3
    assert wire.methods().count("tools/list") == 3


async def test_a_list_without_end_is_cut() -> None:
    pages = iter(range(1_000_000))

    async def endless(_wire, _message):
        return {"tools": [{"name": "x"}] * 20_000, "nextCursor": str(next(pages))}

    session, wire = await opened(legacy(endless))
    assert len(await session.list_all("tools/list")) == 50_000
    assert wire.methods().count("tools/list") == 3


async def test_a_list_that_the_server_does_not_know_is_empty() -> None:
    session, _ = await opened(legacy())
    assert await session.list_all("resources/templates/list") == []


@eras()
async def test_a_ping_that_is_answered_with_an_error_was_still_answered(script, is_modern) -> None:
    session, wire = await opened(script())
    await session.ping()
    assert wire.methods()[-1] == ("server/discover" if is_modern else "ping")
