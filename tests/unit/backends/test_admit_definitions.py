"""A tool's schemas are looked at, never followed and never rewritten."""

import time
from typing import Any

import msgspec
import pytest

from gateway.backends.admit import TOOLS, Taken, taken
from gateway.backends.definitions import DEEPEST, Oddity, check, deeper


def judged(**schema: Any) -> str | None:
    tool = {"name": "t", "inputSchema": {"type": "object", **schema}}
    try:
        check(tool, msgspec.json.encode(tool))
    except Oddity as reason:
        return str(reason)
    return None


@pytest.mark.parametrize(
    "reference",
    [
        "https://evil.test/schema.json",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "//evil.test/x",
        "other.json",
        "other.json#/a",
        "http://[bad",
    ],
)
@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef"])
def test_a_reference_to_another_document_is_refused(reference: str, keyword: str) -> None:
    for schema in (
        {"properties": {"a": {keyword: reference}}},
        {"properties": {"default": {keyword: reference}}},
        {"$defs": {"x": {"anyOf": [{"items": {keyword: reference}}]}}},
        {keyword: reference},
    ):
        reason = judged(**schema)
        assert reason is not None
        assert reason.startswith("its inputSchema refers to another document")


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {}}},
        {"properties": {"a": {"$ref": "#anchor"}}},
        {"$id": "https://a.test/root", "properties": {"a": {"$ref": "https://a.test/root#/$defs"}}},
        {"$id": "https://a.test/root", "properties": {"a": {"$ref": "root#/$defs"}}},
        {
            "$id": "https://a.test/root",
            "$defs": {"b": {"$id": "b"}},
            "properties": {"a": {"$ref": "b"}},
        },
        {"properties": {"$ref": {"type": "string"}}},
        {"properties": {"a": {"default": {"$ref": "https://evil.test"}}}},
        {"properties": {"a": {"const": {"$ref": "x.json"}, "enum": [{"$ref": "y.json"}]}}},
    ],
)
def test_a_reference_within_the_document_or_within_data_is_fine(schema: dict[str, Any]) -> None:
    assert judged(**schema) is None


def test_an_output_schema_is_looked_at_too() -> None:
    tool = {
        "name": "t",
        "inputSchema": {"type": "object"},
        "outputSchema": {"type": "object", "properties": {"a": {"$ref": "https://evil.test"}}},
    }
    with pytest.raises(Oddity, match="its outputSchema refers"):
        check(tool, msgspec.json.encode(tool))


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"properties": None}, "the properties of its inputSchema are no object"),
        ({"properties": {"a": "string"}}, "a property of its inputSchema is no schema"),
        ({"required": None}, "what its inputSchema requires is no list of names"),
        ({"required": ["a", 1]}, "what its inputSchema requires is no list of names"),
        (
            {"properties": {"a": {"type": "object", "x-mcp-header": "A"}}},
            "x-mcp-header of a needs type string, integer or boolean",
        ),
        (
            {"properties": {"a": {"type": "string", "x-mcp-header": "a b"}}},
            "x-mcp-header of a is no header name",
        ),
    ],
)
def test_a_schema_that_breaks_clients_is_refused(schema: dict[str, Any], reason: str) -> None:
    assert judged(**schema) == reason


def test_valid_headers_and_schemas_that_are_booleans_are_fine() -> None:
    assert judged(properties={"a": {"type": "string", "x-mcp-header": "A"}, "b": True}) is None


def nested(levels: int) -> Any:
    value: Any = {}
    for _ in range(levels):
        value = {"items": value}
    return value


def test_depth_is_bounded_without_recursion() -> None:
    assert not deeper(nested(DEEPEST - 1), DEEPEST)
    assert deeper(nested(DEEPEST + 1), DEEPEST)
    assert deeper(nested(100_000), DEEPEST)


@pytest.mark.parametrize("levels", [DEEPEST + 1, 10_000])
def test_a_tool_nested_too_deep_is_left_out_alone(levels: int) -> None:
    deep = {"name": "deep", "inputSchema": {"type": "object", "properties": {"a": nested(levels)}}}
    well = {"name": "well", "inputSchema": {"type": "object"}}
    found = taken("files", TOOLS, [deep, well], Taken())
    assert [item["name"] for item in found.items] == ["well"]
    assert "nested" in found.issues[0].message


def test_a_wide_schema_of_many_references_is_judged_in_a_moment() -> None:
    many = {f"p{n}": {"anyOf": [{"$ref": f"#/$defs/d{n}"}] * 3} for n in range(2_000)}
    began = time.perf_counter()
    assert judged(properties=many) is None
    assert time.perf_counter() - began < 1.0
