"""Whatever the arguments: a request of the author's shape, or a refusal (I47, §4).

What comes out is parsed back by the standard library, which knows nothing of how it was made.
"""

import json
import re
import string
from contextlib import suppress
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.capability.expressions import sandbox
from gateway.capability.expressions.closures import compile_plain
from gateway.capability.expressions.language import Expression, Position
from gateway.capability.expressions.template import compile_template
from gateway.capability.expressions.values import (
    MISSING,
    Absent,
    Refused,
    RenderError,
    TemplateError,
    to_text,
)
from gateway.capability.file.model import Capability
from gateway.capability.file.schemas import input_schema
from gateway.capability.sending.arguments import compile_arguments
from gateway.capability.sending.request import Asked, compile_request
from gateway.capability.sending.shared import Shared
from gateway.credentials.secret import Secrets
from tests.peers.signing import signed

ORIGIN = "https://api.example"
PREFIX = "/v1"
HOSTILE = [
    *("../../admin", "..", ".", "%2e%2e%2f", "%252e%252e%252f", "..%5c", "..;/", "a/b", "a?x=1"),
    *("a#f", "a;b", "//evil", "http://169.254.169.254/", "@evil", "\\evil", "a&b=c", "a=b+c d"),
    *("\r\nX-Evil: 1", "\0", "\x1b[31m", "\u202e", "\u2028", "naïve ü", "\ud800", "😀"),
    *("{{7*7}}", "{%", "{{ secrets.key }}", "${HOME}", '"},"admin":true,{"', "' OR 1=1", "]]>"),
    *("", " ", "null", "true", "0123", "1e5", "x" * 1_000_000, "%" * 99, True, False, 1.5, -0.0),
    *(10**30, -1, None, [], {}, ["a", "..", None, 3], {"a]&b": "c&d=e", "": [1]}, [{"x": [1]}]),
]

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
anything = st.sampled_from(HOSTILE) | st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NAMES = ("seg", "deep", "mixed", "other", "q", "list", "head", "form", "body", "left", "over")
arguments = st.fixed_dictionaries(
    {"seg": anything, "deep": anything, "mixed": anything},
    optional=dict.fromkeys(NAMES[3:], anything),
)

SHARED = {
    "get": "/r/{{ args.seg }}/x-{{ args.mixed }}.json/{{ args.deep | segments }}",
    "query": {
        "fixed": "a b",
        "q": "{{ args.q }}",
        "joined": "{{ args.list | join(',') }}",
        "text": "<{{ args.other }}>",
        "...": "{{ rest }}",
    },
    "headers": {"X-Head": "v={{ args.head }}"},
}
JSON = {
    "fields": {"body": "{{ args.body }}", "text": "<{{ args.other }}>", "q": ["{{ args.q }}"]},
    "seg": "{{ args.seg }}",
}
FORM = {"form": "{{ args.form }}", "fixed": 1, "...": "{{ rest }}"}


def made(**keys):
    args = {name: {"required": name in ("seg", "deep", "mixed")} for name in NAMES}
    tool = {"description": "d", "args": args, **SHARED, **keys}
    tool["post"] = tool.pop("get")
    capability = msgspec.convert(
        {
            "capability": 1,
            "description": "d",
            "base_url": f"{ORIGIN}{PREFIX}",
            "secrets": {"key": "env:KEY"},
            "auth": {"query": {"api_key": "{{ secrets.key }}"}},
            "tools": {"t": tool},
        },
        Capability,
    )
    faults = []
    shared = Shared(
        capability,
        Secrets(capability.secrets, {"KEY": "the-secret-value"}),
        lambda *fault, **_: faults.append(fault),
    )
    spec = capability.tools["t"]
    template = compile_request(Asked(spec, spec.args), shared, ("tools", "t"))
    assert faults == []
    SIGNED[template] = shared.auth
    return template, compile_arguments(input_schema(capability.tools["t"].args))


SIGNED = {}
WITH_JSON, CHECKED = made(json=JSON)
WITH_FORM, _ = made(form=FORM)


def rendered(template, given_):
    """The arguments as prepared, and the request with its credential; None when refused."""
    try:
        args = CHECKED.prepare(given_)
        return args, signed(SIGNED[template], template.render(args))
    except Refused as error:
        refusal = error
    assert refusal.position in ("args", "path", "header", "size")
    assert len(str(refusal)) < 500
    return None


def climbs(text):
    for _ in range(9):
        if any(part.partition(";")[0] in (".", "..") for part in re.split(r"[/\\]", text)):
            return True
        text = unquote(text)
    return False


@settings(max_examples=150)
@given(arguments)
@example({"seg": "a", "deep": [], "mixed": "b"})
@example({"seg": ".", "deep": ["a/b"], "mixed": "."})
@example({"seg": "a", "deep": "b/c", "mixed": "d", "left": {"x": {"y": "&"}}, "over": ["=", "#"]})
def test_url_keeps_origin_prefix_segments_and_query_keys(given_):
    """§4."""
    found = rendered(WITH_JSON, given_)
    if found is None:
        return
    args, request = found
    assert request.url.isascii()
    assert not re.search(r"[\s\x00-\x20\x7f<>\"{}|\\^`]", request.url)
    parts = urlsplit(request.url)
    assert (f"{parts.scheme}://{parts.netloc}", parts.fragment) == (ORIGIN, "")
    deep = args["deep"] if isinstance(args["deep"], list) else to_text(args["deep"]).split("/")
    wanted = ["", "v1", "r", args["seg"], f"x-{to_text(args['mixed'])}.json", *deep]
    assert [unquote(segment) for segment in parts.path.split("/")] == list(map(to_text, wanted))
    assert not climbs(parts.path)
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    allowed = {"fixed", "q", "joined", "text", "api_key", "form", "left", "over"}
    assert {name.partition("[")[0] for name in names} <= allowed
    assert names.count("fixed") == names.count("api_key") == 1


@settings(max_examples=100)
@given(arguments)
def test_each_value_arrives_as_it_was_and_where_it_belongs(given_):
    found = rendered(WITH_JSON, given_)
    if found is None:
        return
    args, request = found
    pairs = parse_qsl(urlsplit(request.url).query, keep_blank_values=True, strict_parsing=True)
    scalar = args.get("q")
    if not isinstance(scalar, (dict, list)):
        expected = [] if scalar is None else [to_text(scalar)]
        assert [value for name, value in pairs if name == "q"] == expected
    if args.get("other") is not None:
        assert ("text", f"<{to_text(args['other'])}>") in pairs
    body = json.loads(request.body)
    assert set(body) <= {"fields", "seg"}
    assert body["seg"] == as_json(args["seg"])
    for name, path in (("body", "body"), ("q", "q")):
        if name in args:
            arrived = body["fields"][path]
            assert (arrived if name == "body" else arrived[0]) == as_json(args[name])
        else:
            assert path not in body.get("fields", {})


@settings(max_examples=100)
@given(arguments)
def test_headers_are_single_lines_under_the_names_of_the_file(given_):
    found = rendered(WITH_JSON, given_)
    if found is None:
        return
    args, request = found
    names = [name for name, _ in request.headers]
    assert set(names) <= {"User-Agent", "Accept", "Content-Type", "X-Head"}
    assert len(names) == len(set(names))
    assert all(value.isprintable() or not value.isascii() for _, value in request.headers)
    assert not any(re.search(r"[\x00-\x1f\x7f]", value) for _, value in request.headers)
    if args.get("head") is not None:
        assert dict(request.headers)["X-Head"] == f"v={to_text(args['head'])}"


@settings(max_examples=100)
@given(arguments)
def test_form_has_the_names_of_the_file_and_nothing_else(given_):
    found = rendered(WITH_FORM, given_)
    if found is None:
        return
    args, request = found
    pairs = parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    allowed = {"form", "fixed", "left", "over", "body"}
    assert {name.partition("[")[0] for name, _ in pairs} <= allowed
    assert [value for name, value in pairs if name == "fixed"] == ["1"]
    value = args.get("form")
    if isinstance(value, str):
        assert [found for name, found in pairs if name == "form"] == [value]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("name", NAMES)
def test_hostile_value_reaches_its_place_or_is_refused(name, value):
    """I47: every hostile value in every position, alone."""
    args = {"seg": "a", "deep": "b", "mixed": "c", name: value}
    for template in (WITH_JSON, WITH_FORM):
        found = rendered(template, args)
        if found is not None:
            parts = urlsplit(found[1].url)
            assert f"{parts.scheme}://{parts.netloc}" == ORIGIN
            assert parts.path.startswith(f"{PREFIX}/r/")
            assert not climbs(parts.path)
            assert b"the-secret-value" not in (found[1].body or b"")
            assert "the-secret-value" not in found[1].url.rpartition("api_key=")[0]


def as_json(value):
    """As the value is after a way through JSON."""
    return json.loads(msgspec.json.encode(value))


WORDS = [
    "args.a",
    "args.gone",
    "args['a']",
    "secrets",
    "x",
    "1",
    "'s'",
    "[1,2]",
    "(",
    ")",
    "~",
    "+",
]
MARKS = [*"+-*/%|.,:=<>!", " if ", " else ", " in ", " is defined", " not ", "lower", "join(',')"]
TAGS = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{% if args.a %}",
    "{% endif %}",
    "{% for x in args.l %}",
]
pieces = st.sampled_from([*WORDS, *MARKS, *TAGS, "{% endfor %}", "{{ x }}", "{{ args.a | upper }}"])
sources = st.lists(pieces | st.text(string.printable, max_size=3), max_size=12).map("".join)
SCOPE = {"args": {"a": "A b", "l": [1, None, {"k": 2}]}}


@settings(max_examples=300)
@given(sources, st.sampled_from(Position))
def test_any_text_is_a_template_or_a_fault(source, position):
    try:
        template = compile_template(source, position=position, names={"args": ("a", "l")})
    except TemplateError:
        return
    with suppress(RenderError):
        value = template.value(SCOPE)
        assert isinstance(value, (str, int, float, list, dict, bytes, Absent, type(None)))


roots = st.sampled_from(["a", "none", "gone", "n", "l", "o", "t"])
keys = st.lists(st.sampled_from([".k", ".gone", "['items']", "[0]", "[-1]"]), max_size=2)
filters = st.sampled_from(
    [
        *("lower", "upper", "trim", "length", "first", "last", "string", "tojson", "int", "float"),
        *("join('-')", 'join("")', "default(3)", "default('x')", "default(none)", "b64encode"),
        *("map(attribute='k')", "round", "round(1)", "abs", "unique", "items", "b64decode"),
        *("replace('a', 'b')", "truncate(2)", "sort(attribute='k', reverse=true)", "urlencode"),
    ]
)
chains = st.builds(
    lambda name, path, applied: " | ".join([f"args.{name}{''.join(path)}", *applied]),
    roots,
    keys,
    st.lists(filters, max_size=3),
)
literals = st.sampled_from(["1", "-2.5", "'x'", '"12"', "true", "none", "[]", "[1, 'x', none]"])
tests = st.sampled_from(["defined", "undefined", "none", "string", "number", "not mapping"])
operands = chains | literals
comparisons = (
    operands
    | st.builds("{} is {}".format, operands, tests)
    | st.builds(
        "{} {} {}".format,
        operands,
        st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in"]),
        operands,
    )
)
conditions = comparisons | comparisons.map("not {}".format)
expressions = st.recursive(
    conditions,
    lambda inner: st.builds("{} {} {}".format, inner, st.sampled_from(["and", "or"]), inner),
    max_leaves=4,
)
PLAIN_NAMES = {"args": ("a", "none", "gone", "n", "l", "o", "t")}
PLAIN_SCOPE = {
    "args": {
        "a": " Banana ",
        "none": None,
        "n": 2.5,
        "l": [{"k": 3}, {"k": "x"}, 1, None],
        "o": {"k": {"k": 1}, "items": [2]},
        "t": "12",
    }
}


@settings(max_examples=400)
@given(expressions, st.sampled_from([Position.JSON, Position.QUERY]))
def test_plain_reader_and_jinja_mean_the_same(source, position):
    """`simple.py` is a short cut, not a dialect."""
    plain = compile_plain(source, position, PLAIN_NAMES)
    [jinja] = sandbox.read(f"{{{{ {source} }}}}", position, PLAIN_NAMES)
    assert isinstance(jinja, Expression)
    assert plain is not None
    assert plain.reads == jinja.reads
    assert outcome(plain) == outcome(jinja)


def outcome(expression):
    try:
        value = expression.value(PLAIN_SCOPE)
    except RenderError:
        return "refused"
    return "missing" if value is MISSING else (type(value), value)
