"""Examples run offline: a difference is an issue at the example's line; mocks answer from them."""

import json
from pathlib import Path

import pytest

from gateway.capability.examples.checking import check
from gateway.capability.examples.mock import mock_replies
from gateway.capability.load import load
from gateway.credentials.redact import Redactor

FILES = sorted((Path(__file__).parent / "files").glob("*.yaml"))
HEAD = """\
capability: 1
name: api
description: An API
base_url: https://api.example.com
secrets: {key: env:KEY}
auth: {header: {X-Key: "{{ secrets.key }}"}}
tools:
  t:
    description: Update an item.
    args:
      id: {type: string, required: true}
      tags: {type: array, items: {type: string}}
      note: {type: string}
"""
POST = "post: /items/{{ args.id }}"
JSON = f'{POST}\njson: {{tags: "{{{{ args.tags }}}}", note: "{{{{ args.note }}}}"}}'
FORM = f'{POST}\nform: {{tags: "{{{{ args.tags }}}}", o: {{n: "{{{{ args.note }}}}"}}}}'
GRAPHQL = (
    f'{POST}\ngraphql: {{query: "{{ a }}", variables: {{n: "{{{{ args.note }}}}"}}}}\n'
    'query: {t: "{{ args.tags }}"}'
)
QUERY = 'get: /items/{{ args.id }}\nquery: {"...": "{{ rest }}"}'


def loaded(tool, *examples):
    lines = [*tool.split("\n"), *(["examples:"] if examples else [])]
    lines += [f"  - {example}" for example in examples]
    text = HEAD + "".join(f"    {line}\n" for line in lines)
    found = load(text.encode(), "api.yaml", environ={}, redactor=Redactor())
    assert found.tools, [str(issue) for issue in found.issues]
    return found


def found(tool, example):
    """Path below the example -> message."""
    issues = check(loaded(tool, example))
    head = "tools.t.examples[0]"
    assert all(issue.path.startswith(head) and issue.line > 13 for issue in issues)
    return {issue.path.removeprefix(head).lstrip("."): issue.message for issue in issues}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_worked_files_pass_all_their_examples_without_a_secret(file):
    given = load(file.read_bytes(), str(file), environ={}, redactor=Redactor())
    assert [str(issue) for issue in check(given)] == []
    assert sum(len(tool.examples) for tool in given.capability.tools.values()) >= 1


@pytest.mark.parametrize(
    ("tool", "request_"),
    [
        (QUERY, '{method: get, url: "https://api.example.com/items/a?tags=x&tags=y&note=n"}'),
        (JSON, "{json: {tags: [x, y], note: n}, headers: {content-type: application/json}}"),
        (FORM, "{form: {tags: [x, y], o: {n: n}}, method: POST}"),
        (FORM, '{form: "tags=x&tags=y&o%5Bn%5D=n"}'),
        (f"{POST}\ntext: '{{{{ args.note }}}}!{{{{ args.tags }}}}'", '{text: \'n!["x","y"]\'}'),
        (f"{POST}\nbytes: '{{{{ args.note }}}}{{{{ args.tags | join }}}}'", "{bytes: bnh5}"),
        (GRAPHQL, '{graphql: {query: "{ a }"}, json: {query: "{ a }", variables: {n: n}}}'),
        (f'{QUERY}\nheaders: {{X-S: "{{{{ secrets.key }}}}"}}', "{headers: {x-s: dummy-key}}"),
    ],
)
def test_a_request_that_goes_out_as_told_is_silent(tool, request_):
    assert found(tool, f"{{args: {{id: a, tags: [x, y], note: n}}, request: {request_}}}") == {}


@pytest.mark.parametrize(
    ("tool", "request_", "path", "part"),
    [
        (QUERY, "{method: put}", "request.method", "expected: PUT\n    actual:   GET"),
        (
            QUERY,
            "{url: https://x}",
            "request.url",
            "actual:   https://api.example.com/items/a?note",
        ),
        (QUERY, "{headers: {X-None: a}}", "request.headers.X-None", "missing; expected: a"),
        (QUERY, "{headers: {X-Key: a}}", "request.headers.X-Key", "missing"),
        (QUERY, "{headers: {Accept: a}}", "request.headers.Accept", "expected: a"),
        (QUERY, "{headers: x}", "request.headers", "'headers' is a mapping"),
        (QUERY, "{json: {}}", "request.json", "cannot be compared"),
        (JSON, "{json: {note: m}}", "request.json.note", "expected: m\n    actual:   n"),
        (JSON, "{json: {}}", "request.json", "'note' is there too: n"),
        (JSON, "{json: {note: n, x: 1}}", "request.json.x", "missing; expected: 1"),
        (JSON, "{json: [n]}", "request.json", 'expected: ["n"]\n    actual:   {"note":"n"}'),
        (FORM, "{form: {o: {n: m}}}", "request.form[0][1]", "expected: m"),
        (FORM, "{form: x=1}", "request.form", "expected: x=1"),
        (FORM, "{form: 5}", "request.form", "'form' is a mapping or a text"),
        (JSON, "{graphql: {note: m}}", "request.graphql.note", "expected: m"),
        (JSON, "{text: x}", "request.text", 'actual:   {"note":"n"}'),
        (JSON, "{bytes: eA==}", "request.bytes", "expected: eA=="),
    ],
)
def test_a_request_that_differs_is_told_where_it_differs(tool, request_, path, part):
    differing = found(tool, f"{{args: {{id: a, note: n}}, request: {request_}}}")
    assert list(differing) == [path]
    assert part in differing[path]


@pytest.mark.parametrize(
    ("tail", "path", "part"),
    [
        ("reply: {json: {a: 1}}, result: {a: 1}", None, None),
        ("reply: {json: {a: 1}}, result: {a: 1.0}", None, None),
        ("reply: {json: {a: true}}, result: {a: 1}", "result.a", "expected: 1\n    actual:   true"),
        ("reply: {json: [1, 2]}, result: [1]", "result", "expected: [1]\n    actual:   [1,2]"),
        ("reply: {json: [1, [2]]}, result: [1, [3]]", "result[1][0]", "expected: 3"),
        ("reply: {json: null}, result: null", None, None),
        ("reply: {text: hello}, result: hello", None, None),
        ("reply: {text: hello}, result: bye", "result", "expected: bye"),
        ("reply: {}, result: {}", None, None),
        ("reply: {base64: iVBO, headers: {Content-Type: image/png}}", None, None),
        ("reply: {base64: '//8='}, result: {type: resource}", "result", "'resource' is there too"),
        ("reply: {status: 404, text: gone}, error: 'HTTP 404 from api.t: gone'", None, None),
        ("reply: {status: 404}, error: no", "error", "actual:   HTTP 404 from api.t"),
        ("reply: {status: 409, text: busy}, error: 'HTTP 409 from api.t: busy'", None, None),
        ("reply: {json: {a: 1}}, error: no", "error", 'its result: {"a":1}'),
        ("reply: {status: 500}", "reply", "this reply is an error: HTTP 500 from api.t"),
        ("reply: {status: 500}, result: 1", "reply", "this reply is an error"),
        ("result: 1", "result", "'result' needs 'reply'"),
        ("error: x", "error", "'error' needs 'reply'"),
        ("reply: {json: 1, text: x}", "reply", "a reply has one body, not json and text"),
        ("reply: {status: 5}", "reply", "'status' is a number from 100 to 599"),
        ("reply: {status: x}", "reply", "'status' is a number"),
        ("reply: {headers: x}", "reply", "'headers' is a mapping"),
        ("reply: {text: 5}", "reply", "'text' is a text"),
        ("reply: {base64: '*'}", "reply", "'base64' is not base64"),
    ],
)
def test_a_reply_must_come_to_what_the_example_says(tail, path, part):
    tool = f"{QUERY}\nerrors: [{{status: 409, then: retry}}]"
    differing = found(tool, f"{{args: {{id: a}}, {tail}}}")
    assert list(differing) == ([] if path is None else [path])
    assert path is None or part in differing[path]


@pytest.mark.parametrize(
    ("example", "path", "part"),
    [
        ("{args: {id: ..}, rejected: path}", None, None),
        ("{args: {id: 5, x: 1}, rejected: args}", None, None),
        ("{args: {}, rejected: args}", None, None),
        ("{args: {id: ..}, rejected: args}", "rejected", "rejected because of the path"),
        ("{args: {id: a}, rejected: path}", "rejected", "this is sent: https://api.example.com/"),
        ("{args: {id: ..}}", "args", "the arguments are rejected (path)"),
        ("{args: {idd: a}}", "args", "the arguments are rejected (args)"),
    ],
)
def test_rejected_arguments_must_be_rejected_for_that_reason(example, path, part):
    differing = found(QUERY, example)
    assert list(differing) == ([] if path is None else [path])
    assert path is None or part in differing[path]


def test_a_long_difference_is_shortened():
    differing = found(QUERY, f"{{args: {{id: a}}, reply: {{text: {'x' * 900}}}, result: y}}")
    assert len(differing["result"]) < 500


# mocks


def reply(args, *examples):
    [response] = mock_replies(loaded(QUERY, *examples).capability.tools["t"], args)
    return response.status, json.loads(response.body)


def test_a_mock_answers_from_the_example_most_like_the_call():
    examples = (
        "{args: {id: a}, reply: {json: 1}}",
        "{args: {id: b}, reply: {json: 2}}",
        "{args: {id: b, note: n}, reply: {json: 3}}",
        "{args: {id: b, note: n}, rejected: args}",
        "{args: {id: b, note: n}}",
    )
    assert reply({"id": "b"}, *examples) == (200, 2)
    assert reply({"id": "b", "note": "n", "tags": []}, *examples) == (200, 3)
    assert reply({"id": "z"}, *examples) == (200, 1)


def test_a_mock_prefers_a_success():
    examples = (
        "{args: {id: a}, reply: {status: 404, json: 0}, error: x}",
        "{args: {id: b}, reply: {json: 1}}",
    )
    assert reply({"id": "z"}, *examples) == (200, 1)
    assert reply({"id": "a"}, *examples) == (404, 0)


def test_a_mock_without_replies_says_so():
    status, body = reply({"id": "a"}, "{args: {id: a}}")
    assert (status, body) == (501, {"message": "no example of 't' has a reply"})
    status, body = reply({"id": "a"}, "{args: {id: a}, reply: {text: 5}}")
    assert (status, body) == (501, {"message": "the example's reply is wrong: 'text' is a text"})
    assert reply({"id": "a"})[0] == 501


def test_a_mock_reply_has_its_headers_in_lower_case():
    tool = loaded(QUERY, "{args: {id: a}, reply: {text: x, headers: {X-A: 5}}}").capability.tools
    [response] = mock_replies(tool["t"], {"id": "a"})
    assert response.headers == {"content-type": "text/plain; charset=utf-8", "x-a": "5"}
