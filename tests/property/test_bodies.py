"""What a caller says stays in its place of the body, as other parsers than ours read it (I47)."""

import json
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import python_multipart
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.capability.expressions.values import Refused
from gateway.http.message import HttpRequest
from tests.peers.bodies import compiled, header

HOSTILE = (
    '"; name="admin', "\r\n--", "--capgate-", "\r\n\r\n", "Content-Disposition: form-data", "\0",
    "</a>", "<a>", "]]>", "<!--", "&x;", "&#0;", '"/><b a="', "<![CDATA[", "<?x?>", "\ufffe",
    "&a=b", "a]=b", "+", "%26", "{{ 7*7 }}", "../../etc/passwd", "\u202e", "é", "\ud800", "\x1f",
)  # fmt: skip
texts = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=6), max_size=5).map("".join)
values = texts | st.integers() | st.booleans() | st.lists(texts, max_size=4)
STRING: dict[str, Any] = {}
ARGS = {"a": STRING, "b": STRING, "name": STRING}
MULTIPART = compiled(
    {
        "args": ARGS,
        "post": "/x",
        "multipart": {
            "first": "{{ args.a }}",
            "file": {"data": "{{ args.b }}", "filename": "{{ args.name }}"},
            "last": "end",
        },
    }
).tool
XML = compiled(
    {
        "args": ARGS,
        "post": "/x",
        "xml": (
            "<r><a k=\"{{ args.a }}\" l='{{ args.b }}'>{{ args.a }}{{ args.b }}</a>"
            "{% if args.name %}<n>{{ args.name }}</n>{% else %}<n/>{% endif %}</r>"
        ),
    }
).tool
FORM = compiled(
    {
        "args": {"a": STRING, "b": STRING},
        "post": "/x",
        "form": {"a": "{{ args.a }}", "b": {"c": "{{ args.b }}"}, "end": "1"},
    }
).tool


def received(request: HttpRequest) -> list[tuple[dict[str, str], bytes]]:
    """The parts as python-multipart reads them: their headers, and their data."""
    found: list[tuple[dict[str, str], bytes]] = []
    name = bytearray()
    value = bytearray()

    def field(data: bytes, start: int, end: int) -> None:
        name.extend(data[start:end])

    def said(data: bytes, start: int, end: int) -> None:
        value.extend(data[start:end])

    def over() -> None:
        found[-1][0][name.decode().lower()] = value.decode("latin-1")
        name.clear()
        value.clear()

    def came(data: bytes, start: int, end: int) -> None:
        found[-1] = (found[-1][0], found[-1][1] + data[start:end])

    boundary = header(request, "Content-Type").partition("boundary=")[2]
    parser = python_multipart.MultipartParser(
        boundary,
        {
            "on_part_begin": lambda: found.append(({}, b"")),
            "on_header_field": field,
            "on_header_value": said,
            "on_header_end": over,
            "on_part_data": came,
        },
    )
    parser.write(request.body or b"")
    parser.finalize()
    return found


def texts_of(value: Any) -> list[bytes]:
    several = value if isinstance(value, list) else [value]
    return [(each if isinstance(each, str) else json.dumps(each)).encode() for each in several]


@settings(max_examples=400, deadline=None)
@given(values, values, texts)
def test_every_part_is_the_authors_and_holds_what_was_said(a: Any, b: Any, name: str) -> None:
    try:
        request = MULTIPART.request({"a": a, "b": b, "name": name})
    except Refused:
        assert any(
            "\ud800" <= char <= "\udfff" for char in json.dumps([a, b, name], ensure_ascii=False)
        )
        return
    parts = received(request)
    wanted = [("first", data) for data in texts_of(a)]
    wanted += [("file", data) for data in texts_of(b)]
    assert [data for _, data in parts] == [*(data for _, data in wanted), b"end"]
    for (headers, _), (field, _) in zip(parts, [*wanted, ("last", b"")], strict=True):
        allowed = {"content-disposition"} | ({"content-type"} if field == "file" else set())
        assert set(headers) <= allowed
        said, options = python_multipart.multipart.parse_options_header(
            headers["content-disposition"]
        )
        assert (said, options[b"name"]) == (b"form-data", field.encode())
        assert set(options) <= {b"name", b"filename"}
        filename = options.get(b"filename", b"x").decode()
        assert filename
        assert not set(filename) & set('/\\"\r\n\0\u202e')
        assert filename.strip(".")


@settings(max_examples=400, deadline=None)
@given(values, values, texts)
def test_a_document_has_the_elements_of_its_template(a: Any, b: Any, name: str) -> None:
    try:
        request = XML.request({"a": a, "b": b, "name": name})
    except Refused:
        return
    root = ET.fromstring(request.body or b"")  # noqa: S314  our own document
    assert [each.tag for each in root.iter()] == ["r", "a", "n"]
    assert [sorted(each.attrib) for each in root.iter()] == [[], ["k", "l"], []]
    for kept, said in ((root[0].get("k"), a), (root[1].text or "", name)):
        if isinstance(said, str):
            assert kept == said


@settings(max_examples=300, deadline=None)
@given(values, values)
def test_a_form_has_the_names_of_its_template(a: Any, b: Any) -> None:
    try:
        request = FORM.request({"a": a, "b": b})
    except Refused:
        return
    pairs = parse_qsl((request.body or b"").decode(), keep_blank_values=True)
    wanted = [("a", data.decode()) for data in texts_of(a)]
    wanted += [("b[c]", data.decode()) for data in texts_of(b)]
    assert pairs == [*wanted, ("end", "1")]
