"""The measurement of imports calls tools with what their schemas admit, or says that it cannot."""

import re

import jsonschema
import pytest

from benchmarks.openapi_arguments import Unsatisfied, everything, required_only
from benchmarks.openapi_patterns import matching

RECURSIVE = {
    "type": "object",
    "properties": {"node": {"$ref": "#/$defs/node"}},
    "required": ["node"],
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"next": {"$ref": "#/$defs/node"}, "size": {"type": ["null", "integer"]}},
            "required": ["size"],
        }
    },
}


def schema(**properties):
    return {"type": "object", "properties": properties, "required": sorted(properties)}


@pytest.mark.parametrize(
    "part",
    [
        {"type": "string", "minLength": 9, "maxLength": 12},
        {"type": "string", "format": "date-time"},
        {"type": "string", "pattern": "^[A-Z]{2}-[0-9]+$", "minLength": 7},
        {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        {"type": "integer", "minimum": 7, "multipleOf": 5},
        {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 2, "uniqueItems": True},
        {"type": "string", "pattern": "^[0-9a-f]+$", "minLength": 40, "maxLength": 40},
        {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 2},
        {"allOf": [schema(a={"type": "string"}), schema(b={"const": 3})]},
        {"oneOf": [{"type": "integer", "minimum": 3}, {"type": "string", "maxLength": 2}]},
        {"anyOf": [{"type": "object", "required": ["x"]}, {"type": "null"}]},
        {
            "properties": {"kind": {"enum": ["a", "b"]}},
            "oneOf": [schema(kind={"const": "b"}), schema(kind={"const": "c"})],
        },
        {"type": "string", "enum": ["b"], "example": "not one of them"},
    ],
)
def test_what_is_made_is_admitted(part):
    whole = schema(part=part)

    for way in (required_only, everything):
        jsonschema.validate(way(whole), whole)


def test_what_is_not_required_is_given_once_only():
    whole = schema(a={"type": "integer"}) | {"required": []}

    assert required_only(whole) == {}
    assert everything(whole) == {"a": 1}


def test_the_example_of_the_author_is_taken_where_it_is_admitted():
    whole = schema(a={"type": "string", "examples": ["theirs"]}, b={"type": "string", "example": 1})

    assert required_only(whole) == {"a": "theirs", "b": "text"}


def test_a_schema_that_refers_to_itself_comes_to_an_end():
    assert required_only(RECURSIVE) == {"node": {"size": 1}}
    jsonschema.validate(everything(RECURSIVE), RECURSIVE)


def test_a_schema_that_nothing_meets_is_said_to_be_one():
    with pytest.raises(Unsatisfied):
        required_only(schema(a={"type": "integer", "minimum": 3, "maximum": 2}))


@pytest.mark.parametrize(
    "pattern", ["^[A-Z]{2,10}$", r"^\d{4}-\d\d$", "[^/]+", "^(a|b)?c*$", r"^[^\s#]{3,}$", "^[%&]$"]
)
def test_a_text_is_found_for_a_pattern(pattern):
    assert matching(pattern)
    assert re.search(pattern, matching(pattern))
