"""Requests to servers as bytes: drafts, envelopes and headers."""

import json

import pytest

from gateway.domain.client import NOBODY, Context
from gateway.domain.tracing import Trace
from gateway.errors import StateRejected
from gateway.protocol.envelope import offered, passing
from gateway.protocol.eras import LATEST_LEGACY, MODERN
from gateway.protocol.outbound import MOST_TOOLS, Dialect, joined, next_id, repeatable
from tests.peers.mcp_server_scripted import Front

LEGACY = Dialect(LATEST_LEGACY, named=True)
PIPED = Dialect(MODERN, named=False)
HTTP = Dialect(MODERN, named=True)
TRACE = Trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "rojo=1")


def sent(dialect, draft, client=NOBODY):
    return json.loads(dialect.body(7, draft, client))


def test_ids_are_never_used_twice() -> None:
    assert len({next_id() for _ in range(1000)}) == 1000


@pytest.mark.parametrize("dialect", [LEGACY, PIPED, HTTP])
def test_a_body_is_one_line_of_json_whatever_is_in_it(dialect) -> None:
    draft = dialect.query('evil"\n', {"a": "\n\r\u2028", "b": {}})
    body = dialect.body(7, draft, NOBODY)
    assert b"\n" not in body
    assert json.loads(body)["method"] == 'evil"\n'
    assert json.loads(body)["params"]["a"] == "\n\r\u2028"


def test_a_request_without_params_is_still_an_object() -> None:
    assert sent(LEGACY, LEGACY.query("ping", {})) == {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "ping",
        "params": {},
    }


def test_a_draft_can_be_given_more_params() -> None:
    draft = LEGACY.call("x", {"a": 1}, {}).adding({"requestState": "s"})
    params = sent(LEGACY, draft)["params"]
    assert params == {"name": "x", "arguments": {"a": 1}, "requestState": "s"}
    assert sent(LEGACY, LEGACY.query("x", {}).adding({"a": 1}))["params"] == {"a": 1}


@pytest.mark.parametrize(
    ("first", "second", "both"), [(b"", b"", b""), (b"a", b"", b"a"), (b"", b"b", b"b")]
)
def test_nothing_is_joined_without_a_comma(first, second, both) -> None:
    assert joined(first, second) == both


def test_headers_that_name_the_request_are_for_modern_http_alone() -> None:
    version = ("MCP-Protocol-Version", MODERN.version)
    method, name = ("Mcp-Method", "tools/call"), ("Mcp-Name", "x")
    assert HTTP.call("x", {}, {}).headers == (version, method, name)
    assert PIPED.call("x", {}, {}).headers == (version,)
    assert LEGACY.call("x", {}, {}).headers == (("MCP-Protocol-Version", LATEST_LEGACY.version),)


@pytest.mark.parametrize("dialect", [LEGACY, PIPED, HTTP])
@pytest.mark.parametrize("theirs", [{}, {"_meta": {"traceparent": "old", "x": 1}}])
def test_a_request_says_what_it_belongs_to_in_its_meta_and_its_headers(dialect, theirs) -> None:
    context = Context(params=theirs, trace=TRACE)
    for draft in (
        dialect.call("x", {}, {}, context),
        dialect.query("prompts/get", {"name": "x", **theirs}, NOBODY, TRACE),
    ):
        meta = sent(dialect, draft)["params"]["_meta"]
        assert (meta["traceparent"], meta["tracestate"]) == TRACE
        assert meta.get("x") == theirs.get("_meta", {}).get("x")
        assert draft.headers[-2:] == (("traceparent", TRACE.parent), ("tracestate", TRACE.state))


@pytest.mark.parametrize("dialect", [LEGACY, PIPED, HTTP])
def test_what_is_no_trace_context_goes_no_further_and_baggage_does(dialect) -> None:
    params = {"_meta": {"traceparent": "x", "tracestate": "y", "baggage": "a=b"}}
    draft = dialect.call("x", {}, {}, Context(params=params))
    meta = sent(dialect, draft)["params"]["_meta"]
    assert "traceparent" not in meta
    assert "tracestate" not in meta
    assert meta["baggage"] == "a=b"
    assert "traceparent" not in dict(draft.headers)


def test_a_tool_with_an_invalid_annotation_mirrors_nothing() -> None:
    schema = {"properties": {"a": {"type": "object", "x-mcp-header": "A"}}}
    assert len(HTTP.call("x", {"a": {}}, schema).headers) == 3


def test_what_is_kept_of_tools_has_a_bound() -> None:
    dialect = Dialect(MODERN, named=False)
    for number in range(MOST_TOOLS + 10):
        dialect.call(f"t{number}", {}, None)
    assert len(dialect._tools) == 10
    assert sent(dialect, dialect.call("t1", {}, None))["params"]["name"] == "t1"


def test_a_draft_follows_its_server_to_another_revision() -> None:
    other = Dialect(MODERN, named=True)
    draft = other.readdressed(HTTP.call("x", {}, {}))
    assert draft == HTTP.call("x", {}, {})


@pytest.mark.parametrize(
    ("hints", "harmless"),
    [
        ({"readOnlyHint": True}, True),
        ({"idempotentHint": True}, True),
        ({"idempotentHint": 1}, False),
        ({}, False),
        ("x", False),
    ],
)
def test_what_a_tool_says_of_itself_decides_about_repeating(hints, harmless) -> None:
    assert repeatable({"annotations": hints}) is harmless


@pytest.mark.parametrize("meta", [None, 7, "x", []])
def test_a_meta_that_is_no_object_is_left_out(meta) -> None:
    draft = LEGACY.query("x", {"_meta": meta})
    assert sent(LEGACY, draft)["params"] == {}


@pytest.mark.parametrize("can", [{}, {"roots": {"listChanged": True}}, {"extensions": 7}])
def test_a_modern_clients_capabilities_are_verbatim(can) -> None:
    assert offered(Front(can, modern=True)) == can


def test_states_belong_to_the_era_that_gave_them() -> None:
    params = {"requestState": "s", "inputResponses": {}, "task": {}, "_meta": {}, "x": 1}
    modern = passing(params, modern_client=True, modern_server=True)
    assert modern == {"requestState": "s", "inputResponses": {}, "x": 1}
    legacy = passing(params, modern_client=False, modern_server=False)
    assert legacy == {"task": {}, "x": 1}
    assert passing(params, modern_client=False, modern_server=True) == {"x": 1}
    with pytest.raises(StateRejected):
        passing(params, modern_client=True, modern_server=False)
