"""What a fulcrum file does with an answer, and how it behaves."""

import json
from typing import Any

import pytest

from gateway.credentials.redact import Redactor
from gateway.domain.call import ToolResult
from gateway.http.message import HttpResponse
from gateway.importers.fulcrum.converting import convert
from gateway.importers.fulcrum.live import load

FILE = """\
fulcrum: '1.0'
name: shop
description: Buys things.
schema: {{input: {{properties: {{a: {{type: string}}}}}}}}
providers:
  primary:
    service: {service}
    timeout: {timeout}
    config: {{endpoint: 'https://h/x', method: {method}, params: {{a: '{{a}}'}}, {config}}}
{rest}
"""


def file(config: str = "", rest: str = "", service: str = "rest", **other: str) -> bytes:
    values = {"method": "GET", "timeout": "30", **other}
    return FILE.format(config=config, rest=rest, service=service, **values).encode()


def tool(data: bytes) -> dict[str, Any]:
    found = convert(data, "shop.yaml")
    assert found.tree is not None, found.issues
    whole: dict[str, Any] = found.tree["tools"]["shop"]
    return whole


def result(data: bytes, answer: Any) -> Any:
    loaded = load(data, "shop.yaml", environ={}, redactor=Redactor())
    assert loaded.capability is not None, loaded.issues
    reply = HttpResponse(200, {"content-type": "application/json"}, json.dumps(answer).encode())
    found = loaded.capability.tools["shop"].read({}, reply)
    assert isinstance(found, ToolResult)
    assert found.structured is not None
    return json.loads(found.structured)


def test_a_path_selects():
    data = file("response_path: 'a.items[0].0.b-c'")
    assert tool(data)["response"]["select"] == "$.a.items[0][0]['b-c']"
    assert result(data, {"a": {"items": [[{"b-c": {"x": 7}}]]}}) == {"x": 7}


def test_project_and_rename_become_a_map():
    data = file(
        "response_path: data",
        "transform: {project: [id, 'web.results[].title', 'nodes[0]', nodes],"
        " rename: {id: number, 'nodes[0]': first, gone: x}}",
    )
    assert tool(data)["response"]["map"] == {
        "number": "$.id",
        "title": "$.web.results[*].title",
        "first": "$.nodes[0]",
        "nodes": "$.nodes",
    }
    answer = {"data": {"id": 1, "web": {"results": [{"title": "t"}]}, "nodes": [{"x": 1}], "z": 0}}
    assert result(data, answer) == {
        "number": 1,
        "title": ["t"],
        "first": {"x": 1},
        "nodes": [{"x": 1}],
    }


def test_a_template_of_the_result_becomes_its_text():
    data = file(rest="transform: {format: {type: template, template: '{{a.0.b}} - {{c}}'}}")
    assert tool(data)["response"]["text"] == "{{ result.a[0].b }} - {{ result.c }}"
    assert load(data, "shop.yaml", environ={}, redactor=Redactor()).capability is not None


def test_redaction_is_not_lost_silently():
    data = file(rest="transform: {redact: [{pattern: x, replacement: y}]}")
    (issue,) = convert(data, "shop.yaml").issues
    assert issue.line == 10
    assert "redact takes texts out of the answer" in issue.message


@pytest.mark.parametrize("kind", ["text", "xml", "binary"])
def test_the_format_of_the_answer_is_kept(kind: str):
    assert tool(file(f"response_format: {kind}"))["response"] == {"as": kind}


def test_json_needs_no_word():
    assert "response" not in tool(file("response_format: json"))


def test_what_is_left_out_is_told_at_its_line():
    data = file(
        "response_transform: 'return 1'",
        "transform: {rename: {a: b}, format: {type: flat}}\nwebhooks: {w: {path: /x}}\n"
        "projection: {url: {href: u}}\nvisible_in_states: [open]\ncache: {key_template: k}",
    )
    found = convert(data, "shop.yaml")
    assert found.tree is not None
    assert [(issue.line, issue.message.partition(":")[0]) for issue in found.issues] == [
        (9, "response_transform is a program"),
        (10, "rename without project"),
        (10, "format"),
        (11, "webhooks are not received"),
        (12, "projection is left out"),
        (13, "the tool is there in every state"),
        (14, "answers are kept by the request that was sent"),
    ]


def test_timeout_and_cache_come_over_where_they_say_something():
    assert tool(file(timeout="5", rest="cache: {strategy: exact, ttl: 60}"))["cache"] == "60s"
    assert tool(file(timeout="5"))["timeout"] == "5s"
    plain = tool(file(rest="cache: {strategy: none, ttl: 60}"))
    assert "timeout" not in plain
    assert "cache" not in plain


@pytest.mark.parametrize(
    ("method", "metadata", "expected"),
    [
        ("GET", "{read_only: true}", None),
        ("POST", "{read_only: true}", {"readOnlyHint": True}),
        ("POST", "{read_only: false}", None),
        ("GET", "{read_only: false}", {"readOnlyHint": False}),
        ("POST", "{read_only: false, destructive: false}", {"destructiveHint": False}),
        ("POST", "{idempotent: true, open_world: false}",
         {"idempotentHint": True, "openWorldHint": False}),
    ],
)  # fmt: skip
def test_effects_are_said_where_the_method_does_not(method: str, metadata: str, expected: Any):
    made = tool(file(method=method, rest=f"metadata: {metadata}"))
    assert made.get("annotations") == expected


def test_words_for_people_are_kept_and_keywords_are_tags():
    data = file(
        rest="metadata: {category: fun, tags: [a, b], rate_limit: 1/s, docs: 'https://d'}\n"
        "tags: [b, c]\nexamples: [{x: 1}]"
    ).replace(b"Buys things.", b"'Buys things. Twice. [keywords: k, a]'")
    found = convert(data, "shop.yaml")
    assert found.tree is not None
    assert found.tree["docs"] == "https://d"
    assert found.tree["description"] == "Buys things."
    made = found.tree["tools"]["shop"]
    assert made["description"] == "Buys things. Twice."
    assert made["tags"] == ["fun", "a", "b", "c", "k"]
    assert made["x-fulcrum"] == {"rate_limit": "1/s", "examples": [{"x": 1}]}


def test_graphql_gives_its_data_and_variables_are_never_pasted():
    query = "'query($first: Int) { viewer { login } }'"
    data = file(f"body: {{query: {query}}}, response_path: data.viewer", service="graphql")
    data = data.replace(b"{a: {type: string}}", b"{first: {type: integer}}")
    data = data.replace(b"params: {a: '{a}'}, ", b"")
    made = tool(data)
    assert made["graphql"] == {
        "query": "query($first: Int) { viewer { login } }",
        "variables": {"first": "{{ args.first }}"},
    }
    assert made["response"]["select"] == "$.data.viewer"


def test_an_input_in_a_query_is_a_json_value_in_it():
    data = file("body: {query: '{ user(login: \"{a}\", n: {a}) {id} }'}", service="graphql")
    data = data.replace(b"params: {a: '{a}'}, ", b"")
    assert tool(data)["json"]["query"] == (
        "{ user(login: {{ args.a | tojson }}, n: {{ args.a | tojson }}) {id} }"
    )
    loaded = load(data, "shop.yaml", environ={}, redactor=Redactor())
    assert loaded.capability is not None, loaded.issues
    request = loaded.capability.tools["shop"].request({"a": 'x") { secret'})
    assert json.loads(request.body or b"")["query"] == (
        '{ user(login: "x\\") { secret", n: "x\\") { secret") {id} }'
    )


def test_a_rest_file_that_speaks_graphql_is_told_of_its_errors():
    body = "body: {query: 'mutation A { b }', variables: {v: '{a}'}}"
    made = tool(file(body, method="POST"))
    assert made["graphql"] == {"query": "mutation A { b }", "variables": {"v": "{{ args.a }}"}}
    assert "graphql" not in tool(file("body: {query: '{a}'}", method="POST"))


def test_json_rpc_sends_its_envelope_and_gives_the_result():
    data = file("static_params: {tag: latest}", service="jsonrpc", method="eth_blockNumber")
    data = data.replace(b"params: {a: '{a}'}, ", b"")
    made = tool(data)
    assert made["json"] == {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "eth_blockNumber",
        "params": {"tag": "latest", "a": "{{ args.a }}"},
    }
    assert result(data, {"result": {"x": 1}}) == {"x": 1}
