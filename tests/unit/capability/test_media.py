"""Answers that are XML, bytes or GraphQL: read, linked to, and judged."""

import base64
import encodings
import json

import pytest

from gateway.capability.answers.binary import linked, name_of
from gateway.capability.compiled import Oversize
from gateway.credentials.redact import Redactor
from gateway.domain.issue import Severity
from gateway.errors import BadResponse, UpstreamFailed
from gateway.http.message import HttpResponse
from tests.peers.bodies import compiled, loaded

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
SOAP = b"<s:Envelope xmlns:s='urn:s'><s:Body><R><rate>1.08</rate></R></s:Body></s:Envelope>"
GRAPHQL = {"query": "{ viewer { name } }"}


def read(body, response=None, *, kind="text/xml", status=200, headers=None, **tool):
    spec = {"get": "/x", "response": response or {}, **tool}
    if "graphql" in tool:
        spec = {key: each for key, each in spec.items() if key != "get"} | {"post": "/x"}
    told = {"content-type": kind} if kind else {}
    answer = HttpResponse(status, {**told, **(headers or {})}, body)
    return compiled(spec).tool.read({}, answer)


def value(*args, **kwargs):
    return json.loads(read(*args, **kwargs).structured)


def messages(tool):
    found = loaded({"get": "/x", **tool}).issues
    return [issue.message for issue in found if issue.severity is Severity.ERROR]


# XML


@pytest.mark.parametrize("kind", ["text/xml", "application/soap+xml; charset=utf-8", "a/xml"])
def test_xml_is_a_value_by_its_type(kind):
    assert value(SOAP, kind=kind) == {"Envelope": {"Body": {"R": {"rate": "1.08"}}}}
    assert value(SOAP, {"select": "$.Envelope.Body.R.rate"}, kind=kind) == "1.08"


def test_as_xml_reads_what_does_not_call_itself_xml():
    given = {"as": "xml", "select": "$.Envelope.Body.R", "map": {"r": "$.rate"}}
    assert value(SOAP, given, kind="text/plain") == {"r": "1.08"}
    assert value(SOAP, given, kind=None) == {"r": "1.08"}


def test_attributes_and_texts_are_selected_in_brackets():
    body = b"<l><i id='1'>a</i><i id='2'>b</i></l>"
    given = {"select": "$.l.i[*]", "map": {"id": "$['@id']", "t": "$['#text']"}}
    assert value(body, given) == [{"id": "1", "t": "a"}, {"id": "2", "t": "b"}]


def test_xml_that_cannot_be_read_is_text_unless_somebody_needs_it():
    body = b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"
    result = read(body)
    assert result.structured is None
    assert result.content[0]["text"] == body.decode()
    for given in ({"as": "xml"}, {"select": "$.a"}):
        said = r"text/xml that cannot be read as XML \(it brings a DTD of its own"
        with pytest.raises(BadResponse, match=said):
            read(body, given)


def test_an_empty_answer_is_an_empty_object_for_xml_and_bytes():
    assert value(b"", {"as": "xml"}) == {}
    assert value(b"", {"as": "binary"}, status=204) == {}


def test_rules_read_the_body_of_a_fault():
    fault = (
        b"<s:Envelope xmlns:s='urn:s'><s:Body><s:Fault><faultstring>No such pair</faultstring>"
        b"</s:Fault></s:Body></s:Envelope>"
    )
    rules = [
        {
            "when": "body.Envelope.Body.Fault",
            "message": "Bank: {{ body.Envelope.Body.Fault.faultstring }}",
        }
    ]
    for status in (200, 500):
        with pytest.raises(UpstreamFailed, match=r"^Bank: No such pair$"):
            read(fault, {"as": "xml"}, status=status, errors=rules)
    with pytest.raises(UpstreamFailed, match=r"HTTP 500 from api\.t: .*No such pair"):
        read(fault, status=500)
    with pytest.raises(UpstreamFailed, match=r"HTTP 502 from api\.t: broken$"):
        read(b"<html>broken", status=502)


def test_large_xml_is_cut_by_its_structure():
    body = b"<l>" + b"<i>abcdefgh</i>" * 500 + b"</l>"
    result = read(body, {"max_bytes": 1000})
    assert result.meta["total"] == 500
    assert len(result.structured) <= 1000
    assert set(json.loads(result.structured)["l"]["i"]) == {"abcdefgh"}


# bytes


@pytest.mark.parametrize(
    ("body", "kind", "block", "type_"),
    [
        (PNG, "image/png", "image", "image/png"),
        (PNG, None, "image", "image/png"),
        (PNG, "application/octet-stream", "image", "image/png"),
        (PNG, "image/jpg", "image", "image/jpeg"),
        (b"ID3\x04", "binary/octet-stream", "audio", "audio/mpeg"),
        (b"x", "audio/x-thing", "audio", "audio/x-thing"),
        (b"%PDF-1.7\n%", "application/octet-stream", "resource", "application/pdf"),
        (b'{"a":1}', "application/json", "resource", "application/json"),
        (b"a,b", "text/csv; charset=utf-8", "resource", "text/csv"),
        (b"hello", None, "resource", "application/octet-stream"),
        (b"<svg/>", "image/svg+xml", "resource", "image/svg+xml"),
    ],
)
def test_as_binary_gives_bytes_whatever_they_are(body, kind, block, type_):
    (found,) = read(body, {"as": "binary"}, kind=kind).content
    assert found["type"] == block
    inner = found.get("resource", found)
    assert inner["mimeType"] == type_
    assert base64.b64decode(inner.get("blob", inner.get("data"))) == body


def test_auto_looks_at_bytes_without_a_type():
    assert read(PNG, kind="application/octet-stream").content[0]["type"] == "image"
    assert read(b"text", kind=None).content[0]["type"] == "text"


def test_bytes_over_the_cap_become_a_link():
    found = read(PNG * 2000, {"as": "binary"}, kind="image/png")
    assert isinstance(found, Oversize)
    assert (found.name, found.type, len(found.data)) == ("t.png", "image/png", 56_000)
    assert "PNG" not in repr(found)
    result = linked(found, "capgate://api/files/x", 10)
    assert result.content[0] == {
        "type": "resource_link",
        "uri": "capgate://api/files/x",
        "name": "t.png",
        "mimeType": "image/png",
        "size": 56_000,
    }
    assert "capgate://api/files/x within 10 minutes" in result.content[1]["text"]
    assert read(PNG * 2000, {"as": "binary", "max_bytes": "1m"}).content[0]["type"] == "resource"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ('attachment; filename="a b.pdf"', "a b.pdf"),
        ("attachment; filename=report.pdf", "report.pdf"),
        ("attachment; filename=x; filename*=UTF-8''na%C3%AFve.pdf", "naïve.pdf"),
        ('inline; filename="../../etc/passwd"', "passwd"),
        ('inline; filename=".."', "tool.pdf"),
        ("inline", "tool.pdf"),
        ("attachment; filename*=UTF-8''%0d%0aa.pdf", "a.pdf"),
    ],
)
def test_a_file_is_called_as_its_answer_calls_it_or_after_its_tool(said, name):
    assert name_of({"content-disposition": said}, "tool", "application/pdf") == name


def test_bytes_that_repeat_a_secret_do_not_pass():
    redactor = Redactor()
    redactor.learn("k3y-4711-x")
    made = compiled({"get": "/x", "response": {"as": "binary"}}).tool
    object.__setattr__(made.read.__self__, "redactor", redactor)
    for size in (1, 50_000):
        body = b"\xff" * size + b"k3y-4711-x"
        with pytest.raises(BadResponse, match="repeats a secret"):
            made.read({}, HttpResponse(200, {"content-type": "image/png"}, body))


@pytest.mark.parametrize(
    ("tool", "message"),
    [
        ({"response": {"as": "binary", "select": "$.a"}}, "binary has nothing to select or map"),
        ({"response": {"as": "text", "limit": 1}}, "text has nothing to select or map"),
        ({"response": {"as": "binary", "text": "x"}}, "bytes have no 'text' and no 'output'"),
        (
            {"response": {"as": "binary"}, "output": {"type": "object"}},
            "bytes have no 'text' and no 'output'",
        ),
        ({"response": {"each": "$.a"}}, "'each' is of a stream"),
        ({"response": {"as": "json", "join": True}}, "'join' is of a stream"),
        ({"response": {"as": "sse"}, "cache": "5m"}, "a stream cannot be kept"),
    ],
)
def test_keys_that_do_not_go_together_are_refused(tool, message):
    assert messages(tool) == [message]


# GraphQL


@pytest.mark.parametrize("data", [None, {"viewer": None}, {"viewer": {"name": "a"}}])
def test_errors_in_a_200_are_errors_whatever_came_with_them(data):
    body = {"data": data, "errors": [{"message": "no such field"}, {"message": "second"}]}
    raw = json.dumps(body).encode()
    with pytest.raises(UpstreamFailed, match=r"^api\.t failed: no such field$"):
        read(raw, kind="application/json", graphql=GRAPHQL)
    with pytest.raises(UpstreamFailed, match="no such field"):
        read(raw, {"select": "$.data"}, kind="application/graphql-response+json", graphql=GRAPHQL)


def test_an_author_can_take_partial_data_or_say_it_better():
    raw = json.dumps({"data": {"a": 1}, "errors": [{"message": "m"}]}).encode()
    given = {"kind": "application/json", "graphql": GRAPHQL}
    partial = [{"when": "body.data", "then": "ok"}]
    assert value(raw, {"select": "$.data"}, errors=partial, **given) == {"a": 1}
    better = [{"when": "body.errors", "message": "Said: {{ body.errors[0].message }}"}]
    with pytest.raises(UpstreamFailed, match=r"^Said: m$"):
        read(raw, errors=better, **given)


def test_no_errors_are_a_result_and_other_tools_have_no_such_rule():
    for body in ({"data": {"a": 1}}, {"data": {"a": 1}, "errors": []}):
        raw = json.dumps(body).encode()
        assert value(raw, kind="application/json", graphql=GRAPHQL)["data"] == {"a": 1}
    raw = b'{"errors":[{"message":"m"}]}'
    assert value(raw, kind="application/json") == {"errors": [{"message": "m"}]}


# what does not fit


def test_an_authors_text_that_is_cut_says_so_and_leaves_the_structure_whole():
    body = json.dumps([{"n": n} for n in range(40)]).encode()
    text = "{% for r in result %}{{ r.n }} and a long line of it{% endfor %}"
    args = {"page": {"type": "integer"}, "id": {"type": "string", "required": True}}
    given = {"response": {"text": text, "max_bytes": 600}, "get": "/{{ args.id }}"}
    tool = compiled({**given, "args": args, "query": "{{ rest }}"}).tool
    answer = HttpResponse(200, {"content-type": "application/json"}, body)
    result = tool.read({"id": "x"}, answer)
    said, notice = (block["text"] for block in result.content)
    assert len(said.encode()) <= 600
    assert said.endswith("]")
    assert notice.startswith("Truncated: ")
    assert notice.endswith(" characters in all. Narrow with: page.")
    assert (result.meta, len(json.loads(result.structured))) == ({"truncated": True}, 40)


def test_text_of_any_kind_is_cut_with_a_word_about_it():
    for kind, given in (("text/plain", {}), ("text/xml", {"as": "text"})):
        result = read(b"<" + b"x" * 1000, {**given, "max_bytes": 300}, kind=kind)
        assert len(result.content[0]["text"].encode()) <= 300
        assert result.content[1]["text"] == "Truncated: 1 001 characters in all."
        assert result.meta == {"truncated": True}


def test_a_cut_list_says_how_much_of_it_is_left():
    raw = json.dumps([{"i": "x" * 50}] * 412).encode()
    result = read(raw, {"max_bytes": 2000}, kind="application/json")
    left = len(json.loads(result.structured))
    assert result.meta == {"truncated": True, "returned": left, "total": 412}
    assert result.content[1]["text"] == f"Truncated: {left} of 412 items."


# charsets


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        *(("latin-1", "é"), ("iso-8859-15", "€"), ("windows-1252", "€”"), ("windows-1251", "Ж")),
        *(("utf-16", "é文"), ("utf-16le", "é文"), ("utf-16be", "é文"), ("utf-32", "é")),
        *(("shift_jis", "文字"), ("euc-jp", "文字"), ("gb18030", "文字😀"), ("gbk", "文字")),
        *(("big5", "文字"), ("euc-kr", "한글"), ("koi8-r", "Ж"), ("US-ASCII", "e")),
        *(("UTF-8", "é"), ('"utf-8"', "é")),
    ],
)
def test_every_declared_charset_is_read_in_text_and_json_and_xml(charset, text):
    codec = charset.strip('"')
    said = f"; charset={charset}"
    plain = read(text.encode(codec), kind=f"text/plain{said}")
    assert plain.content[0]["text"].removeprefix("\ufeff") == text
    raw = json.dumps({"a": text}, ensure_ascii=False).encode(codec)
    assert value(raw, kind=f"application/json{said}") == {"a": text}
    assert value(f"<a>{text}</a>".encode(codec), kind=f"text/xml{said}") == {"a": text}


@pytest.mark.parametrize("charset", ["nix", "rot13", "zip", "punycode", "undefined", "utf-7", ""])
def test_a_charset_that_is_none_counts_as_not_said_f6(charset):
    body = "é".encode()
    assert read(body, kind=f"text/plain; charset={charset}").content[0]["text"] == "é"
    assert value(b'{"a":"\xc3\xa9"}', kind=f"application/json; charset={charset}") == {"a": "é"}
    assert value(b"<a>\xc3\xa9</a>", kind=f"text/xml; charset={charset}") == {"a": "é"}


def test_charsets_that_an_api_makes_up_are_not_remembered_i58():
    """Python keeps every name it was ever asked for, found or not."""
    before = len(encodings._cache)
    for number in range(100):
        assert value(b"1", kind=f"application/json; charset=windows-{number}") == 1
        assert value(b"1", kind=f"application/json; charset=windows{'-' * number}1252") == 1
    assert len(encodings._cache) <= before + 1


def test_a_wrong_charset_is_replaced_in_text_and_an_error_in_values_f6():
    bad = "é".encode("latin-1")
    assert read(bad, kind="text/plain; charset=utf-8").content[0]["text"] == "\ufffd"
    assert read(bad + b"x", kind="text/plain; charset=shift_jis").content[0]["text"]
    for kind, body in (("application/json", b'"%s"'), ("text/xml", b"<a>%s</a>")):
        with pytest.raises(BadResponse, match="cannot be read as"):
            read(body % bad, {"select": "$.a"}, kind=f"{kind}; charset=utf-8")


def test_a_byte_order_mark_is_no_part_of_the_text():
    for charset in ("utf-8-sig", "utf-16"):
        assert read("é".encode(charset), kind="text/plain").content[0]["text"] == "é"
        assert value('{"a":"é"}'.encode(charset), kind="application/json") == {"a": "é"}
        assert value("<a>é</a>".encode(charset), kind="text/xml") == {"a": "é"}
