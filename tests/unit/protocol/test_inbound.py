from typing import Any

import pytest

from gateway.protocol import mcp
from gateway.protocol.inbound import Rejection, Route, climb, is_modern
from gateway.protocol.jsonrpc import Notification, Request, Response

VERSION = "2026-07-28"


def meta(**other: Any) -> dict[str, Any]:
    return {mcp.PROTOCOL_VERSION: VERSION, mcp.CLIENT_CAPABILITIES: {}, **other}


def request(method: str = "tools/list", **params: Any) -> Request:
    return Request(1, method, {"_meta": meta(), **params})


def headers(method: str = "tools/list", **other: str) -> dict[str, str]:
    return {mcp.VERSION_HEADER: VERSION, mcp.METHOD_HEADER: method, **other}


def rejected(found: Route | Rejection) -> Rejection:
    assert isinstance(found, Rejection)
    return found


def test_a_good_request_passes_with_its_revision_and_capabilities() -> None:
    found = climb(request(), headers())
    assert isinstance(found, Route)
    assert (found.revision.version, found.capabilities) == (VERSION, {})


def test_without_headers_their_rung_is_left_out() -> None:
    assert isinstance(climb(request(), None), Route)


@pytest.mark.parametrize("key", [mcp.PROTOCOL_VERSION, mcp.CLIENT_CAPABILITIES])
def test_a_missing_envelope_key_is_named(key: str) -> None:
    envelope = meta()
    del envelope[key]
    found = rejected(climb(Request(1, "tools/list", {"_meta": envelope}), headers()))
    assert (found.code, found.status) == (-32602, 400)
    assert key in found.message


@pytest.mark.parametrize("envelope", [None, [], "x", 7])
def test_an_envelope_that_is_no_object_names_both_keys(envelope: object) -> None:
    found = rejected(climb(Request(1, "tools/list", {"_meta": envelope}), headers()))
    assert mcp.PROTOCOL_VERSION in found.message
    assert mcp.CLIENT_CAPABILITIES in found.message


def test_client_info_is_not_required() -> None:
    assert isinstance(climb(request(), headers()), Route)


@pytest.mark.parametrize(
    "sent",
    [
        {mcp.METHOD_HEADER: "tools/list"},
        {mcp.VERSION_HEADER: VERSION},
        headers("tools/call"),
        headers("TOOLS/LIST"),
        headers("tools/list, tools/list"),
        {**headers(), mcp.VERSION_HEADER: "2025-11-25"},
    ],
)
def test_headers_must_be_there_and_say_what_the_body_says(sent: dict[str, str]) -> None:
    """I19."""
    found = rejected(climb(request(), sent))
    assert (found.code, found.status) == (-32020, 400)


@pytest.mark.parametrize(
    ("method", "param"),
    [("tools/call", "name"), ("prompts/get", "name"), ("resources/read", "uri")],
)
def test_the_name_header_mirrors_the_named_param(method: str, param: str) -> None:
    good = headers(method, **{mcp.NAME_HEADER: "über".encode().hex()})
    asked = request(method, **{param: "über".encode().hex()})
    assert isinstance(climb(asked, good), Route)
    assert rejected(climb(asked, headers(method))).code == -32020
    assert rejected(climb(asked, headers(method, **{mcp.NAME_HEADER: "other"}))).code == -32020


def test_a_sentinel_name_is_decoded_before_it_is_compared() -> None:
    sent = headers("tools/call", **{mcp.NAME_HEADER: "=?base64?w7xiZXI=?="})
    assert isinstance(climb(request("tools/call", name="über"), sent), Route)


@pytest.mark.parametrize("value", ["=?base64?w7xi ZXI=?=", "=?base64?!!?=", "=?base64?/w==?="])
def test_a_malformed_sentinel_is_a_mismatch(value: str) -> None:
    """I20."""
    sent = headers("tools/call", **{mcp.NAME_HEADER: value})
    assert rejected(climb(request("tools/call", name="über"), sent)).code == -32020


def test_a_name_missing_from_the_body_is_left_to_the_params_check() -> None:
    assert isinstance(climb(request("tools/call"), headers("tools/call")), Route)


def test_an_unknown_version_is_told_which_are_supported() -> None:
    asked = Request(1, "tools/list", {"_meta": meta() | {mcp.PROTOCOL_VERSION: "v999"}})
    found = rejected(climb(asked, {**headers(), mcp.VERSION_HEADER: "v999"}))
    assert (found.code, found.status) == (-32022, 400)
    assert found.data["requested"] == "v999"
    assert VERSION in found.data["supported"]


def test_a_mismatch_is_told_before_an_unknown_version() -> None:
    asked = Request(1, "tools/list", {"_meta": meta() | {mcp.PROTOCOL_VERSION: "v999"}})
    assert rejected(climb(asked, headers())).code == -32020


def test_a_version_that_is_no_string_is_a_malformed_param() -> None:
    asked = Request(1, "tools/list", {"_meta": meta() | {mcp.PROTOCOL_VERSION: 7}})
    assert rejected(climb(asked, None)).code == -32602


@pytest.mark.parametrize(
    "method",
    ["initialize", "ping", "logging/setLevel", "resources/subscribe", "__class__", "../../x"],
)
def test_a_removed_or_unknown_method_is_not_found(method: str) -> None:
    """I17."""
    found = rejected(climb(request(method), headers(method)))
    assert (found.code, found.status) == (-32601, 404)


def test_a_huge_method_is_not_printed_back_whole() -> None:
    """I17."""
    method = "m" * 1_000_000
    assert len(rejected(climb(request(method), headers(method))).message) < 200


def test_capabilities_and_log_level_must_have_their_shape() -> None:
    wrong = meta() | {mcp.CLIENT_CAPABILITIES: []}
    assert rejected(climb(Request(1, "tools/list", {"_meta": wrong}), None)).code == -32602
    loud = meta(**{mcp.LOG_LEVEL: "loud"})
    assert rejected(climb(Request(1, "tools/list", {"_meta": loud}), None)).code == -32602
    fine = meta(**{mcp.LOG_LEVEL: "info"})
    assert isinstance(climb(Request(1, "tools/list", {"_meta": fine}), None), Route)


@pytest.mark.parametrize(
    ("message", "sent", "modern"),
    [
        (request(), {}, True),
        (Request(1, "tools/list", {}), {mcp.VERSION_HEADER: VERSION}, True),
        (Request(1, "tools/list", {}), {}, False),
        (Request(1, "tools/list", {}), {mcp.VERSION_HEADER: "2025-11-25"}, False),
        (Request(1, "initialize", {}), {mcp.VERSION_HEADER: "2025-11-25"}, False),
        (request("initialize"), {}, True),
        (Notification("n", {}), {mcp.VERSION_HEADER: VERSION}, True),
        (Notification("n", {}), {}, False),
        (Response(1, {}), {mcp.VERSION_HEADER: VERSION}, True),
        (Request(1, "tools/list", {"_meta": {"progressToken": 1}}), {}, False),
    ],
)
def test_the_era_is_known_by_envelope_or_header(
    message: Request, sent: dict[str, str], modern: object
) -> None:
    assert is_modern(message, sent) is modern
