from typing import Any

import pytest

from gateway.protocol.header_values import (
    Mirror,
    decode_value,
    encode_value,
    mirror_mismatch,
    mirrors,
)


@pytest.mark.parametrize(
    ("value", "header"),
    [  # the specification's own examples
        ("us-west1", "us-west1"),
        ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
        (" padded ", "=?base64?IHBhZGRlZCA=?="),
        ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
        ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
    ],
)
def test_values_travel_as_the_specification_shows(value: str, header: str) -> None:
    assert encode_value(value) == header
    assert decode_value(header) == value


@pytest.mark.parametrize("header", [None, "caf\xe9", "a\x00b", "=?base64?aGk?=", "=?base64?aGl=?="])
def test_a_value_that_nobody_may_send_is_no_value(header: str | None) -> None:
    assert decode_value(header) is None


def test_an_inner_tab_is_allowed() -> None:
    assert decode_value("a\tb") == "a\tb"


def properties(**schemas: Any) -> dict[str, Any]:
    return {"type": "object", "properties": schemas}


REGION = {"type": "string", "x-mcp-header": "Region"}


def test_mirrors_are_found_through_nested_properties() -> None:
    schema = properties(region=REGION, outer=properties(n={"type": "integer", "x-mcp-header": "N"}))
    assert set(mirrors(schema)) == {
        Mirror(("region",), "mcp-param-region", "string"),
        Mirror(("outer", "n"), "mcp-param-n", "integer"),
    }


@pytest.mark.parametrize(
    "schema",
    [
        properties(a={"type": "string", "x-mcp-header": ""}),
        properties(a={"type": "string", "x-mcp-header": "a b"}),
        properties(a={"type": "string", "x-mcp-header": 7}),
        properties(a={"type": "number", "x-mcp-header": "A"}),
        properties(a={"x-mcp-header": "A"}),
        properties(a=REGION, b={"type": "string", "x-mcp-header": "REGION"}),
        properties(a={"type": "array", "items": REGION}),
        {"type": "object", "anyOf": [properties(a=REGION)]},
        {"type": "object", "$defs": {"a": REGION}},
        {"type": "object", "x-mcp-header": "Root"},
    ],
)
def test_an_annotation_against_the_rules_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="x-mcp-header"):
        mirrors(schema)


def test_data_that_looks_like_an_annotation_is_left_alone() -> None:
    assert mirrors(properties(a={"type": "object", "default": {"x-mcp-header": "A"}})) == ()
    assert mirrors(None) == ()


@pytest.mark.parametrize(
    ("kind", "value", "header"),
    [
        ("string", "us", "us"),
        ("string", "ü", "=?base64?w7w=?="),
        ("integer", 42, "42"),
        ("integer", 42, "42.0"),
        ("integer", -7, "-7"),
        ("boolean", True, "true"),
        ("string", None, None),
    ],
)
def test_header_and_argument_that_agree_pass(kind: str, value: Any, header: str | None) -> None:
    sent = {} if header is None else {"mcp-param-a": header}
    assert mirror_mismatch((Mirror(("a",), "mcp-param-a", kind),), {"a": value}, sent) is None


@pytest.mark.parametrize(
    ("kind", "value", "header"),
    [
        ("string", "us", "eu"),
        ("string", "us", None),
        ("string", None, "us"),
        ("integer", 42, "42.5"),
        ("integer", 42, "4.2e1"),
        ("boolean", True, "True"),
        ("boolean", False, None),
        ("string", "ü", "ü"),
        ("string", "us", "us, us"),
        ("string", {"no": "scalar"}, "x"),
    ],
)
def test_header_and_argument_that_disagree_are_named(
    kind: str, value: Any, header: str | None
) -> None:
    sent = {} if header is None else {"mcp-param-a": header}
    found = mirror_mismatch((Mirror(("a",), "mcp-param-a", kind),), {"a": value}, sent)
    assert found is not None
    assert "mcp-param-a" in found


def test_a_path_through_what_is_no_object_leads_to_nothing() -> None:
    asked = (Mirror(("a", "b"), "mcp-param-b", "string"),)
    assert mirror_mismatch(asked, {"a": "text"}, {}) is None
    assert mirror_mismatch(asked, {"a": "text"}, {"mcp-param-b": "x"}) is not None
