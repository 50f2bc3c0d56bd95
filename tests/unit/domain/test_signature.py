"""Arguments and descriptions in one line."""

import time
from typing import Any

import pytest

from gateway.domain.signature import first_sentence, signature
from gateway.domain.tool import Tool, ToolRef


def signed(properties: dict[str, Any], *required: str, **rest: Any) -> str:
    schema = {"type": "object", "properties": properties, "required": list(required), **rest}
    return signature(Tool(ToolRef("a", "b"), {"inputSchema": schema}))


def kind(schema: Any, **rest: Any) -> str:
    return signed({"x": schema}, "x", **rest).removeprefix("x: ")


def test_required_arguments_come_first_and_optional_ones_are_marked() -> None:
    properties = {"units": {"enum": ["celsius", "fahrenheit"]}, "city": {"type": "string"}}
    assert signed(properties, "city") == "city: string, units?: celsius|fahrenheit"


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer"}, "integer"),
        ({}, "any"),
        (True, "any"),
        ({"const": "fixed"}, "fixed"),
        ({"const": False}, "false"),
        ({"enum": [1, True, None, "a b"]}, "1|true|a b"),
        ({"type": "string", "enum": [f"a-long-choice-{n}" for n in range(20)]}, "string"),
        ({"type": "string", "enum": []}, "string"),
        ({"type": ["string", "null"]}, "string"),
        ({"type": ["string", "integer"]}, "string|integer"),
        ({"type": "null"}, "null"),
        ({"type": "array", "items": {"type": "string"}}, "string[]"),
        ({"type": "array"}, "any[]"),
        ({"type": "array", "items": {"type": ["string", "integer"]}}, "(string|integer)[]"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "integer"),
        ({"oneOf": [{"type": "integer"}, {"enum": ["all"]}]}, "integer|all"),
        ({"type": "object"}, "object"),
        ({"type": "object", "properties": {c: {} for c in "abcde"}}, "object"),
        ({"$ref": "https://elsewhere.example/schema"}, "any"),
        ({"$ref": "#/nowhere"}, "any"),
        ({"type": 7}, "any"),
    ],
)
def test_a_type_is_said_in_a_word(schema: Any, expected: str) -> None:
    assert kind(schema) == expected


def test_small_objects_are_spelled_out() -> None:
    point = {
        "type": "object",
        "properties": {"lat": {"type": "number"}, "name": {"enum": ["a", "b"]}},
    }
    point["required"] = ["lat"]
    assert kind(point) == "{lat: number, name?: a|b}"
    assert kind({"type": "array", "items": point}) == "{lat: number, name?: a|b}[]"


def test_an_object_inside_an_object_is_not() -> None:
    inner = {"type": "object", "properties": {"deep": {"type": "string"}}}
    assert kind({"type": "object", "properties": {"inner": inner}}) == "{inner?: object}"


def test_references_are_followed_inside_the_schema() -> None:
    definitions = {"Unit": {"enum": ["km", "mi"]}, "Loop": {"$ref": "#/$defs/Loop"}}
    assert kind({"$ref": "#/$defs/Unit"}, **{"$defs": definitions}) == "km|mi"
    assert kind({"$ref": "#/$defs/Loop"}, **{"$defs": definitions}) == "any"


def test_many_arguments_are_counted_not_listed() -> None:
    text = signed({f"a{number}": {"type": "string"} for number in range(20)}, "a19")
    assert text.startswith("a19: string, a0?: string")
    assert text.endswith(", … 4 more")


def test_no_arguments_give_no_text() -> None:
    assert signature(Tool(ToolRef("a", "b"), {})) == ""


def test_a_backends_words_stay_on_one_line_and_short() -> None:
    text = signed({"a\nb": {"enum": ["c\nd", "e"]}, "n" * 1_000: {"type": "t" * 1_000}})
    assert text.startswith("a b?: c d|e, nnn")
    assert len(text) < 200


def test_a_schema_of_many_thousand_arguments_is_signed_at_once() -> None:
    names = [f"a{number}" for number in range(20_000)]
    started = time.thread_time()
    signed({name: {"type": "string"} for name in names}, *names)
    assert time.thread_time() - started < 0.2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Current weather at a place. Free, no key.", "Current weather at a place"),
        ("Current weather.", "Current weather"),
        ("Ends here! More", "Ends here"),
        ("Find things, e.g. London or i.e. Paris. More", "Find things, e.g. London or i.e. Paris"),
        ("Version 2.1 of the API", "Version 2.1 of the API"),
        ("Wrapped at a\n  column of it. More", "Wrapped at a column of it"),
        ("A title\nThen more", "A title"),
        ("A title\n\nthen more", "A title"),
        ("List:\n- one\n- two", "List:"),
        ("查询天气。返回预报。", "查询天气"),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_a_first_sentence_ends_where_it_should(text: str, expected: str) -> None:
    assert first_sentence(text) == expected


def test_a_long_sentence_is_cut_at_a_word() -> None:
    assert first_sentence("one two three", longest=9) == "one two…"
    assert len(first_sentence("word " * 1_000_000)) <= 161
