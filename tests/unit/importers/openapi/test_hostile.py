"""Documents of strangers who mean harm, and of those who were careless (T1, T5, T7, T8, T10)."""

import time
from typing import Any

import msgspec
import pytest

from gateway.importers.base import ImportFailed
from tests.unit.importers.openapi.documents import (
    document,
    imported,
    loads,
    operation,
    query,
    sent,
    skips,
    tool,
    tree,
)

TEMPLATES = ["{{ secrets.token }}", "{{ args.x }}", "{% for a in b %}", "{# x #}", "${HOME}", "{{"]
STRING = {"type": "string"}
BROKEN: list[Any] = [None, 5, "x", True, [], {}, [None], {"x": None}, {"$ref": "#/nowhere"}]


@pytest.mark.parametrize("text", TEMPLATES)
def test_foreign_text_is_never_a_template(text: str) -> None:
    parameters = [
        {"name": "q", "in": "query", "description": text, "schema": {**STRING, "enum": [text]}},
        {"name": text, "in": "query", "schema": STRING},
        {"name": "d", "in": "query", "schema": {**STRING, "default": text}},
        {"name": text, "in": "header", "schema": STRING},
        {"name": "c", "in": "query", "required": True, "schema": {"enum": [text]}},
    ]
    media = {"schema": {"type": "object", "properties": {text: STRING}}, "example": {text: text}}
    body = {"content": {"application/json": media, text: media}, "description": text}
    op = operation(parameters, requestBody=body, summary=text, tags=[text], description=text)
    schemes = {"k": {"type": "apiKey", "in": "query", "name": text}}
    whole = document(
        {"/x": {"post": op}},
        info={"title": text, "description": text, "version": text},
        security=[{"k": []}],
        components={"securitySchemes": schemes},
        externalDocs={"url": f"https://x/{text}"},
    )
    for draft in imported(whole).drafts:
        found = loads(draft.text)
        for compiled in found.tools.values():
            assert "{{" not in compiled.tool.tool.definition["description"]
            args = (
                {"c": text}
                if "c" in compiled.tool.tool.definition["inputSchema"]["properties"]
                else {}
            )
            url = compiled.template.render(compiled.tool.prepare(args)).url
            assert url.startswith("https://pets.example/v1/x")
            assert "secrets" not in found.secrets


@pytest.mark.parametrize("path", ["/{{ secrets.x }}", "/a/{{x}}", "/{% if", "/x\n", "/../x", "/}"])
def test_a_path_that_is_none_skips_its_operation_alone(path: str) -> None:
    whole = document({path: {"get": operation()}, "/ok": {"get": operation()}})
    assert tool(whole)["get"] == "/ok"
    assert len(skips(whole)) == 1


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_node_costs_only_itself(broken: Any) -> None:
    good = {"get": operation([{"name": "q", "in": "query", "schema": STRING}])}
    parameters: list[Any] = [broken, {"name": "q", "in": "query", "schema": broken}]
    bodies = [broken, {"content": broken}, {"content": {"application/json": broken}}]
    paths: dict[str, Any] = {
        "/a": good,
        "/b": broken,
        "/c": {"get": broken, "parameters": broken},
        "/d": {"get": operation(parameters, responses=broken, tags=broken, security=broken)},
        **{f"/e{n}": {"post": operation(requestBody=body)} for n, body in enumerate(bodies)},
        "/f": {
            "post": operation(
                requestBody={
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": broken,
                                "properties": broken,
                                "required": broken,
                                "allOf": broken,
                                "enum": broken,
                                "items": broken,
                                "minimum": broken,
                                "pattern": broken,
                            }
                        }
                    }
                }
            )
        },
    }
    whole = document(
        paths, info=broken, servers=broken, components=broken, tags=broken, security=broken
    )
    names = {name for draft in imported(whole).drafts for name in draft.tools}
    assert "get_a" in names
    assert "get_d" in names


def test_schemas_that_hold_themselves_are_cut() -> None:
    schemas = {
        "A": {"type": "object", "properties": {"b": {"$ref": "#/components/schemas/B"}}},
        "B": {"allOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}]},
        "C": {"$ref": "#/components/schemas/D"},
        "D": {"$ref": "#/components/schemas/C"},
        "E": {"type": "array", "items": {"$ref": "#/components/schemas/E"}},
        "F": {"oneOf": [{"$ref": "#/components/schemas/F"}, STRING]},
    }
    for name in schemas:
        media = {"schema": {"$ref": f"#/components/schemas/{name}"}}
        body = {"content": {"application/json": media}}
        whole = document(
            {"/x": {"post": operation(requestBody=body)}}, components={"schemas": schemas}
        )
        assert tool(whole)["post"] == "/x"


def test_references_that_multiply_are_cut_to_size() -> None:
    schemas: dict[str, Any] = {"S0": STRING}
    for level in range(1, 40):
        ref = {"$ref": f"#/components/schemas/S{level - 1}"}
        schemas[f"S{level}"] = {"type": "object", "properties": dict.fromkeys("abcdefghij", ref)}
        schemas[f"M{level}"] = {"allOf": [{"$ref": f"#/components/schemas/M{level - 1}"}] * 10}
    for name in ("S39", "M39"):
        media = {"schema": {"$ref": f"#/components/schemas/{name}"}}
        body = {"content": {"application/json": media}}
        whole = document(
            {"/x": {"post": operation(requestBody=body)}}, components={"schemas": schemas}
        )
        started = time.monotonic()
        assert len(msgspec.json.encode(tool(whole))) < 10_000
        assert time.monotonic() - started < 3


def test_a_document_of_any_depth_or_size_is_refused_or_read() -> None:
    for data in (b"[" * 100_000, b'{"a":' * 100_000, b"- " * 50_000, b"{a: " * 5_000):
        with pytest.raises(ImportFailed):
            imported(data)
    bomb = b"a: &a [x,x,x,x,x,x,x,x,x,x]\n" + b"".join(
        b"%c: &%c [%s]\n" % (97 + n, 97 + n, b",".join([b"*%c" % (96 + n)] * 10))
        for n in range(1, 12)
    )
    with pytest.raises(ImportFailed, match="values"):
        imported(bomb)
    with pytest.raises(ImportFailed, match="MiB"):
        imported(b" " * (64 * 2**20 + 1))


@pytest.mark.parametrize(
    "data",
    [b"", b"5", b"[]", b"\x00\x01", b"{}", b"openapi: 4\n", b'{"swagger": "1.2"}', b"a: b: c"],
)
def test_what_is_no_openapi_document_is_told_so(data: bytes) -> None:
    with pytest.raises(ImportFailed, match=r"pets\.json"):
        imported(data)


def test_tags_of_yaml_do_nothing() -> None:
    text = b"""
openapi: 3.0.0
info: !!python/object/apply:os.system ["echo x"]
x: !!python/name:os.system ''
paths: {/a: {get: {operationId: !!python/object/new:x go, responses: {}}}}
"""
    assert list(tree(text)["tools"]) == ["go"]


def test_names_without_letters_and_twice_the_same_are_names() -> None:
    ids = ["", "\x00", "猫", "a", "a", "A", "1", "x" * 400, "x" * 401, "get", "..."]
    paths = {f"/p{n}": {"get": operation() | {"operationId": each}} for n, each in enumerate(ids)}
    names = [name for draft in imported(document(paths)).drafts for name in draft.tools]
    assert len(set(names)) == len(ids)
    assert all(name.replace("_", "").isalnum() and len(f"pets_{name}") <= 64 for name in names)


def test_a_pattern_that_runs_for_ever_is_left_out() -> None:
    slow = r"^(a+)+(?=b)\1$"
    parameter = {"name": "q", "in": "query", "schema": {**STRING, "pattern": slow}}
    whole = document({"/x": {"get": operation([parameter])}})
    assert tool(whole)["args"]["q"] == STRING
    assert query(whole, {"q": "aaaa"}) == "q=aaaa"


@pytest.mark.parametrize(
    "url",
    ["javascript:x", "https://a@b/", "https://${HOME}/", "file:///x", "https://h/{{ x }}", "//"],
)
def test_a_server_that_is_no_address_is_replaced_and_told(url: str) -> None:
    whole = document({"/x": {"get": operation()}}, servers=[{"url": url}])
    base = tree(whole)["base_url"]
    assert sent(whole, {}).url.startswith(("https://pets.invalid", "https://b/"))
    assert "HOME" not in base


@pytest.mark.parametrize("number", ["1" * 400, "1e999", "-1e999", "1" * 5000, "1e-999", "NaN"])
def test_numbers_that_no_file_holds_cost_only_themselves(number: str) -> None:
    schema = f'{{"enum": [{number}, 1], "default": {number}, "minimum": {number}}}'
    media = f'{{"schema": {{"properties": {{"a": {schema}}}}}, "example": {{"a": {number}}}}}'
    parameter = f'{{"name": "q", "in": "query", "schema": {schema}, "example": {number}}}'
    body = f'{{"content": {{"application/json": {media}}}}}'
    post = f'{{"parameters": [{parameter}], "requestBody": {body}}}'
    text = f'{{"openapi": "3.0.0", "paths": {{"/x": {{"post": {post}}}}}}}'
    assert set(tool(text.encode())["args"]) == {"q", "a"}
