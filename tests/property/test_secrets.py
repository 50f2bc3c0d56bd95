"""No secret's value in any result, error or log line, whatever it is (§5, I42, I43, I44)."""

import base64
import html
import io
import json
import logging
import re
import string
from dataclasses import replace
from urllib.parse import quote, quote_plus, unquote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.capability.load import load
from gateway.credentials.redact import Redactor
from gateway.errors import GatewayError
from gateway.http.message import HttpResponse
from gateway.log import JsonLines, Lines, TextLines
from tests.peers.signing import signed

AUTHS = {
    "bearer": '{bearer: "{{ secrets.key }}"}',
    "basic": '{basic: {username: user, password: "{{ secrets.key }}"}}',
    "header": '{header: {X-Api-Key: "k={{ secrets.key }}"}}',
    "query": '{query: {api_key: "{{ secrets.key }}"}}',
}
FILE = """
capability: 1
name: echo
description: An API that says back what it was sent.
base_url: https://echo.example
secrets: {{key: env:KEY, other: env:OTHER}}
auth: {auth}
tools:
  say:
    description: Creates an echo.
    args: {{text: {{type: string, required: true}}}}
    post: /say/{{{{ args.text }}}}
    query: {{k: "{{{{ secrets.other }}}}"}}
    headers: {{X-Other: "{{{{ secrets.other }}}}"}}
    json: {{text: "{{{{ args.text }}}}", inner: {{k: "<{{{{ secrets.other }}}}>"}}}}
    errors:
      - {{status: 401, message: "refused: {{{{ body | tojson }}}}"}}
"""

# '*' is what secrets become; a value of it could be made by masking
marks = string.ascii_letters + string.digits + "+/=-_.~!$&'()%^#@:;,?<>\"\\ é\u20ac"
values = (
    st.text(marks, min_size=6, max_size=40)
    .map(lambda text: f"a{text.strip()}z")
    .filter(lambda text: len(text) >= 6)
)


def ways(value):
    """How a server or a client may write it."""
    raw = value.encode()
    yield value
    yield quote(value, safe="")
    yield quote_plus(value)
    yield html.escape(value)
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    for before in (b"", b"x", b"xy", b"user:"):
        for after in (b"", b"!", b"!!"):
            yield base64.b64encode(before + raw + after).decode()
            yield base64.urlsafe_b64encode(before + raw + after).decode()


def shows(text, value):
    """Whether `text` holds `value`, looked at as a reader would: plainly, and decoded."""
    seen = [text, unquote_plus(text), html.unescape(text)]
    for _ in range(3):
        seen.append(re.sub(r"\\(.)", r"\1", seen[-1] if len(seen) > 3 else text))
    return any(value in each for each in seen)


def tool_of(auth, key, other, redactor):
    data = FILE.format(auth=AUTHS[auth]).encode()
    environ = {"KEY": key, "OTHER": other}
    loaded = load(data, "echo.yaml", environ=environ, redactor=redactor)
    assert loaded.capability is not None, loaded.issues
    tool, plan = loaded.capability.tools["say"], loaded.capability.auth
    return replace(tool, request=lambda args: signed(plan, tool.request(args)))


def echoes(request):
    """Answers that repeat the request: as JSON, as JSON in JSON, as text."""
    said = {"url": request.url, "headers": dict(request.headers), "body": request.body.decode()}
    lines = [request.url, *(": ".join(header) for header in request.headers), said["body"]]
    yield "application/json", json.dumps(said)
    yield "application/json", json.dumps(said, ensure_ascii=False, indent=2)
    yield "application/json", json.dumps({"parsed": json.loads(request.body), "again": [said]})
    yield "text/plain", "\n".join(lines)
    yield "text/plain", str(said["headers"])
    yield "text/html", html.escape("\n".join(lines[:-1]))


def answered(tool, args, response):
    """All that a caller could see of an answer."""
    try:
        result = tool.read(args, response)
    except GatewayError as error:
        return error.explain()
    structured = (result.structured or b"").decode()
    return f"{json.dumps(result.content, ensure_ascii=False)} {structured} {result.meta}"


@settings(max_examples=60)
@given(values, values, st.sampled_from(sorted(AUTHS)), st.sampled_from([200, 401, 403, 500]))
@example("0123456789abcdef", "plain-token-1234", "basic", 401)
@example('q"uo\\te&<d>', "sl/ash+plus=", "bearer", 200)
def test_upstream_that_repeats_the_request_reveals_nothing(key, other, auth, status):
    redactor = Redactor()
    tool = tool_of(auth, key, other, redactor)
    args = tool.prepare({"text": "hello"})
    request = tool.request(args)
    for kind, text in echoes(request):
        response = HttpResponse(status, {"content-type": kind}, text.encode())
        seen = answered(tool, args, response)
        for value in (key, other):
            assert not shows(seen, value)
            assert base64.b64encode(f"user:{value}".encode()).decode() not in seen


@settings(max_examples=150)
@given(values, st.data())
def test_every_way_of_writing_a_secret_is_masked(value, data):
    redactor = Redactor()
    redactor.learn(value)
    written = data.draw(st.sampled_from(sorted(set(ways(value)))))
    text = f"start {written} end"
    for masked in (redactor.text(text), redactor.data(text.encode()).decode()):
        assert written not in masked
        assert "***" in masked
        assert not shows(masked, value)


@settings(max_examples=60)
@given(values, st.sampled_from([JsonLines, TextLines]))
def test_log_line_about_a_request_shows_no_secret(value, formatter):
    redactor = Redactor()
    tool = tool_of("basic", value, value, redactor)
    request = tool.request(tool.prepare({"text": "hello"}))
    stream = io.StringIO()
    handler = Lines(stream)
    handler.setFormatter(formatter(redactor))
    record = {
        "msg": f"sent {request.headers}",
        "url": request.url,
        "headers": dict(request.headers),
        "body": request.body.decode(),
    }
    handler.handle(logging.makeLogRecord(record))
    assert stream.getvalue().count("\n") == 1
    assert not shows(stream.getvalue(), value)
    assert quote_plus(value) not in stream.getvalue()


@settings(max_examples=60)
@given(values, st.sampled_from(sorted(AUTHS)), st.text(max_size=20))
def test_refusals_and_routes_show_no_secret(value, auth, text):
    """I44: not in what may be logged of a request, nor in why there was none."""
    redactor = Redactor()
    tool = tool_of(auth, value, value, redactor)
    try:
        shown = tool.request(tool.prepare({"text": text})).route
    except GatewayError as error:
        shown = error.explain()
    assert not shows(shown, value)
    assert shown == redactor.text(shown)


@pytest.mark.parametrize("auth", AUTHS)
def test_missing_secret_is_told_by_its_source(auth):
    tool = tool_of(auth, "", "other-value", Redactor())
    args = tool.prepare({"text": "x"})
    with pytest.raises(GatewayError) as caught:
        tool.request(args)
    assert str(caught.value) == "missing secret env:KEY"
    assert "other-value" not in caught.value.explain()


@pytest.mark.parametrize("text", ["{{ secrets.key }}", "${KEY}", "{key}", "$KEY", "env:KEY"])
def test_argument_text_cannot_reach_a_secret(text):
    """§5: argument values are data."""
    tool = tool_of("bearer", "the-value-of-key", "other-value", Redactor())
    request = tool.request(tool.prepare({"text": text}))
    sent = f"{request.url} {request.body.decode()}"
    assert "the-value-of-key" not in sent
    assert json.loads(request.body)["text"] == text
