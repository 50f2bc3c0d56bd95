"""Bodies of every kind become arguments, and are sent as the document says."""

import base64
from typing import Any

import msgspec
import pytest

from tests.unit.importers.openapi.documents import (
    document,
    notes,
    operation,
    sent,
    skips,
    swagger,
    tool,
)

PET = {
    "type": "object",
    "required": ["name", "id"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "name": {"type": "string"},
        "tag": {"type": "string", "nullable": True},
    },
}
STRING = {"type": "string"}


def post(kind: str, schema: Any, *, method: str = "post", **more: Any) -> dict[str, Any]:
    body = {"required": True, "content": {kind: {"schema": schema, **more}}}
    return document({"/pets": {method: operation(requestBody=body)}})


def test_members_of_a_json_object_are_arguments_without_what_only_the_api_sets() -> None:
    whole = post("application/json", PET)
    assert tool(whole)["args"] == {
        "name": {"type": "string", "required": True},
        "tag": {"type": ["string", "null"]},
    }
    assert sent(whole, {"name": "Rex"}).body == b'{"name":"Rex"}'
    assert sent(whole, {"name": "Rex", "tag": None}).body == b'{"name":"Rex","tag":null}'


def test_members_beside_a_path_are_the_rest() -> None:
    body = {"content": {"application/json": {"schema": PET}}}
    whole = document({"/{owner}/pets": {"post": operation(requestBody=body)}})
    request = sent(whole, {"owner": "me", "name": "Rex"})
    assert request.url.endswith("/me/pets")
    assert request.body == b'{"name":"Rex"}'


def test_a_member_with_the_name_of_a_parameter_makes_the_body_one_argument() -> None:
    body = {"content": {"application/json": {"schema": PET}}, "required": True}
    whole = document({"/pets/{name}": {"put": operation(requestBody=body)}})
    assert sent(whole, {"name": "a", "body": {"name": "b"}}).body == b'{"name":"b"}'
    assert "the body is one argument: its members have names of other parameters" in notes(whole)


def test_members_of_awkward_names_are_sent_by_their_own() -> None:
    schema = {"type": "object", "properties": {"@type": STRING, "a b": STRING, "in": STRING}}
    whole = post("application/json", schema)
    assert sent(whole, {"type": "x", "a_b": "y", "in": "z"}).body == (
        b'{"@type":"x","a b":"y","in":"z"}'
    )


@pytest.mark.parametrize(
    "schema", [{"type": "array", "items": STRING}, STRING, {}, {"oneOf": [PET]}]
)
def test_what_is_no_object_of_known_members_is_one_argument(schema: Any) -> None:
    assert list(tool(post("application/json", schema))["args"]) == ["body"]


def test_parts_of_allof_are_one_object() -> None:
    schema = {"allOf": [PET, {"properties": {"age": {"type": "integer"}}, "required": ["age"]}]}
    args = tool(post("application/json", schema))["args"]
    assert [name for name in args if args[name].get("required")] == ["name", "age"]


def test_an_update_sends_no_default_that_nobody_gave() -> None:
    schema = {"type": "object", "properties": {"private": {"type": "boolean", "default": False}}}
    assert sent(post("application/json", schema), {}).body == b'{"private":false}'
    assert sent(post("application/json", schema, method="patch"), {}).body == b"{}"


def test_a_json_type_of_its_own_is_told() -> None:
    headers = dict(sent(post("application/vnd.api+json", PET), {"name": "x"}).headers)
    assert headers["Content-Type"] == "application/vnd.api+json"


def test_a_form_has_the_styles_of_the_document() -> None:
    fields = {
        "a": {"type": "array", "items": STRING},
        "b": {"type": "array", "items": STRING},
        "c": {"type": "object", "properties": {"d": STRING}},
        "e": {"type": "object", "properties": {"f": STRING}},
    }
    encoding = {"b": {"explode": False}, "c": {"style": "deepObject", "explode": True}}
    kind = "application/x-www-form-urlencoded"
    whole = post(kind, {"type": "object", "properties": fields}, encoding=encoding)
    args = {"a": ["1", "2"], "b": ["1", "2"], "c": {"d": "3"}, "e": {"f": "4"}}
    assert sent(whole, args).body == b"a=1&a=2&b=1%2C2&c%5Bd%5D=3&e=%7B%22f%22%3A%224%22%7D"


def test_files_of_a_multipart_body_are_base64() -> None:
    schema = {"type": "object", "properties": {"file": {**STRING, "format": "binary"}, "n": STRING}}
    whole = post("multipart/form-data", schema)
    assert tool(whole)["args"]["file"] == {"type": "string", "contentEncoding": "base64"}
    body = sent(whole, {"file": base64.b64encode(b"\x00\xff").decode(), "n": "x"}).body
    assert body is not None
    assert b"\x00\xff" in body
    assert b'name="n"' in body


def test_a_form_of_2_0_with_a_file_is_multipart_and_without_one_is_a_form() -> None:
    field = {"name": "n", "in": "formData", "type": "string", "required": True}
    file = {"name": "f", "in": "formData", "type": "file"}
    assert "form" in tool(swagger({"/x": {"post": operation([field])}}))
    assert "multipart" in tool(swagger({"/x": {"post": operation([field, file])}}))


def test_text_xml_and_bytes_are_one_argument() -> None:
    for kind, key in [("text/plain", "text"), ("application/xml", "text"), ("image/png", "bytes")]:
        whole = post(kind, STRING)
        assert key in tool(whole)
        request = sent(whole, {"body": "PGE+" if key == "bytes" else "<a>"})
        assert request.body in (b"<a>", b"<a>")
        assert dict(request.headers)["Content-Type"].startswith(kind)


def test_of_several_content_types_json_is_sent_and_the_others_are_told() -> None:
    content = {"application/xml": {"schema": PET}, "application/json": {"schema": PET}}
    whole = document({"/x": {"post": operation(requestBody={"content": content})}})
    assert "json" in tool(whole)
    assert notes(whole) == ["the body may also be xml: json is sent"]


def test_a_body_that_a_get_must_have_skips_it_and_one_that_it_may_have_does_not() -> None:
    body = {"content": {"application/json": {"schema": PET}}}
    whole = document({"/a": {"get": operation(requestBody={**body, "required": True})}})
    assert skips(whole) == [("GET /a", "a body with GET")]
    assert "json" not in tool(document({"/a": {"get": operation(requestBody=body)}}))


def test_examples_of_the_document_are_examples_of_the_tool() -> None:
    body = {"content": {"application/json": {"schema": PET, "example": {"name": "Rex", "id": 3}}}}
    answer = {"content": {"application/json": {"example": {"id": 3}}}}
    whole = document({"/x": {"post": operation(requestBody=body, responses={"201": answer})}})
    assert tool(whole)["examples"] == [
        {"args": {"name": "Rex"}, "reply": {"status": 201, "json": {"id": 3}}}
    ]


def test_an_example_that_does_not_hold_is_left_out() -> None:
    whole = post("application/json", PET, example={"name": 5})
    assert "examples" not in tool(whole)


def test_an_answer_that_is_always_a_file_is_read_as_one() -> None:
    def answer(*kinds: str) -> Any:
        content = {kind: {} for kind in kinds}
        return tool(document({"/x": {"get": operation(responses={"200": {"content": content}})}}))

    assert answer("image/png")["response"] == {"as": "binary"}
    assert answer("text/csv")["response"] == {"as": "text"}
    assert "response" not in answer("image/png", "application/json")


def test_a_large_body_keeps_a_definition_of_sensible_size() -> None:
    def nested(depth: int) -> Any:
        inner = nested(depth - 1) if depth else STRING
        return {"type": "object", "properties": {f"p{n}": inner for n in range(4)}}

    found = tool(post("application/json", nested(6)))
    assert len(msgspec.json.encode(found["args"])) < 7_000
    assert list(found["args"]) == ["p0", "p1", "p2", "p3"]


def test_parts_that_nobody_described_are_not_what_is_sent() -> None:
    file = {"schema": {"type": "string", "format": "binary"}}
    content = {"multipart/form-data": file, "application/octet-stream": file}
    whole = document({"/x": {"post": operation(requestBody={"content": content})}})
    assert sent(whole, {"body": "AP8="}).body == b"\x00\xff"
    del content["application/octet-stream"]
    assert skips(document({"/x": {"post": operation(requestBody={"content": content})}})) == [
        ("POST /x", "the parts of its multipart body are not described")
    ]


def test_a_form_of_several_alternatives_has_the_members_of_them_all() -> None:
    def choice(name: str) -> Any:
        members = {"kind": STRING, name: STRING}
        return {"type": "object", "required": ["kind", name], "properties": members}

    schema = {"oneOf": [choice("password"), choice("refresh_token")]}
    args = tool(post("application/x-www-form-urlencoded", schema))["args"]
    assert {name: arg.get("required", False) for name, arg in args.items()} == {
        "kind": True,
        "password": False,
        "refresh_token": False,
    }


def test_lists_of_a_deep_object_are_indexed() -> None:
    items = {"type": "array", "items": {"type": "object", "properties": {"price": STRING}}}
    schema = {"type": "object", "properties": {"items": items}}
    deep = {"items": {"style": "deepObject", "explode": True}}
    whole = post("application/x-www-form-urlencoded", schema, encoding=deep)
    assert sent(whole, {"items": [{"price": "a"}]}).body == b"items%5B0%5D%5Bprice%5D=a"
