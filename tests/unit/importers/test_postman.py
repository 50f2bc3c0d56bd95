"""Postman collections become capability files: each through the loader, to the request itself."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.capability.examples.checking import check
from gateway.capability.load import Loaded, load
from gateway.credentials.redact import Redactor
from gateway.http.message import HttpRequest
from gateway.importers.base import Imported, ImportFailed
from gateway.importers.checking import environment
from gateway.importers.postman.importing import import_postman

BASE = {"key": "base", "value": "https://api.shop.example/v1"}


def imported(*items: Any, **top: Any) -> Imported:
    tree = {"info": {"name": "Shop API"}, "variable": [BASE], "item": list(items), **top}
    return import_postman(json.dumps(tree).encode(), "shop.json")


def item(name: str = "Call it", **request: Any) -> dict[str, Any]:
    return {"name": name, "request": {"method": "GET", "url": "{{base}}/x", **request}}


def loaded(found: Imported) -> Loaded:
    (draft,) = found.drafts
    made = load(
        draft.text.encode(), draft.file, environ=environment(draft.text), redactor=Redactor()
    )
    assert made.capability is not None, made.issues
    assert check(made) == ()
    return made


def sent(found: Imported, /, **args: Any) -> HttpRequest:
    capability = loaded(found).capability
    assert capability is not None
    (tool,) = capability.tools.values()
    return tool.request(tool.prepare(args))


def api_key(**values: str) -> dict[str, Any]:
    pairs = [{"key": key, "value": value} for key, value in values.items()]
    return {"type": "apikey", "apikey": pairs}


def raw(body: str, language: str = "json") -> dict[str, Any]:
    return {"mode": "raw", "raw": body, "options": {"raw": {"language": language}}}


def test_folders_are_tags_and_names_are_readable():
    folder = {"name": "Items", "item": [item("List Items"), item("Get item")]}
    found = imported({"name": "All", "item": [folder]})
    (draft,) = found.drafts
    assert draft.file == "shop.yaml"
    assert draft.tools == ("list_items", "get_item")
    assert "tags: [All, Items]" in draft.text
    assert set(draft.tokens) == {"list_items", "get_item"}


def test_path_variables_and_query_parameters_are_arguments():
    url = {
        "raw": "{{base}}/items/:id/parts?page=1&q=",
        "query": [
            {"key": "page", "value": "1", "description": "Which page"},
            {"key": "q", "value": "x", "disabled": True},
        ],
        "variable": [{"key": "id", "value": "42", "description": {"content": "Of the item"}}],
    }
    found = imported(item(url=url))
    assert sent(found, id="a/b").url == "https://api.shop.example/v1/items/a%2Fb/parts?page=1"
    assert sent(found, id="1", page="2", q="&").url.endswith("/items/1/parts?page=2&q=%26")
    assert "description: Of the item" in found.drafts[0].text


def test_v2_0_has_its_auth_as_a_mapping_and_its_headers_as_text():
    request = {
        "auth": {"type": "basic", "basic": {"username": "ann", "password": "pw-123456"}},
        "header": "X-A: b\nAuthorization: Basic abc\n",
        "url": "https://api.shop.example/x?a=1",
    }
    found = imported(item(**request))
    (draft,) = found.drafts
    assert "auth: {basic: {username: ann, password:" in draft.text
    assert "pw-123456" not in draft.text
    names = [name.lower() for name, _ in sent(found).headers]
    assert ("X-A", "b") in sent(found).headers
    assert "authorization" not in names


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        ({"type": "bearer", "bearer": [{"key": "token", "value": "{{myToken}}"}]},
         'auth: {bearer: "{{ secrets.my_token }}"}'),
        (api_key(key="X-Key", value="v-1"),
         'auth: {header: {X-Key: "{{ secrets.shop_api_key }}"}}'),
        (api_key(**{"key": "k", "in": "query"}),
         'auth: {query: {k: "{{ secrets.shop_api_key }}"}}'),
        ({"type": "oauth2", "oauth2": [{"key": "accessToken", "value": "t-1"}]},
         'auth: {bearer: "{{ secrets.shop_access_token }}"}'),
    ],
)  # fmt: skip
def test_credentials_become_secrets(auth: dict[str, Any], expected: str):
    found = imported(item(), auth=auth)
    loaded(found)
    assert expected in found.drafts[0].text
    assert "v-1" not in found.drafts[0].text
    assert "t-1" not in found.drafts[0].text


def test_a_grant_without_a_person_is_kept():
    values = {
        "grant_type": "client_credentials",
        "accessTokenUrl": "https://a.example/token",
        "clientId": "me",
        "clientSecret": "cs-123456",
        "scope": "read write",
    }
    pairs = [{"key": key, "value": value} for key, value in values.items()]
    found = imported(item(auth={"type": "oauth2", "oauth2": pairs}))
    loaded(found)
    text = found.drafts[0].text
    assert "grant: client_credentials" in text
    assert "scopes: [read, write]" in text
    assert "cs-123456" not in text


def test_what_a_folder_is_authorized_by_its_requests_are():
    bearer = {"type": "bearer", "bearer": [{"key": "token", "value": "{{t}}"}]}
    folder = {
        "name": "A",
        "auth": bearer,
        "item": [item("one"), item("two", auth={"type": "noauth"})],
    }
    found = imported(folder)
    assert [draft.tools for draft in found.drafts] == [("one",), ("two",)]
    assert "auth:" not in found.drafts[1].text


def test_keys_of_a_json_body_are_arguments_of_their_types():
    body = raw('{"name": "Chair", "n": 5, "tags": ["a"], "at": "{{base}}", "of": {{count}}}')
    found = imported(item(method="POST", body=body))
    request = sent(found, name="x", n=7, tags=[], count=[1])
    assert json.loads(request.body or b"") == {
        "name": "x",
        "n": 7,
        "tags": [],
        "at": "https://api.shop.example/v1",
        "of": [1],
    }
    assert json.loads(sent(found).body or b"") == {"at": "https://api.shop.example/v1"}


def test_forms_files_graphql_and_other_bodies_come_over():
    fields = [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]
    found = imported(item(method="POST", body={"mode": "urlencoded", "urlencoded": fields}))
    assert sent(found, a="x", a_2="y").body == b"a=x&a=y"
    fields = [{"key": "pic", "type": "file", "src": "/home/me/pic.png"}]
    found = imported(item(method="POST", body={"mode": "formdata", "formdata": fields}))
    assert b'filename="pic.png"' in (sent(found, pic="aGk=").body or b"")
    assert "/home/me" not in found.drafts[0].text
    graphql = {"query": "query($n: Int) { a }", "variables": '{"n": 5}'}
    found = imported(item(method="POST", body={"mode": "graphql", "graphql": graphql}))
    assert json.loads(sent(found, n=2).body or b"")["variables"] == {"n": 2}
    found = imported(item(method="PUT", body=raw("<a/>", "xml")))
    request = sent(found, body="<b/>")
    assert request.body == b"<b/>"
    assert ("Content-Type", "application/xml") in request.headers
    found = imported(item(method="PUT", body={"mode": "file", "file": {"src": "x"}}))
    assert sent(found, file="aGk=").body == b"hi"


def test_a_saved_answer_is_an_example():
    saved = {
        **item(url={"raw": "{{base}}/i/:id", "variable": [{"key": "id", "value": "42"}]}),
        "response": [{"code": 404, "body": "{}"}, {"code": 201, "body": '{"id": 42}'}],
    }
    text = imported(saved).drafts[0].text
    assert '{args: {id: "42"}, reply: {status: 201, json: {id: 42}}}' in text


def test_variables_with_a_value_are_the_files_and_the_others_are_arguments():
    tenant = {"key": "tenant", "value": "acme"}
    header = [{"key": "X-T", "value": "{{tenant}}/{{who}}"}]
    found = imported(item(header=header), variable=[BASE, tenant])
    assert "vars: {tenant: acme}" in found.drafts[0].text
    assert ("X-T", "acme/me") in sent(found, who="me").headers


def test_a_base_without_a_value_is_the_operators():
    found = imported(item(url="{{apiUrl}}/x"))
    assert 'base_url: "${API_URL}"' in found.drafts[0].text
    assert "set API_URL" in found.notes[0].text
    loaded(found)


def test_secrets_of_the_collection_are_never_copied():
    secret = {"key": "pin", "value": "pin-123456", "type": "secret"}
    header = [{"key": "X-Pin", "value": "{{pin}}"}, {"key": "X-Api-Key", "value": "key-123456"}]
    query = {"raw": "{{base}}/x", "query": [{"key": "api_key", "value": "q-123456"}]}
    found = imported(item(header=header, url=query), variable=[BASE, secret])
    assert "123456" not in found.drafts[0].text
    assert "123456" not in str(found.notes)
    loaded(found)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"method": "POST", "body": raw('{"{{k}}": 1}')}, "a variable names a key of its body"),
        ({"method": "OPTIONS"}, "no tool can use the method OPTIONS"),
        ({"auth": {"type": "ntlm"}}, "it is authorized by 'ntlm'"),
        ({"url": ""}, "it has no URL"),
        ({"url": "ftp://h/x"}, "no http or https URL"),
        ({"method": "POST", "body": {"mode": "graphql", "graphql": {"query": "{ {{x}} }"}}},
         "a variable inside a GraphQL query"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_left_out_alone(request_: dict[str, Any], reason: str):
    found = imported(item("good"), item("bad", **request_))
    assert [draft.tools for draft in found.drafts] == [("good",)]
    (skipped,) = found.skipped
    assert skipped.where == "bad"
    assert reason in skipped.text


def test_credentials_inside_bodies_paths_and_answers_are_not_copied():
    nested = {"user": {"name": "ann", "password": "s3cret"}, "keys": [{"token": "s3cret"}]}
    path = "{{base}}/hooks/s3cretA1b2C3d4E5f6G7h8I9"
    answer = {"access_token": "s3cret", "next": "https://h/x?token=s3cret&page=2"}
    saved = {"code": 200, "body": json.dumps(answer)}
    items = [
        {**item(method="POST", url=path, body=raw(json.dumps(nested))), "response": [saved]},
        item("Log in", method="POST", body=raw("user=ann&password=s3cret", "text")),
        item("Old", method="POST", body=raw("<a><secret>s3cret</secret></a>", "xml")),
    ]
    found = imported(*items)
    assert len(loaded(found).tools) == len(items)
    (draft,) = found.drafts
    assert "s3cret" not in draft.text
    assert "https://h/x?token=***&page=2" in draft.text


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://${HOME}.shop.example/x", "no host name has a '$' in it"),
        ("{{odd}}/x", "no host name has a '$' in it"),
        ("https://{{api_key}}.shop.example/x", "a credential would be part of the host name"),
    ],
)
def test_nothing_of_the_environment_gets_into_the_host(url: str, reason: str):
    odd = {"key": "odd", "value": "https://shop.example/${HOME}"}
    found = imported(item(url=url), variable=[odd])
    assert (found.drafts, [note.text for note in found.skipped]) == ((), [reason])


def test_scripts_are_told_of():
    event = [{"listen": "test", "script": {"exec": ["x"]}}]
    found = imported({**item(), "event": event}, event=event)
    assert [note.text for note in found.notes] == ["scripts are not run: 2 in the collection"]


@pytest.mark.parametrize(
    "text", [b"", b"[]", b'{"info": {}}', b'{"requests": [], "order": []}', b"[" * 100_000]
)
def test_what_is_no_collection_is_refused_as_a_whole(text: bytes):
    with pytest.raises(ImportFailed):
        import_postman(text, "x.json")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"item":\n oops}', "shop.json:2:2: not JSON: expecting value"),
        (b"\xff\xfe{", "shop.json is no JSON: it is not UTF-8"),
        (b"[" * 100_000, "shop.json is nested too deep"),
    ],
)
def test_what_cannot_be_read_is_told_in_plain_words(data: bytes, said: str):
    with pytest.raises(ImportFailed) as error:
        import_postman(data, "shop.json")
    assert str(error.value) == said


def test_an_export_of_the_api_is_read_too():
    tree = {"collection": {"info": {"name": "X"}, "item": [item(url="https://h/x")]}}
    assert import_postman(json.dumps(tree).encode(), "x.json").drafts


_TEXT = st.text("ab{}:/?&= $\n'\"", max_size=10)
_VALUE = st.none() | st.integers() | _TEXT | st.lists(_TEXT, max_size=2)


@given(
    url=_TEXT.map(lambda text: f"https://h/{text}") | _VALUE,
    header=st.lists(st.fixed_dictionaries({"key": _TEXT, "value": _VALUE}), max_size=2),
    body=st.none() | _TEXT.map(raw),
    name=_TEXT,
)
def test_whatever_a_request_holds_it_becomes_a_tool_or_a_reason(
    url: Any, header: Any, body: Any, name: str
):
    found = imported(item(name, method="POST", url=url, header=header, body=body))
    assert sum(len(draft.tools) for draft in found.drafts) + len(found.skipped) == 1
