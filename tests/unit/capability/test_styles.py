"""Arrays and objects in a query and a form: each style of OpenAPI, and those of other houses."""

from urllib.parse import parse_qsl

import pytest

from gateway.capability.examples.checking import check
from gateway.domain.issue import Severity
from tests.peers.bodies import header, loaded, sent

LIST = ["a b", "c,d", 3, True]
OBJECT = {"R": 100, "G": "x y", "none": None}
DEEP = {"a": {"b": [1, 2], "c": {"d": "e"}}, "f": []}
ROWS = [{"id": 1, "tags": ["x", "y"]}, {"id": 2}]

STYLES = [  # OpenAPI's name, the pairs, the arguments, what is sent
    ("form, explode", {"k": "{{ args.v }}"}, LIST, "k=a+b&k=c%2Cd&k=3&k=true"),
    ("form", {"k": "{{ args.v | join(',') }}"}, LIST, "k=a+b%2Cc%2Cd%2C3%2Ctrue"),
    ("spaceDelimited", {"k": "{{ args.v | join(' ') }}"}, ["a", "b"], "k=a+b"),
    ("pipeDelimited", {"k": "{{ args.v | join('|') }}"}, ["a", "b"], "k=a%7Cb"),
    (
        "form, explode, of an object",
        {"R": "{{ args.v.R }}", "G": "{{ args.v.G }}", "B": "{{ args.v.B }}"},
        OBJECT,
        "R=100&G=x+y",
    ),
    (
        "form, of an object",
        {
            "k": "{% for n, v in args.v | items %}{{ n }},{{ v }}"
            "{% if not loop.last %},{% endif %}{% endfor %}"
        },
        {"R": 1, "G": 2},
        "k=R%2C1%2CG%2C2",
    ),
    ("deepObject", {"k": "{{ args.v }}"}, OBJECT, "k%5BR%5D=100&k%5BG%5D=x+y"),
    (
        "deepObject, nested",
        {"k": "{{ args.v }}"},
        DEEP,
        "k%5Ba%5D%5Bb%5D=1&k%5Ba%5D%5Bb%5D=2&k%5Ba%5D%5Bc%5D%5Bd%5D=e",
    ),
    ("brackets", {"tags[]": "{{ args.v }}"}, ["a", "b"], "tags%5B%5D=a&tags%5B%5D=b"),
    ("indexed", {"k": "{{ args.v | indexed }}"}, ["a", "b"], "k%5B0%5D=a&k%5B1%5D=b"),
    (
        "indexed objects",
        {"rows": "{{ args.v | indexed }}"},
        ROWS,
        (
            "rows%5B0%5D%5Bid%5D=1&rows%5B0%5D%5Btags%5D%5B0%5D=x&rows%5B0%5D%5Btags%5D%5B1%5D=y"
            "&rows%5B1%5D%5Bid%5D=2"
        ),
    ),
    ("json", {"k": "{{ args.v | tojson }}"}, {"a": [1]}, "k=%7B%22a%22%3A%5B1%5D%7D"),
    (
        "objects in a list",
        {"k": "{{ args.v }}"},
        [{"a": 1}, [2]],
        "k=%7B%22a%22%3A1%7D&k=%5B2%5D",
    ),
    ("literal", {"k": ["x", "{{ args.v }}"], "o": {"s": "{{ args.v }}"}}, 1, "k=x&k=1&o%5Bs%5D=1"),
    ("empty", {"k": "{{ args.v }}", "l": "1"}, [], "l=1"),
]


@pytest.mark.parametrize(
    ("pairs", "given", "text"), [row[1:] for row in STYLES], ids=[r[0] for r in STYLES]
)
def test_a_style_is_the_same_in_a_query_and_in_a_form(pairs, given, text):
    args = {"v": {}}
    query = sent({"args": args, "get": "/x", "query": pairs}, {"v": given})
    assert query.url.partition("?")[2] == text
    form = sent({"args": args, "post": "/x", "form": pairs}, {"v": given})
    assert form.body.decode() == text
    assert header(form, "content-type") == "application/x-www-form-urlencoded"


@pytest.mark.parametrize("pairs", [row[1] for row in STYLES if "l" not in row[1]], ids=repr)
def test_a_style_of_what_is_not_given_sends_nothing(pairs):
    request = sent({"args": {"v": {}}, "post": "/x", "form": pairs}, {})
    assert request.body.decode() in ("", "k=x")


@pytest.mark.parametrize(
    "hostile", ["a&b=c", "a]=1&k[x", "x=y#z", "a\r\nb", "{{7*7}}", "%26", "+ "]
)
def test_neither_values_nor_keys_add_a_pair_i47(hostile):
    for value in (hostile, [hostile], {"s": hostile}, {hostile: "v"}):
        request = sent(
            {"args": {"v": {}}, "post": "/x", "form": {"k": "{{ args.v }}"}}, {"v": value}
        )
        ((name, found),) = parse_qsl(request.body.decode(), keep_blank_values=True)
        assert name in ("k", "k[s]", f"k[{hostile}]")
        assert found in (hostile, "v")


@pytest.mark.parametrize(
    ("body", "usual"),
    [
        ({"json": {"a": 1}}, "application/json"),
        ({"form": {"a": 1}}, "application/x-www-form-urlencoded"),
        ({"text": "a"}, "text/plain; charset=utf-8"),
        ({"xml": "<a/>"}, "application/xml; charset=utf-8"),
        ({"bytes": "a"}, "application/octet-stream"),
        ({"graphql": {"query": "{ a }"}}, "application/json"),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
def test_an_authors_content_type_stands_in_the_place_of_the_usual_one(body, usual):
    assert header(sent({"post": "/x", **body}, {}), "Content-Type") == usual
    for kind in ("application/vnd.api+json", "application/x-ndjson"):
        own = {"post": "/x", **body, "headers": {"content-type": kind}}
        assert header(sent(own, {}), "Content-Type") == kind
        of_file = sent({"post": "/x", **body}, {}, {"headers": {"Content-Type": kind}})
        assert header(of_file, "content-type") == kind


def test_bytes_come_of_base64_and_what_is_none_is_refused():
    data = {"type": "string", "contentEncoding": "base64"}
    tool = {"args": {"d": data}, "put": "/x", "bytes": "{{ args.d | b64decode }}"}
    assert sent(tool, {"d": "/+8="}).body == b"\xff\xef"
    rejected = [{"args": {"d": "no!"}, "rejected": "args"}]
    assert check(loaded({**tool, "examples": rejected})) == ()


def test_what_an_earlier_step_brought_is_warned_of_in_a_text():
    steps = [
        {"id": "who", "get": "/w"},
        {"id": "say", "post": "/s", "text": "hello {{ steps.who.name }}"},
    ]
    (issue,) = loaded({"steps": steps}).issues
    assert issue.severity is Severity.WARNING
    assert issue.message == "steps.who stands in this text without escaping"
    assert not loaded({"steps": [steps[0], {**steps[1], "text": "{{ steps.who }}"}]}).issues
