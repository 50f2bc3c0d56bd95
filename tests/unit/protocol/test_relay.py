import json
from typing import Any

import pytest

from gateway.domain.call import Relayed
from gateway.domain.tool import ToolResult
from gateway.errors import BadResponse
from gateway.protocol import mcp
from gateway.protocol.eras import LATEST_LEGACY, MODERN, REVISIONS, Revision
from gateway.protocol.relay import cacheable, call_result, relayed

AUDIO = {"type": "audio", "data": "UklG", "mimeType": "audio/wav"}
LINK = {"type": "resource_link", "uri": "file:///a", "name": "a", "description": "The first."}
TEXT = {"type": "text", "text": 'a "audio" \\ "_meta" text'}
OLDEST, OLD = REVISIONS["2024-11-05"], REVISIONS["2025-03-26"]


def read(raw: bytes) -> Any:
    """Strictly: no member twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    return json.loads(raw, object_pairs_hook=once)


@pytest.mark.parametrize("raw", [b'{"messages":5,"a":"audio"}', b'{"messages":["audio"]}'])
def test_a_result_of_another_shape_passes_as_it_is(raw: bytes) -> None:
    assert read(relayed(Relayed(raw), OLDEST)) == read(raw)


def test_what_has_to_be_changed_and_cannot_be_read_is_a_bad_response() -> None:
    deep = b'{"content":%b"audio"%b}' % (b"[" * 5000, b"]" * 5000)
    with pytest.raises(BadResponse):
        relayed(Relayed(deep), OLDEST)
    with pytest.raises(BadResponse):
        relayed(Relayed(deep, modern=True), LATEST_LEGACY)


def test_what_is_not_kept_says_so_whatever_else_it_says() -> None:
    assert read(cacheable(b'{ "contents":[]}')) == {
        "ttlMs": 0,
        "cacheScope": "private",
        "contents": [],
    }
    assert read(cacheable(b'{"ttlMs":5,"contents":[]}'))["ttlMs"] == 5


@pytest.mark.parametrize("revision", [MODERN, LATEST_LEGACY], ids=str)
def test_a_result_passes_untouched_within_its_era(revision: Revision) -> None:
    raw = b'{ "content" : [],\n"x": 1.0, "resultType": "complete" }'
    assert relayed(Relayed(raw, revision.modern), revision) is raw


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b" {\n} ",
        b'{"content":[]}',
        json.dumps({"content": [TEXT]}).encode(),
        b'{"content":[],"_meta":{"a":1}}',
    ],
)
def test_a_modern_client_gets_the_envelope_around_what_a_legacy_server_says(
    raw: bytes,
) -> None:
    found = read(relayed(Relayed(raw), MODERN))
    assert found.pop("resultType") == "complete"
    if "_meta" not in read(raw):
        assert found.pop("_meta")[mcp.SERVER_INFO]["name"] == "capgate"
    assert found == read(raw)


def test_a_legacy_server_that_names_the_type_of_its_result_is_believed() -> None:
    named = b'{"resultType":"complete","content":[]}'
    assert relayed(Relayed(named), MODERN) is named
    deeper = b'{"structuredContent":{"resultType":"x"}}'
    assert read(relayed(Relayed(deeper), MODERN))["resultType"] == "complete"


@pytest.mark.parametrize("kind", ["input_required", "task", "weird", None, 5, {}])
def test_a_legacy_server_cannot_answer_a_modern_client_with_another_type_of_result(
    kind: Any,
) -> None:
    forged = {"resultType": kind, "inputRequests": {"a": {"method": "roots/list"}}, "content": []}
    found = read(relayed(Relayed(json.dumps(forged).encode()), MODERN))
    assert found["resultType"] == "complete"
    assert found["content"] == []


def test_a_legacy_client_gets_no_member_of_the_modern_envelope() -> None:
    raw = b'{"resultType":"complete","ttlMs":5,"cacheScope":"public","contents":[1.50],"_meta":{}}'
    assert relayed(Relayed(raw, modern=True), LATEST_LEGACY) == b'{"contents":[1.50],"_meta":{}}'


@pytest.mark.parametrize(
    ("structured", "expected"),
    [("[1]", {"result": [1]}), ('"a"', {"result": "a"}), ('{"a":1}', {"a": 1})],
)
def test_structured_content_of_a_modern_server_is_an_object_for_a_legacy_client(
    structured: str, expected: Any
) -> None:
    raw = f'{{"content":[],"structuredContent": {structured}}}'.encode()
    assert read(relayed(Relayed(raw, modern=True), LATEST_LEGACY))["structuredContent"] == expected


@pytest.mark.parametrize("result", ["relayed", "rest"])
def test_old_clients_read_of_content_that_they_do_not_know(result: str) -> None:
    content = [TEXT, AUDIO, LINK]
    made = (
        Relayed(json.dumps({"content": content}).encode())
        if result == "relayed"
        else ToolResult(tuple(content))
    )
    latest = read(call_result(made, LATEST_LEGACY))["content"]
    old = read(call_result(made, OLD))["content"]
    oldest = read(call_result(made, OLDEST))["content"]
    assert latest == content
    assert old == [TEXT, AUDIO, {"type": "text", "text": "a <file:///a>: The first."}]
    assert oldest[1]["type"] == "text"
    assert "audio/wav" in oldest[1]["text"]


def test_old_clients_read_of_prompts_likewise() -> None:
    raw = json.dumps({"messages": [{"role": "user", "content": LINK}]}).encode()
    found = read(relayed(Relayed(raw), OLDEST))
    assert found["messages"][0]["content"]["type"] == "text"
    assert found["messages"][0]["role"] == "user"
