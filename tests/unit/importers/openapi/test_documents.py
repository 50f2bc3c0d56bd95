"""Documents as a whole: versions, references, servers, credentials, files and names."""

from pathlib import Path
from typing import Any

import pytest

from gateway.importers.base import Imported
from gateway.importers.openapi import Options, Source, import_openapi
from tests.unit.importers.openapi.documents import (
    document,
    imported,
    loads,
    notes,
    operation,
    sent,
    skips,
    swagger,
    tool,
    tree,
)

STRING = {"type": "string"}
KEY = {"type": "apiKey", "in": "header", "name": "X-Api-Key"}


def secured(schemes: dict[str, Any], *requirements: Any, **paths: Any) -> dict[str, Any]:
    found = {"/x": {"get": operation()}} | paths
    return document(found, security=list(requirements), components={"securitySchemes": schemes})


@pytest.mark.parametrize("version", ["3.0.0", "3.0.4", "3.1.0", "3.2.0", 3.0])
def test_every_version_of_3_is_read(version: object) -> None:
    assert tool(document({"/x": {"get": operation()}}) | {"openapi": version})["get"] == "/x"


def test_schemas_of_3_1_are_read() -> None:
    schema = {"type": ["integer", "null"], "exclusiveMinimum": 3, "const": 5}
    whole = document({"/x": {"get": operation([{"name": "a", "in": "query", "schema": schema}])}})
    assert tool(whole | {"openapi": "3.1.0"})["args"] == {"a": schema}


def test_schemas_of_3_0_are_said_as_json_schema_says_them() -> None:
    schema = {"type": "integer", "nullable": True, "minimum": 3, "exclusiveMinimum": True}
    whole = document({"/x": {"get": operation([{"name": "a", "in": "query", "schema": schema}])}})
    assert tool(whole)["args"] == {"a": {"type": ["integer", "null"], "exclusiveMinimum": 3}}


def test_what_must_be_there_stays_required_at_every_depth() -> None:
    inner = {"type": "object", "required": ["b"], "properties": {"b": STRING, "c": STRING}}
    outer = {"type": "object", "required": ["a"], "properties": {"a": inner}}
    body = {"required": True, "content": {"application/json": {"schema": outer}}}
    args = tool(document({"/x": {"post": operation(requestBody=body)}}))["args"]
    assert args["a"]["required"] is True
    assert args["a"]["properties"]["b"]["required"] is True
    assert "required" not in args["a"]["properties"]["c"]


def test_alternatives_of_which_nothing_is_left_out_exclude_each_other() -> None:
    schema = {"oneOf": [{"required": ["url"]}, {"required": ["html"]}]}
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    args = tool(document({"/x": {"post": operation(requestBody=body)}}))["args"]
    assert args["body"]["oneOf"] == [{"required": ["url"]}, {"required": ["html"]}]


def test_alternatives_that_nothing_sets_apart_exclude_nothing() -> None:
    """Both would always hold, and the tool could never be called."""
    kind = {"type": "string", "enum": ["start", "stop"]}
    plain = {"type": "object", "properties": {"kind": kind}, "required": ["kind"]}
    named = {**plain, "properties": {"kind": kind, "name": STRING}}
    schema = {"oneOf": [plain, named]}
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    args = tool(document({"/x": {"post": operation(requestBody=body)}}))["args"]
    assert "oneOf" not in args["body"]
    assert len(args["body"]["anyOf"]) == 2
    schema["oneOf"][1] = {**named, "required": ["kind", "name"]}
    args = tool(document({"/x": {"post": operation(requestBody=body)}}))["args"]
    assert len(args["body"]["oneOf"]) == 2


def test_values_that_are_too_many_are_not_listed_and_that_is_told() -> None:
    many = {"type": "string", "enum": [f"value number {number}" for number in range(300)]}
    whole = document({"/x": {"get": operation([{"name": "a", "in": "query", "schema": many}])}})
    assert tool(whole)["args"] == {"a": {"type": "string"}}
    assert notes(whole) == ["values that are too many, or of another type, are not listed"]


def test_yaml_of_other_people_is_read() -> None:
    text = b"""
swagger: '2.0'
info: {title: Pets, version: 2024-01-01}
host: pets.example
paths:
\t/x:
    get:
      operationId: go
      parameters:
      - {name: on, in: query, type: string, enum: [yes, no, off], default: yes}
      responses:
        200: {description: ok}
        200: {description: twice}
"""
    found = tree(text.replace(b"\t", b"  "))
    assert found["version"] == "2024-01-01"
    assert found["tools"]["go"]["args"]["on"]["enum"] == ["yes", "no", "off"]


def test_references_are_followed_into_files_below_the_folder_and_no_further(tmp_path: Path) -> None:
    folder = tmp_path / "api"
    (folder / "parts").mkdir(parents=True)
    (tmp_path / "secret.yaml").write_text("type: string\nenum: [top secret]\n")
    (folder / "paths.yaml").write_text(
        "x:\n  get:\n    operationId: go\n    parameters:\n    - $ref: parts/p.json#/a~1b\n"
    )
    (folder / "parts" / "p.json").write_text(
        '{"a/b": {"name": "a", "in": "query", "schema": {"$ref": "s.yaml"}}}'
    )
    (folder / "parts" / "s.yaml").write_text(
        "properties:\n  self: {$ref: '#/properties/n'}\n  n: {type: integer}\n"
        "  out: {$ref: ../../secret.yaml}\n  far: {$ref: 'https://x.example/y.yaml'}\n"
    )
    whole = b"openapi: 3.0.0\nservers: [{url: 'https://h'}]\npaths: {/x: {$ref: 'paths.yaml#/x'}}"
    found = import_openapi(Source(whole, "openapi.yaml", folder))
    (draft,) = found.drafts
    assert "self: {type: integer}" in draft.text
    assert "top secret" not in draft.text
    alone = import_openapi(Source(whole, "openapi.yaml"))
    assert alone.drafts == ()
    assert [note.where for note in alone.skipped] == ["/x"]


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        ([{"url": "https://h/v1/"}, {"url": "https://other"}], "https://h/v1"),
        (
            [{"url": "https://{r}.h", "variables": {"r": {"default": "eu"}}}],
            "${PETS_URL:-https://eu.h}",
        ),
        ([{"url": "/v1"}], "${PETS_URL:-https://pets.invalid/v1}"),
        ([], "${PETS_URL:-https://pets.invalid}"),
        ([{"url": "https://bücher.example"}], "https://xn--bcher-kva.example"),
    ],
)
def test_the_first_server_is_the_base_url_which_the_operator_may_replace_if_it_is_not_certain(
    servers: Any, expected: str
) -> None:
    assert tree(document({"/x": {"get": operation()}}, servers=servers))["base_url"] == expected


def test_a_relative_server_is_relative_to_where_the_document_came_from() -> None:
    data = b"openapi: 3.0.0\nservers: [{url: ../v2}]\npaths: {/x: {get: {}}}"
    found = import_openapi(Source(data, "o.yaml", url="https://h/docs/o.yaml"))
    assert "base_url: https://h/v2\n" in found.drafts[0].text


def test_operations_of_another_server_stand_in_another_file() -> None:
    other = {"servers": [{"url": "https://files.example"}]}
    paths = {
        "/a": {"get": operation()},
        "/b": {"get": operation()},
        "/c": {"get": operation(), **other},
    }
    assert {draft.file: len(draft.tools) for draft in imported(document(paths)).drafts} == {
        "pets.yaml": 2,
        "pets_files.yaml": 1,
    }


@pytest.mark.parametrize(
    ("scheme", "auth", "secrets"),
    [
        (KEY, {"header": {"X-Api-Key": "{{ secrets.api_key }}"}}, {"api_key": "env:PETS_API_KEY"}),
        (
            {**KEY, "in": "query", "name": "key"},
            {"query": {"key": "{{ secrets.key }}"}},
            {"key": "env:PETS_KEY"},
        ),
        (
            {**KEY, "in": "cookie", "name": "sid"},
            {"header": {"Cookie": "sid={{ secrets.sid }}"}},
            {"sid": "env:PETS_SID"},
        ),
        (
            {"type": "http", "scheme": "Bearer"},
            {"bearer": "{{ secrets.token }}"},
            {"token": "env:PETS_TOKEN"},
        ),
        (
            {"type": "http", "scheme": "digest"},
            {
                "digest": {
                    "username": "{{ secrets.username }}",
                    "password": "{{ secrets.password }}",
                }
            },
            {"username": "env:PETS_USERNAME", "password": "env:PETS_PASSWORD"},
        ),
        (
            {"type": "openIdConnect", "openIdConnectUrl": "https://h"},
            {"bearer": "{{ secrets.token }}"},
            {"token": "env:PETS_TOKEN"},
        ),
    ],
)
def test_a_security_scheme_is_auth_and_its_credential_a_secret(
    scheme: Any, auth: Any, secrets: Any
) -> None:
    found = tree(secured({"s": scheme}, {"s": []}))
    assert (found["auth"], found["secrets"]) == (auth, secrets)


def test_client_credentials_are_oauth2_with_the_scopes_that_are_needed() -> None:
    flow = {"clientCredentials": {"tokenUrl": "https://auth.example/token", "scopes": {}}}
    other = {"get": operation(security=[{"s": ["write"]}])}
    found = tree(
        secured({"s": {"type": "oauth2", "flows": flow}}, {"s": ["read"]}, **{"/y": other})
    )
    assert found["auth"]["oauth2"] == {
        "grant": "client_credentials",
        "token_url": "https://auth.example/token",
        "client_id": "{{ secrets.client_id }}",
        "client_secret": "{{ secrets.client_secret }}",
        "scopes": ["read", "write"],
    }


def test_a_token_that_a_person_gets_comes_from_the_environment_and_is_told() -> None:
    flow = {"implicit": {"authorizationUrl": "https://h/a", "scopes": {}}}
    whole = secured({"s": {"type": "oauth2", "flows": flow}}, {"s": []})
    assert tree(whole)["auth"] == {"bearer": "{{ secrets.token }}"}
    assert notes(whole) == ["implicit: a person gets the token, which comes from the environment"]


def test_two_keys_of_one_requirement_are_sent_together() -> None:
    schemes = {"a": KEY, "b": {**KEY, "name": "X-App"}, "c": {**KEY, "in": "query", "name": "q"}}
    found = tree(secured(schemes, {"a": [], "b": [], "c": []}))
    assert set(found["auth"]["header"]) == {"X-Api-Key", "X-App"} or found["headers"]
    assert set(found["secrets"]) == {"api_key", "app", "q"}


def test_operations_that_prove_themselves_otherwise_stand_in_another_file() -> None:
    schemes = {"a": KEY, "b": {"type": "http", "scheme": "basic"}}
    paths = {
        "/b": {"get": operation(security=[{"b": []}])},
        "/free": {"get": operation(security=[])},
        "/either": {"get": operation(security=[{"b": []}, {"a": []}])},
        "/y": {"get": operation()},
    }
    found = imported(secured(schemes, {"a": []}, **paths)).drafts
    assert [(draft.file, len(draft.tools)) for draft in found] == [
        ("pets.yaml", 4),
        ("pets_basic.yaml", 1),
    ]
    assert all(loads(draft.text) for draft in found)


def test_what_auth_sets_is_no_argument() -> None:
    parameter = {"name": "x-api-key", "in": "header", "required": True, "schema": STRING}
    whole = secured({"a": KEY}, {"a": []}, **{"/x": {"get": operation([parameter])}})
    assert "args" not in tool(whole)


def given(name: str, place: str = "header", *, required: bool = True) -> dict[str, object]:
    return {"name": name, "in": place, "required": required, "schema": STRING}


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize(
    ("place", "name"),
    [
        *(("header", name) for name in ("xi-api-key", "X-ListenAPI-Key", "PRIVATE-TOKEN")),
        *(("query", name) for name in ("api_key", "apikey", "access_token")),
    ],
)
def test_a_key_among_the_parameters_is_auth_and_no_argument(
    place: str, name: str, *, required: bool
) -> None:
    paths = {"/x": {"get": operation([given(name, place, required=required)])}}
    found = tree(document({**paths, "/free": {"get": operation()}}))
    assert list(found["auth"][place]) == [name]
    assert [tool for tool in found["tools"].values() if "args" in tool] == []


@pytest.mark.parametrize("name", ["pageToken", "token", "key", "session_id", "X-Idempotency-Key"])
def test_what_only_resembles_a_key_stays_an_argument(name: str) -> None:
    found = tree(document({"/x": {"get": operation([given(name)])}}))
    assert "auth" not in found
    assert "args" in found["tools"]["op"]


def test_a_key_that_is_a_scheme_and_a_parameter_goes_with_the_others() -> None:
    schemes = {"a": {**KEY, "in": "query", "name": "key"}, "b": {**KEY, "in": "query", "name": "t"}}
    both = [given("key", "query"), given("t", "query")]
    security = [{"a": []}, {"b": []}]
    paths = {
        "/x": {"get": operation(both, security=security)},
        "/y": {"get": operation(both[::-1], security=security)},
    }
    found = tree(document(paths, components={"securitySchemes": schemes}))
    assert set(found["auth"]["query"]) == {"key", "t"}
    assert [tool for tool in found["tools"].values() if "args" in tool] == []


def choose(options: Options) -> Imported:
    paths = {
        "/pets": {"get": operation(tags=["pets"]) | {"operationId": "listPets"}},
        "/pets/{id}": {"get": operation(tags=["pets"]) | {"operationId": "getPet"}},
        "/users": {"get": operation(tags=["users"]) | {"operationId": "listUsers"}},
    }
    return imported(document(paths), options)


@pytest.mark.parametrize(
    ("options", "tools"),
    [
        (Options(), ["list_pets", "get_pet", "list_users"]),
        (Options(tags=("users",)), ["list_users"]),
        (Options(paths=("/pets*",)), ["list_pets", "get_pet"]),
        (Options(paths=("/pets*",), operations=("list*",)), ["list_pets"]),
        (Options(operations=("get*", "*Users")), ["get_pet", "list_users"]),
        (Options(tags=("none",)), []),
    ],
)
def test_only_what_is_asked_for_is_imported(options: Options, tools: list[str]) -> None:
    assert [name for draft in choose(options).drafts for name in draft.tools] == tools


def test_who_chose_nothing_is_told_what_there_is_to_choose() -> None:
    (note,) = choose(Options(tags=("Pet*",))).notes
    assert note.text == "no operation is chosen; its tags: pets, users"


def test_the_import_of_very_many_tools_says_how_to_take_a_part() -> None:
    paths = {
        f"/{number}": {"get": operation(tags=[f"t{number % 15}"]) | {"operationId": f"o{number}"}}
        for number in range(51)
    }
    (advice, *_) = imported(document(paths)).notes
    assert advice.text.startswith("51 tools are more than a model chooses well from: --tag")
    assert advice.text.endswith("t10, t11 and 3 more")
    chosen = imported(document(paths), Options(paths=("/*",))).notes
    assert [note.text for note in chosen if "51" in note.text] == []


def test_the_variables_to_set_are_told_and_whether_any_credential_is_known() -> None:
    (note,) = imported(secured({"a": KEY}, {"a": []})).notes
    assert note.text == "set PETS_API_KEY where the gateway is started"
    (note,) = imported(document({"/x": {"get": operation()}})).notes
    assert note.text == "the document names no credentials: add auth: if the API wants any"


def test_one_file_a_tag_if_asked_for() -> None:
    files = {draft.file: draft.tools for draft in choose(Options(split="tag")).drafts}
    assert files == {
        "pets_pets.yaml": ("list_pets", "get_pet"),
        "pets_users.yaml": ("list_users",),
    }


def test_name_and_base_url_can_be_given() -> None:
    (draft,) = choose(Options(name="zoo", base_url="https://zoo.example")).drafts
    assert draft.file == "zoo.yaml"
    assert "base_url: https://zoo.example\n" in draft.text


def test_methods_that_no_tool_has_are_told() -> None:
    paths = {"/x": {"get": operation(), "options": operation(), "trace": operation()}}
    assert skips(document(paths)) == [
        ("OPTIONS /x", "a tool cannot send OPTIONS"),
        ("TRACE /x", "a tool cannot send TRACE"),
    ]


def test_2_0_has_host_path_and_schemes() -> None:
    whole = swagger({"/x": {"get": operation()}}, schemes=["http"])
    assert sent(whole, {}).url == "http://pets.example/v1/x"


def test_deprecated_operations_say_so() -> None:
    whole = document({"/x": {"get": operation(deprecated=True, summary="List")}})
    assert tool(whole)["description"] == "List (deprecated)"


def test_files_of_one_api_share_the_variable_of_a_credential_and_no_other() -> None:
    schemes = {"a": KEY, "b": {**KEY, "in": "query"}}
    paths = {
        "/b": {"get": operation(security=[{"b": []}])},
        "/c": {"get": operation(servers=[{"url": "https://files.example"}])},
        "/y": {"get": operation()},
    }
    found = {
        draft.file: draft.text for draft in imported(secured(schemes, {"a": []}, **paths)).drafts
    }
    assert "env:PETS_API_KEY}" in found["pets.yaml"]
    assert "env:PETS_API_KEY}" in found["pets_files.yaml"]
    assert "env:PETS_QUERY_API_KEY}" in found["pets_query.yaml"]


def test_of_two_credentials_for_one_header_the_first_is_sent_and_that_is_told() -> None:
    schemes = {"a": {"type": "http", "scheme": "basic"}, "b": {"type": "http", "scheme": "bearer"}}
    whole = secured(schemes, {"a": [], "b": []})
    assert list(tree(whole)["auth"]) == ["basic"]
    assert notes(whole) == ["two of its credentials need one header: only the first is sent"]


def test_a_body_that_cannot_be_empty_must_be_given_even_if_the_document_forgot_to_say_so() -> None:
    schema = {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}
    body = {"content": {"application/json": {"schema": schema}}}
    assert tool(document({"/x": {"post": operation(requestBody=body)}}))["args"]["body"]["required"]
    body = {"content": {"application/json": {"schema": {"type": "object"}}}}
    free = tool(document({"/x": {"post": operation(requestBody=body)}}))["args"]["body"]
    assert "required" not in free
