"""`args` and `output`: JSON Schema 2020-12 with `required: true` (capability-format.md §1, T5)."""

from typing import Any

import jsonschema_rs
import pytest

from gateway.capability.file.schemas import (
    argument_problems,
    input_schema,
    output_problems,
    output_schema,
    validator,
)


def first(args: dict[str, Any]) -> tuple[tuple[str | int, ...], str, str | None]:
    (problem,) = argument_problems(args)
    return problem.path, problem.message, problem.hint


def test_an_input_schema_is_closed_and_lists_what_is_required() -> None:
    args = {"a": {"type": "string", "required": True}, "b": {"type": "integer", "default": 3}}
    assert input_schema(args) == {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "integer", "default": 3}},
        "required": ["a"],
        "additionalProperties": False,
    }
    assert argument_problems(args) == []


def test_without_arguments_nothing_is_required() -> None:
    assert input_schema({}) == {"type": "object", "properties": {}, "additionalProperties": False}


def test_required_moves_into_the_list_of_its_own_level() -> None:
    inner = {
        "type": "object",
        "properties": {"x": {"required": True}, "y": {"required": False}, "z": {}},
        "required": ["z"],
    }
    compiled = input_schema(
        {
            "deep": {"type": "array", "items": inner, "required": True},
            "either": {"anyOf": [inner, {"type": "null"}]},
            "named": {"$defs": {"d": inner}, "if": inner, "patternProperties": {"^x": inner}},
        }
    )
    expected = {"type": "object", "properties": {"x": {}, "y": {}, "z": {}}, "required": ["z", "x"]}
    properties = compiled["properties"]
    assert compiled["required"] == ["deep"]
    assert properties["deep"] == {"type": "array", "items": expected}
    assert properties["either"]["anyOf"] == [expected, {"type": "null"}]
    assert properties["named"]["$defs"] == {"d": expected}
    assert properties["named"]["if"] == expected
    assert properties["named"]["patternProperties"] == {"^x": expected}


def test_a_property_may_be_called_required_or_type() -> None:
    args: dict[str, Any] = {
        "required": {"type": "boolean"},
        "o": {"properties": {"required": {"type": "string", "required": True}, "type": {}}},
    }
    assert argument_problems(args) == []
    compiled = input_schema(args)["properties"]
    assert compiled["required"] == {"type": "boolean"}
    assert compiled["o"]["required"] == ["required"]


def test_data_inside_a_schema_is_left_alone() -> None:
    data = {"required": True, "properties": {"a": {"required": True}}}
    args = {"a": {"enum": [data], "default": data, "const": data, "examples": [data]}}
    assert input_schema(args)["properties"] == args


def test_the_authors_tree_is_not_changed() -> None:
    args: dict[str, Any] = {"a": {"properties": {"b": {"required": True}}, "required": True}}
    input_schema(args)
    assert args == {"a": {"properties": {"b": {"required": True}}, "required": True}}


@pytest.mark.parametrize(
    ("schema", "path", "message", "hint"),
    [
        ({"typ": "string"}, ("typ",), "unknown JSON Schema keyword 'typ'", "did you mean 'type'"),
        ({"requred": True}, ("requred",), "unknown JSON Schema", "did you mean 'required'?"),
        ({"nullable": True}, ("nullable",), "unknown JSON", 'such as type: [string, "null"]'),
        ({"items": {"enmu": []}}, ("items", "enmu"), "unknown JSON Schema keyword 'enmu'", None),
        ({"type": "strin"}, ("type",), "'strin' is no JSON Schema type", "did you mean 'string'?"),
        ({"type": ["string", None]}, ("type",), "null is no type", 'quote it: "null"'),
        ({"type": {}}, ("type",), "'{}' is no JSON Schema type", None),
        ({"type": "file"}, ("type",), "'file' is no JSON", "a file comes as {type: string, c"),
        ({"required": "yes"}, ("required",), "'required' is true, false or a list", None),
        ({"items": {"required": True}}, ("items", "required"), "stands beside a property", None),
        ({"minLength": -1}, ("minLength",), "not valid JSON Schema: 'minLength': -1 is less", None),
        ({"enum": "x"}, ("enum",), "not valid JSON Schema: 'enum'", None),
        ({"items": [{}]}, ("items",), "not valid JSON Schema: 'items'", None),
        ({"pattern": "("}, ("pattern",), "not valid JSON Schema: 'pattern'", None),
        ({"pattern": "(?=a)"}, ("pattern",), "not valid JSON Schema", "a regular expression with"),
        ({"$ref": "#/nope"}, ("$ref",), "'#/nope' leads nowhere", "such as #/properties/NAME"),
        ({"items": {"$ref": "#a"}}, ("items", "$ref"), "'#a' leads nowhere", None),
        ({"$ref": "#/properties/a/type"}, ("$ref",), "'#/properties/a/type' leads nowhere", None),
        ({"type": "integer", "default": "x"}, ("default",), "the default does not fit: ", None),
        ({"enum": ["a"], "default": "b"}, ("default",), "the default does not fit: ", None),
        ({"format": "date", "default": "soon"}, ("default",), "the default does not fit: ", None),
    ],
)
def test_an_invalid_schema_is_refused_at_its_place(
    schema: dict[str, Any], path: tuple[str, ...], message: str, hint: str | None
) -> None:
    where, said, advice = first({"a": schema})
    assert where == ("a", *path)
    assert message in said
    assert hint is None or (advice or "").startswith(hint)


@pytest.mark.parametrize(
    "reference", ["http://127.0.0.1:1/x", "file:///etc/passwd", "other.json#/x", "/x", 3]
)
def test_t5_a_reference_out_of_the_file_is_refused_and_never_fetched(reference: object) -> None:
    for place in ({"$ref": reference}, {"items": {"anyOf": [{"$ref": reference}]}}):
        _, message, _ = first({"a": place})
        assert message == "a reference that leads out of the file"


def test_t5_the_validator_itself_fetches_nothing() -> None:
    with pytest.raises(jsonschema_rs.ValidationError, match="is not part of this file"):
        validator({"$ref": "http://127.0.0.1:1/x"})
    with pytest.raises(jsonschema_rs.ValidationError, match="is not part of this file"):
        validator({"$ref": "file:///etc/passwd"})


@pytest.mark.parametrize("keyword", ["$id", "$schema", "$dynamicRef", "$anchor"])
def test_t5_keywords_that_rebase_references_are_refused(keyword: str) -> None:
    assert f"unknown JSON Schema keyword {keyword!r}" in first({"a": {keyword: "http://x/"}})[1]


def test_a_reference_inside_the_arguments_is_fine() -> None:
    assert argument_problems({"a": {"type": "string"}, "b": {"$ref": "#/properties/a"}}) == []
    tree = {"type": "object", "properties": {"child": {"$ref": "#/properties/tree"}}}
    assert argument_problems({"tree": tree}) == []
    odd = {"a/b~": {"anyOf": [{}, {}]}, "c": {"$ref": "#/properties/a~1b~0/anyOf/1"}}
    assert argument_problems(odd) == []
    assert (
        argument_problems({"a": {"$defs": {"é": {}}, "$ref": "#/properties/a/$defs/%C3%A9"}}) == []
    )
    assert output_problems({"type": "array", "items": {"$ref": "#"}}) == []


def test_a_reference_to_what_is_no_schema_is_refused() -> None:
    assert argument_problems({"a": {"enum": [1], "$ref": "#/properties/a/enum"}})


def test_at_most_some_invalid_schemas_are_told() -> None:
    """Each costs a compilation of all."""
    found = argument_problems({f"a{index}": {"minLength": -1} for index in range(30)})
    assert len({problem.path for problem in found}) == len(found) == 10


def test_free_keywords_are_kept() -> None:
    args = {"a": {"type": "string", "x-mcp-header": "X-A"}}
    assert argument_problems(args) == []
    assert input_schema(args)["properties"] == args


def test_every_argument_hears_of_its_own_problem() -> None:
    problems = argument_problems({"a": {"minLength": -1}, "b": {}, "c": {"maximum": "x"}})
    assert [problem.path for problem in problems] == [("a", "minLength"), ("c", "maximum")]


def test_output_knows_required_in_both_forms() -> None:
    schema = {"type": "object", "properties": {"a": {}, "b": {"required": True}}, "required": ["a"]}
    assert output_problems(schema) == []
    assert output_schema(schema)["required"] == ["a", "b"]
    assert output_schema(schema)["properties"] == {"a": {}, "b": {}}


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"$ref": "http://x/"}, ("$ref",)),
        ({"required": True}, ("required",)),
        ({"properties": {"a": {"required": [1]}}}, ("properties", "a", "required", 0)),
        ({"minProperties": -1}, ("minProperties",)),
    ],
)
def test_an_invalid_output_is_refused(schema: dict[str, Any], path: tuple[str | int, ...]) -> None:
    assert [problem.path for problem in output_problems(schema)] == [path]
