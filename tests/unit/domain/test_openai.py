"""Tools as functions for OpenAI's API: names that lead back, and schemas that it takes."""

import json
import re

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.catalog import Catalog
from gateway.domain.listing import Listing
from gateway.domain.openai import REFUSED, answer, names, parameters, ref_of
from gateway.domain.tool import Tool, ToolRef

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
FUNCTION = jsonschema_rs.validator_for(
    {  # the API's ChatCompletionTool
        "type": "object",
        "required": ["type", "function"],
        "additionalProperties": False,
        "properties": {
            "type": {"const": "function"},
            "function": {
                "type": "object",
                "required": ["name"],
                "additionalProperties": False,
                "properties": {
                    "name": {"type": "string", "pattern": f"^{NAME.pattern}$"},
                    "description": {"type": "string"},
                    "parameters": {
                        "type": "object",
                        "required": ["type", "properties"],
                        "properties": {"type": {"const": "object"}, "properties": {}},
                        "propertyNames": {"not": {"enum": list(REFUSED)}},
                    },
                },
            },
        },
    }
)
TEXT = {"type": "string"}


def tool(backend, name, schema=None, description=""):
    definition = {"name": name, "inputSchema": schema or {"type": "object"}}
    if description:
        definition["description"] = description
    return Tool(ToolRef(backend, name), definition)


def name_of(backend, name):
    return names([ToolRef(backend, name)])[ToolRef(backend, name)]


def test_a_name_says_its_server_and_its_tool():
    assert name_of("github", "create_issue") == "mcp_github__create_issue"
    assert name_of("my-api", "v2__read") == "mcp_my-api__v2__read"


@pytest.mark.parametrize(
    ("backend", "name"),
    [
        ("files", "read.file"),
        ("files", "naïve"),
        ("a__b", "c"),
        ("a_", "_b"),
        ("files", "x" * 100),
        ("files", "hash_0123abcd"),
    ],
)
def test_any_other_ends_in_digits_of_its_own(backend, name):
    found = name_of(backend, name)
    assert NAME.fullmatch(found)
    assert re.search(r"_[0-9a-f]{8}$", found)


def test_a_name_stays_whatever_else_is_offered():
    refs = [ToolRef("a", "b__c"), ToolRef("a__b", "c"), ToolRef("a", "b.c"), ToolRef("a", "b_c")]
    together = names(refs)
    assert {ref: names([ref])[ref] for ref in refs} == together
    assert names(reversed(refs)) == together


REFS = st.builds(
    ToolRef,
    st.text(st.sampled_from("ab_-.é"), min_size=1, max_size=6),
    st.text(st.sampled_from("ab_-.0é"), min_size=1, max_size=6) | st.text("ab_", min_size=50),
)


@given(st.sets(REFS, max_size=20))
def test_names_are_unique_and_lead_back(refs):
    tools = [tool(*ref) for ref in refs]
    found = names(refs)
    assert len(set(found.values())) == len(refs)
    assert all(NAME.fullmatch(name) for name in found.values())
    assert all(ref_of(name, tools) == ref for ref, name in found.items())


def test_a_catalogue_is_asked_for_what_a_model_named():
    catalog = Catalog([Listing("github", "", (tool("github", "create.issue"),))])
    assert ref_of(name_of("github", "create.issue"), catalog) == ("github", "create.issue")
    assert ref_of("mcp_github__create_issue", catalog) is None
    assert ref_of("", catalog) is None


def test_digits_that_are_taken_are_made_anew():
    refs = [ToolRef("x.", str(number)) for number in range(200_000)]
    assert len(set(names(refs).values())) == len(refs)


def test_an_answer_has_functions_and_whose_they_are():
    fine = {"type": "object", "properties": {"q": TEXT}, "required": ["q"]}
    given = answer([tool("web", "search", fine, "Searches."), tool("web", "a.b")])
    first, second = given["tools"]
    assert first == {
        "type": "function",
        "function": {"name": "mcp_web__search", "description": "Searches.", "parameters": fine},
    }
    assert given["names"] == {
        "mcp_web__search": {"server": "web", "tool": "search"},
        second["function"]["name"]: {"server": "web", "tool": "a.b"},
    }
    assert "description" not in second["function"]


def test_a_schema_that_is_taken_is_not_touched():
    schema = {"type": "object", "properties": {"q": TEXT}, "$schema": "x", "$defs": {"a": TEXT}}
    assert parameters(schema) is schema


@pytest.mark.parametrize(
    ("schema", "made"),
    [
        ({"type": "object"}, {"type": "object", "properties": {}}),
        ({}, {"type": "object", "properties": {}}),
        (
            {"type": "object", "properties": {"x": {"type": "array"}}},
            {"type": "object", "properties": {"x": {"type": "array", "items": {}}}},
        ),
        (
            {"type": "object", "properties": {"x": {"type": ["array", "null"], "items": True}}},
            {"type": "object", "properties": {"x": {"type": ["array", "null"], "items": {}}}},
        ),
        (
            {"type": "object", "properties": {"x": {"type": "array", "items": [TEXT]}}},
            {
                "type": "object",
                "properties": {"x": {"type": "array", "items": {}, "prefixItems": [TEXT]}},
            },
        ),
        (
            {"type": "object", "properties": {"x": {"enum": [{"type": "array"}], **TEXT}}},
            {"type": "object", "properties": {"x": {"enum": [{"type": "array"}], **TEXT}}},
        ),
        (
            {
                "type": "object",
                "properties": {"a": TEXT},
                "anyOf": [{"required": ["a", "b"], "properties": {"b": TEXT}}, {"required": ["a"]}],
            },
            {"type": "object", "properties": {"a": TEXT, "b": TEXT}, "required": ["a"]},
        ),
        (
            {"type": "object", "allOf": [{"required": ["a"]}, {"$ref": "#/$defs/B"}]}
            | {"$defs": {"B": {"properties": {"a": TEXT}, "required": ["b", 5]}}},
            {"$defs": {"B": {"properties": {"a": TEXT}, "required": ["b", 5]}}}
            | {"type": "object", "properties": {"a": TEXT}, "required": ["a", "b"]},
        ),
        (
            {"type": "object", "oneOf": [{"$ref": "#/nowhere"}, True], "not": {}, "enum": []},
            {"type": "object", "properties": {}},
        ),
        ({"type": "object", "anyOf": 5}, {"type": "object", "properties": {}}),
    ],
)
def test_only_what_is_refused_is_changed(schema, made):
    before = json.dumps(schema)
    assert parameters(schema) == made
    assert json.dumps(schema) == before
    (function,) = answer([tool("a", "b", schema)])["tools"]
    FUNCTION.validate(function)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "anyOf", "allOf", "items", "properties", "required", "$ref", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["anyOf", "properties", "required", "$defs", "x"]), JSON))
def test_whatever_the_schema_the_api_takes_the_function(schema):
    (function,) = answer([tool("a", "b", {"type": "object", **schema})])["tools"]
    FUNCTION.validate(function)
