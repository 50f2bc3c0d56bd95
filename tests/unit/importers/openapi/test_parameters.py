"""Parameters of every place and style are sent as the document says."""

from typing import Any

import pytest

from gateway.capability.expressions.values import Refused
from tests.unit.importers.openapi.documents import (
    document,
    notes,
    operation,
    query,
    sent,
    skips,
    swagger,
    tool,
)

LIST = {"type": "array", "items": {"type": "string"}}
OBJECT = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}


def in_query(name: str = "x", **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", **more}


def get(*parameters: Any, path: str = "/pets") -> dict[str, Any]:
    return document({path: {"get": operation(list(parameters))}})


@pytest.mark.parametrize(
    ("more", "value", "expected"),
    [
        ({"schema": {"type": "integer"}}, 7, "x=7"),
        ({"schema": {"type": "boolean"}}, True, "x=true"),
        ({"schema": LIST}, ["a", "b"], "x=a&x=b"),
        ({"schema": LIST, "explode": False}, ["a", "b"], "x=a%2Cb"),
        ({"schema": LIST, "style": "spaceDelimited"}, ["a", "b"], "x=a+b"),
        ({"schema": LIST, "style": "pipeDelimited", "explode": False}, ["a", "b"], "x=a%7Cb"),
        ({"schema": OBJECT, "style": "deepObject"}, {"a": "1", "b": 2}, "x%5Ba%5D=1&x%5Bb%5D=2"),
        ({"schema": OBJECT}, {"a": "1", "b": 2}, "a=1&b=2"),
        ({"schema": OBJECT}, {"b": 2}, "b=2"),
        (
            {"content": {"application/json": {"schema": OBJECT}}},
            {"a": "&"},
            "x=%7B%22a%22%3A%22%26%22%7D",
        ),
    ],
)
def test_a_query_has_the_style_of_the_document(more: Any, value: Any, expected: str) -> None:
    assert query(get(in_query(**more)), {"x": value}) == expected


@pytest.mark.parametrize(
    ("format_", "expected"),
    [
        ("csv", "x=a%2Cb"),
        ("ssv", "x=a+b"),
        ("tsv", "x=a%09b"),
        ("pipes", "x=a%7Cb"),
        ("multi", "x=a&x=b"),
    ],
)
def test_a_query_of_2_0_has_its_collection_format(format_: str, expected: str) -> None:
    parameter = in_query(type="array", items={"type": "string"}, collectionFormat=format_)
    whole = swagger({"/pets": {"get": operation([parameter])}})
    assert query(whole, {"x": ["a", "b"]}) == expected


@pytest.mark.parametrize("name", ["filter[name]", "$top", "a.b", "a b", "é", "x-y", "in", "1st"])
def test_any_name_is_sent_as_it_is_and_has_an_argument_of_a_plain_name(name: str) -> None:
    whole = get(in_query(name, schema={"type": "string"}))
    (argument,) = tool(whole)["args"]
    assert argument.replace("_", "").isalnum()
    assert list(tool(whole)["query"]) == [name]
    assert query(whole, {argument: "v"}).endswith("=v")


def test_parameters_of_one_name_in_two_places_are_two_arguments() -> None:
    whole = get(
        {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
        in_query("id", schema={"type": "string"}),
        {"name": "id", "in": "header", "schema": {"type": "string"}},
        path="/pets/{id}",
    )
    request = sent(whole, {"id": "1", "id_query": "2", "id_header": "3"})
    assert request.url == "https://pets.example/v1/pets/1?id=2"
    assert ("id", "3") in request.headers


@pytest.mark.parametrize(
    ("more", "value", "expected"),
    [
        ({"schema": {"type": "integer"}}, 7, "/pets/7"),
        ({"schema": LIST}, ["a", "b"], "/pets/a%2Cb"),
        ({"schema": {"type": "string"}, "style": "label"}, "a", "/pets/.a"),
        ({"schema": LIST, "style": "label", "explode": True}, ["a", "b"], "/pets/.a.b"),
        ({"schema": {"type": "string"}, "style": "matrix"}, "a", "/pets/;id=a"),
        ({"schema": {"type": "string"}}, "a/b?c", "/pets/a%2Fb%3Fc"),
    ],
)
def test_a_path_has_the_style_of_the_document(more: Any, value: Any, expected: str) -> None:
    whole = get({"name": "id", "in": "path", **more}, path="/pets/{id}")
    assert sent(whole, {"id": value}).url == f"https://pets.example/v1{expected}"


@pytest.mark.parametrize("value", ["..", "../admin", "%2e%2e", "..%2f..", "a\nb", ""])
def test_no_value_leaves_its_segment_of_the_path(value: str) -> None:
    whole = get({"name": "id", "in": "path", "schema": {"type": "string"}}, path="/pets/{id}")
    with pytest.raises(Refused):
        sent(whole, {"id": value})


def test_a_hole_that_nobody_declares_is_a_text() -> None:
    assert sent(get(path="/pets/{id}"), {"id": "a"}).url.endswith("/pets/a")
    assert "not declared" in notes(get(path="/pets/{id}"))[0]


def test_headers_and_cookies_are_sent() -> None:
    whole = get(
        {"name": "X-Rate", "in": "header", "schema": LIST},
        {"name": "sid", "in": "cookie", "required": True, "schema": {"type": "string"}},
    )
    headers = dict(sent(whole, {"X_Rate": ["a", "b"], "sid": "x; admin=1"}).headers)
    assert headers["X-Rate"] == "a,b"
    assert headers["Cookie"] == "sid=x%3B%20admin%3D1"


@pytest.mark.parametrize("name", ["Accept", "content-type", "Content-Length", "Host"])
def test_a_header_that_is_not_for_parameters_is_no_argument(name: str) -> None:
    whole = get({"name": name, "in": "header", "required": True, "schema": {"type": "string"}})
    assert "args" not in tool(whole)


def test_what_has_one_value_only_is_no_argument() -> None:
    whole = get(in_query("v", required=True, schema={"type": "string", "enum": ["2"]}))
    assert "args" not in tool(whole)
    assert query(whole, {}) == "v=2"


def test_what_cannot_be_sent_is_left_out_alone_or_takes_the_operation_with_it() -> None:
    free = in_query(schema={"type": "object"})
    assert notes(get(free)) == [
        "the optional query parameter is left out: an object in this style has no place in a query"
    ]
    whole = document(
        {"/a": {"get": operation([{**free, "required": True}])}, "/b": {"get": operation()}}
    )
    assert skips(whole) == [("GET /a", "an object in this style has no place in a query")]
    assert tool(whole)["get"] == "/b"


def test_parameters_of_the_path_count_unless_the_operation_replaces_them() -> None:
    item = {
        "parameters": [in_query("a", schema={"type": "string"}), in_query("b", schema={})],
        "get": operation([in_query("a", schema={"type": "integer"}, required=True)]),
    }
    args = tool(document({"/x": item}))["args"]
    assert args["a"] == {"type": "integer", "required": True}
    assert args["b"] == {"type": "string"}


def test_a_query_inside_the_path_is_a_query() -> None:
    whole = get(in_query("n", schema={"type": "integer"}), path="/?Action=List&Version=2#List")
    assert query(whole, {"n": 1}) == "Action=List&Version=2&n=1"


def test_defaults_are_kept_where_they_fit() -> None:
    good = in_query("a", schema={"type": "integer", "default": 5})
    bad = in_query("b", schema={"type": "integer", "default": "many"})
    assert tool(get(good, bad))["args"] == {
        "a": {"type": "integer", "default": 5},
        "b": {"type": "integer"},
    }
