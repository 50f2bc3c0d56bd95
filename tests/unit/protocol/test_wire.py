import json
from typing import Any

import pytest

from gateway.domain.tool import ToolResult, text_result
from gateway.protocol import mcp, wire
from gateway.protocol.eras import LATEST_LEGACY, MODERN, REVISIONS, Revision

LEGACY = [revision for revision in REVISIONS.values() if not revision.modern]


def result(found: ToolResult, revision: Revision) -> dict[str, Any]:
    return dict(json.loads(wire.call_result(found, revision)))


def test_a_legacy_result_is_bare() -> None:
    assert result(text_result("hi"), LATEST_LEGACY) == {"content": [{"type": "text", "text": "hi"}]}


def test_a_modern_result_says_that_it_is_complete_and_whose() -> None:
    found = result(text_result("hi", is_error=True), MODERN)
    assert found["resultType"] == "complete"
    assert found["_meta"][mcp.SERVER_INFO]["name"] == "capgate"
    assert found["isError"] is True


def test_meta_of_the_tool_is_kept_in_both_eras() -> None:
    given = ToolResult((), meta={"x/y": 1})
    assert result(given, LATEST_LEGACY)["_meta"] == {"x/y": 1}
    assert result(given, MODERN)["_meta"]["x/y"] == 1
    assert mcp.SERVER_INFO in result(given, MODERN)["_meta"]


@pytest.mark.parametrize("structured", [b"[1]", b"7", b'"x"', b"null", b" [1]"])
@pytest.mark.parametrize("revision", LEGACY, ids=str)
def test_legacy_structured_content_is_always_an_object(
    structured: bytes, revision: Revision
) -> None:
    found = result(ToolResult((), structured), revision)
    assert found["structuredContent"] == {"result": json.loads(structured)}


@pytest.mark.parametrize("structured", [b"[1]", b"7", b'{"a":1}'])
def test_modern_structured_content_is_any_json(structured: bytes) -> None:
    assert result(ToolResult((), structured), MODERN)["structuredContent"] == json.loads(structured)


@pytest.mark.parametrize("structured", [b'{"a":1}', b' \n{"a":1}'])
def test_an_object_is_spliced_in_as_it_is(structured: bytes) -> None:
    for revision in REVISIONS.values():
        assert structured in wire.call_result(ToolResult((), structured), revision)


def test_a_definition_is_the_same_object_where_nothing_has_to_change() -> None:
    tool = {"name": "a", "inputSchema": {}, "outputSchema": {"type": "object"}, "x": 1}
    assert wire.definition(tool, LATEST_LEGACY) is tool
    assert wire.definition(tool, MODERN) is tool


def test_an_output_schema_of_another_root_is_modern_only() -> None:
    tool = {"name": "a", "outputSchema": {"type": "array"}}
    assert wire.definition(tool, LATEST_LEGACY) == {"name": "a"}
    assert wire.definition(tool, MODERN) == tool


def test_task_support_is_told_to_the_one_revision_that_knows_it() -> None:
    tool = {"name": "a", "execution": {"taskSupport": "optional"}}
    assert "execution" in wire.definition(tool, LATEST_LEGACY)
    assert "execution" not in wire.definition(tool, MODERN)


def test_lists_carry_caching_hints_where_the_revision_has_them() -> None:
    modern = json.loads(wire.list_result("tools", (), MODERN, "next"))
    assert (modern["ttlMs"], modern["cacheScope"], modern["nextCursor"]) == (0, "private", "next")
    assert json.loads(wire.list_result("tools", (), MODERN, keep_ms=5))["ttlMs"] == 5
    assert json.loads(wire.list_result("tools", (), LATEST_LEGACY, keep_ms=5)) == {"tools": []}


def test_discover_lists_every_version_and_stays_fresh() -> None:
    found = json.loads(wire.discover_result("do this", {"tools": {}}))
    assert found["supportedVersions"] == list(REVISIONS)
    assert found["instructions"] == "do this"
    assert found["capabilities"] == {"tools": {}}
    assert found["ttlMs"] > 0


@pytest.mark.parametrize("id", [1, "1", "listen-🦆"])
def test_every_message_of_a_listen_stream_carries_its_id_unchanged(id: int | str) -> None:
    changed = wire.told(mcp.TOOLS_CHANGED, {}, id)
    messages = [wire.acknowledged(id, {}), changed, wire.listen_cancelled(id)]
    for message in messages:
        assert json.loads(message)["params"]["_meta"][mcp.SUBSCRIPTION_ID] == id
    assert json.loads(wire.listen_result(id))["_meta"][mcp.SUBSCRIPTION_ID] == id


def test_the_legacy_notice_has_no_subscription() -> None:
    found = json.loads(wire.told(mcp.TOOLS_CHANGED, {}))
    assert found == {"jsonrpc": "2.0", "method": mcp.TOOLS_CHANGED}
