"""`errors:` the first rule that matches decides; without one, 2xx is a result."""

import json

import pytest

from gateway.capability.compiled import TryAgain
from gateway.capability.load import load
from gateway.credentials.redact import Redactor
from gateway.errors import UpstreamFailed
from gateway.http.message import HttpResponse

FILE = """
capability: 1
name: api
description: An API
base_url: https://api.example.com
vars: {{team: ops}}
errors: {shared}
tools:
  t:
    description: Read.
    args: {{id: {{type: string, required: true}}}}
    get: /x/{{{{ args.id }}}}
    errors: {own}
    response: {response}
"""


def loaded(own="[]", shared="[]", response="{}"):
    text = FILE.format(own=own, shared=shared, response=response)
    return load(text.encode(), "api.yaml", environ={}, redactor=Redactor())


def read(status, body=b"", own="[]", shared="[]", *, kind="application/json", **more):
    found = loaded(own, shared, more.pop("response", "{}"))
    assert found.capability, [str(issue) for issue in found.issues]
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": kind, **more}
    return found.capability.tools["t"].read({"id": "7"}, HttpResponse(status, headers, body))


def refusal(*args, **kwargs):
    with pytest.raises(UpstreamFailed) as caught:
        read(*args, **kwargs)
    return str(caught.value)


@pytest.mark.parametrize("status", [200, 201, 299])
def test_success_needs_no_rule(status):
    assert read(status, {"ok": False}).structured == b'{"ok":false}'


@pytest.mark.parametrize("status", [199, 300, 304, 400, 404, 500, 599])
def test_any_other_status_is_an_error_even_with_json_in_it(status):
    assert refusal(status, {"a": 1}) == f'HTTP {status} from api.t: {{"a":1}}'


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"error": {"message": "A"}, "message": "B"}, "A"),
        ({"error": "code", "error_description": "A"}, "A"),
        ({"message": "A", "detail": "B"}, "A"),
        ({"detail": "A", "title": "B"}, "A"),
        ({"title": "A", "errors": [{"message": "B"}]}, "A"),
        ({"errors": [{"message": "A"}], "error": "B"}, "A"),
        ({"error": "A"}, "A"),
        ({"message": " ", "detail": ["x"], "error": "A"}, "A"),
        ({"detail": [{"msg": "A"}]}, '{"detail":[{"msg":"A"}]}'),
        (["A"], '["A"]'),
        (b"A\n\x1b[31m\xe2\x80\xae  B\x00", "A [31m B"),
        (b'{"message": "A', '{"message": "A'),
        (b"<html><head><style>p {}</style></head><h1>A</h1>\n<p>B</p>", "A B"),
        ({"message": "x" * 900}, "x" * 499 + "…"),
    ],
)
def test_the_apis_own_message_is_told_short_and_clean(body, told):
    assert refusal(422, body) == f"HTTP 422 from api.t: {told}"


@pytest.mark.parametrize(
    ("body", "kind"), [(b"", "text/html"), (b"\x00\xff", "image/png"), (b"\xff", "x/y")]
)
def test_an_answer_without_words_is_told_by_its_status(body, kind):
    assert refusal(502, body, kind=kind) == "HTTP 502 from api.t"


@pytest.mark.parametrize(
    ("own", "status", "matches"),
    [
        ("[{status: 404, message: M}]", 404, True),
        ("[{status: 404, message: M}]", 403, False),
        ("[{status: 4xx, message: M}]", 499, True),
        ("[{status: 4xx, message: M}]", 500, False),
        ("[{status: [409, 5xx], message: M}]", 503, True),
        ("[{status: [409, 5xx], message: M}]", 410, False),
        ('[{when: "body.code == 5", message: M}]', 400, True),
        ('[{when: "body.code == 6", message: M}]', 400, False),
        ('[{when: "body.none.x == 6", message: M}]', 400, False),
        ("[{when: \"headers['x-kind'] == 'k'\", message: M}]", 400, True),
        ('[{when: "status >= 400 and status < 402", message: M}]', 401, True),
        ('[{status: 400, when: "body.code == 6", message: M}]', 400, False),
    ],
)
def test_a_rule_matches_by_status_and_condition(own, status, matches):
    said = refusal(status, {"code": 5, "message": "theirs"}, own, **{"x-kind": "k"})
    assert said == ("M" if matches else f"HTTP {status} from api.t: theirs")


def test_a_condition_can_find_an_error_in_a_success():
    rule = '[{when: "body.ok == false", message: "Said: {{ body.error }}"}]'
    assert refusal(200, {"ok": False, "error": "no"}, rule) == "Said: no"
    assert read(200, {"ok": True}, rule).structured == b'{"ok":true}'
    assert refusal(200, {"ok": False, "error": "no"}, '[{when: "not body.ok"}]') == (
        "api.t failed: no"
    )


def test_the_first_rule_wins_and_a_tool_comes_before_its_file():
    own = "[{status: 404, message: A}, {status: 4xx, message: B}]"
    shared = "[{status: 404, message: C}, {status: 500, message: D}]"
    assert [refusal(status, b"", own, shared) for status in (404, 400, 500)] == ["A", "B", "D"]


def test_a_message_reads_arguments_status_headers_body_and_vars():
    own = (
        '[{status: 400, message: "{{ args.id }} {{ vars.team }} {{ status }}'
        " {{ headers['x-a'] }} {{ body.e | map(attribute='d') | join('; ') }}\"}]"
    )
    body = {"e": [{"d": "one"}, {"d": "two"}]}
    assert refusal(400, body, own, **{"x-a": "h"}) == "7 ops 400 h one; two"


def test_a_message_with_nothing_in_it_falls_back_to_the_usual_one():
    own = '[{status: 400, message: "{{ body.nothing }}"}]'
    assert refusal(400, {"title": "T"}, own) == "HTTP 400 from api.t: T"


def test_a_long_message_is_bounded_and_clean():
    own = '[{status: 400, message: "{{ body.text }}"}]'
    said = refusal(400, {"text": "\x1b" + "x" * 9000}, own)
    assert said == "x" * 4000


def test_then_ok_makes_a_result_of_any_status():
    result = read(404, {"a": 1}, "[{status: 404, then: ok}]")
    assert (result.structured, result.is_error) == (b'{"a":1}', False)


@pytest.mark.parametrize(
    ("response", "expected"),
    [("{}", b"{}"), ("{select: $.a}", b"{}"), ("{select: '$.a[*]', map: $.b}", b"[]")],
)
def test_then_empty_is_a_result_of_nothing(response, expected):
    result = read(404, b"gone", "[{status: 404, then: empty}]", response=response)
    assert result.structured == expected


def test_then_retry_asks_for_another_attempt_and_says_why():
    found = read(409, {"message": "locked"}, "[{status: 409, then: retry}]")
    assert isinstance(found, TryAgain)
    assert str(found.error) == "HTTP 409 from api.t: locked"


@pytest.mark.parametrize(
    ("own", "shared", "where", "complaint"),
    [
        ('[{when: "body..x"}]', "[]", "tools.t.errors[0].when", ""),
        ('[{when: "{{ body.x }}"}]', "[]", "tools.t.errors[0].when", "without braces"),
        ("[]", '[{when: "secrets.x"}]', "errors[0].when", "'secrets' is not known here"),
        (
            '[{status: 404, message: "{{ args.nope }}"}]',
            "[]",
            "tools.t.errors[0].message",
            "args.nope is not declared",
        ),
        ("[{message: M}]", "[]", "tools.t.errors[0]", "a rule for nothing"),
    ],
)
def test_a_faulty_rule_is_reported_where_it_stands(own, shared, where, complaint):
    found = loaded(own, shared)
    assert found.capability is None
    assert [issue.path for issue in found.issues] == [where]
    assert complaint in found.issues[0].message
    assert found.issues[0].line > 1


def test_then_empty_must_satisfy_the_output():
    text = FILE.format(own="[{status: 404, then: empty}]", shared="[]", response="{}")
    for output, fits in (("{required: [a]}", False), ("{type: object}", True)):
        data = f"{text}    output: {output}\n".encode()
        found = load(data, "api.yaml", environ={}, redactor=Redactor())
        assert (found.capability is not None) is fits
        assert fits or "allows no empty result" in found.issues[0].message
