"""Whatever an API answers: a result that keeps its promises, or an error of ours."""

import json
import re

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.capability.answers.decode import DEEPEST, loads, too_deep
from gateway.capability.answers.truncate import fit
from gateway.capability.compiled import Oversize
from gateway.capability.load import load
from gateway.credentials.redact import Redactor
from gateway.errors import BadResponse, UpstreamFailed
from gateway.http.message import HttpResponse

SECRET = "k3y-4711\\x"  # with a character JSON escapes

texts = st.text(max_size=12) | st.just(SECRET) | st.just(f"a{SECRET}b")
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(texts, inner, max_size=6),
    max_leaves=40,
)
bodies = st.one_of(
    st.binary(max_size=20).map(lambda some: b"<a b='1'><c>" + some + b"</c><c/></a>"),
    st.sampled_from(["utf-8", "utf-16", "latin-1"]).map(
        lambda charset: f"<?xml version='1.0' encoding='{charset}'?><a>{SECRET}</a>".encode(charset)
    ),
    st.binary(max_size=80),
    values.map(lambda value: json.dumps(value).encode()),
    values.map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")),
    values.map(lambda value: json.dumps(value, indent=1).encode("utf-16")),
)
kinds = st.sampled_from(
    [
        *("application/json", "application/json; charset=latin-1", "text/html", "image/png", ""),
        *("text/xml", "application/x+xml; charset=utf-16", "text/plain; charset=utf-16"),
        *("application/octet-stream", "audio/x", "x; charset=q"),
    ]
)
RESPONSES = {
    "plain": "{}",
    "cut": "{max_bytes: 256}",
    "json": "{as: json, max_bytes: 256}",
    "text": "{as: text, max_bytes: 256}",
    "xml": "{as: xml, max_bytes: 256}",
    "binary": "{as: binary, max_bytes: 256}",
    "select": "{select: '$..a', max_bytes: 256}",
    "map": "{select: '$[?@.a != 1]', map: {x: $.a, y: {path: '$[*]', default: 5}}}",
    "said": "{text: 'It is {{ result }}', max_bytes: 256}",
}
FILE = """
capability: 1
name: api
description: An API
base_url: https://api.example.com
secrets: {key: env:KEY}
auth: {bearer: "{{ secrets.key }}"}
tools:
"""
for name, response in RESPONSES.items():
    FILE += f"  {name}: {{description: Read., get: /{name}, response: {response}}}\n"

redactor = Redactor()
TOOLS = load(FILE.encode(), "api.yaml", environ={"KEY": SECRET}, redactor=redactor).capability.tools


@settings(max_examples=400)
@given(st.sampled_from(list(RESPONSES)), bodies, kinds, st.sampled_from([200, 201, 204, 404, 500]))
def test_any_answer_is_a_result_or_an_error_and_shows_no_secret_i42_i58(name, body, kind, status):
    response = HttpResponse(status, {"content-type": kind} if kind else {}, body)
    try:
        result = TOOLS[name].read({}, response)
    except (BadResponse, UpstreamFailed) as error:
        said = str(error)
        result = None
    if result is None:
        assert SECRET not in said
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", said)
        return
    assert status < 300
    if isinstance(result, Oversize):
        assert SECRET.encode() not in result.data
        return
    shown = msgspec.json.encode(result.content)  # a client can be sent it
    assert SECRET.encode() not in shown
    assert json.dumps(SECRET)[1:-1].encode() not in shown
    if result.structured is not None:
        decoded = json.loads(result.structured)
        assert SECRET not in json.dumps(decoded, ensure_ascii=False).replace("\\\\", "\\")
        assert b"\n" not in result.structured
    if "max_bytes" in RESPONSES[name]:
        assert len(result.structured or b"") <= 256
        if "blob" not in str(result.content) and result.content[0]["type"] == "text":
            assert len(result.content[0]["text"].encode()) <= 256


@settings(max_examples=300)
@given(values, st.integers(100, 400))
def test_whatever_is_cut_fits_and_is_json(value, most):
    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError:
        assume(False)  # no JSON gives such a text
    assume(len(data) > most)
    found = fit(value, data, most)
    assert len(found.data) <= most
    assert msgspec.json.decode(found.data) == msgspec.json.decode(msgspec.json.encode(found.value))
    assert found.total is None or found.returned < found.total


@settings(max_examples=200)
@given(st.lists(st.sampled_from(["[", '{"a":']), max_size=DEEPEST + 3), texts, st.integers(0, 400))
def test_depth_is_told_exactly_t12(opened, text, siblings):
    inner = json.dumps([text, "]]" * 3, "[[{", []] + [0, {}] * siblings)
    closed = "".join("]" if each == "[" else "}" for each in reversed(opened))
    data = ("".join(opened) + inner + closed).encode("utf-8", "replace")
    depth = len(opened) + 2
    assert too_deep(data) is (depth > DEEPEST)


@given(values)
def test_strict_json_reads_what_json_reads_t12(value):
    assert json.dumps(loads(json.dumps(value).encode())) == json.dumps(value)


@given(st.lists(st.text(st.sampled_from('a\\"\ud83d\ude00\udc00é')), max_size=4))
def test_half_a_character_never_gets_through_t12(value):
    found = loads(json.dumps(value).encode())
    whole = [each.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for each in value]
    assert found == whole
