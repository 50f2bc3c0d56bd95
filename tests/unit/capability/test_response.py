"""From an API's answer to a tool result, in the order of §6."""

import base64
import json

import msgspec
import pytest

from gateway.capability.answers.rules import OUR_KEY
from gateway.capability.compiled import Oversize
from gateway.capability.load import load
from gateway.credentials.redact import Redactor
from gateway.errors import BadResponse, OutputMismatch, UpstreamFailed
from gateway.http.message import HttpResponse

JSON = "application/json"
FILE = """
capability: 1
name: api
description: An API
base_url: https://api.example.com
vars: {{unit: km}}
tools:
  t:
    description: Create nothing.
    args:
      id: {{type: string, default: x}}
      page: {{type: integer}}
      tag: {{type: string}}
    post: /x
    query: {{id: "{{{{ args.id }}}}", "...": "{{{{ rest }}}}"}}
{more}
"""


def tool(more="", redactor=None):
    body = "".join(f"    {line}\n" for line in more.strip("\n").split("\n")) if more else ""
    loaded = load(
        FILE.format(more=body).encode(), "api.yaml", environ={}, redactor=redactor or Redactor()
    )
    assert loaded.capability, [str(issue) for issue in loaded.issues]
    return loaded.capability.tools["t"]


def answer(body, status=200, kind=JSON, **headers):
    if not isinstance(body, bytes):
        body = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    given = {"content-type": kind} if kind else {}
    return HttpResponse(status, {**given, **headers}, body)


def read(body, more="", *, args=None, redactor=None, **kwargs):
    return tool(more, redactor).read(args or {"id": "x"}, answer(body, **kwargs))


def value(body, more="", **kwargs):
    result = read(body, more, **kwargs)
    assert not result.is_error
    return json.loads(result.structured)


def said(body, more="", **kwargs):
    return read(body, more, **kwargs).content[0]["text"]


def secretive(*secrets):
    redactor = Redactor()
    for secret in secrets:
        redactor.learn(secret)
    return redactor


# decode


def test_untouched_json_passes_as_it_was_written():
    body = b'{"price": 1.10, "big": 12345678901234567890123, "u": "\xc3\xa9", "a": [1, 2]}'
    result = read(body)
    assert (
        result.structured
        == b'{"price":1.10,"big":12345678901234567890123,"u":"\xc3\xa9","a":[1,2]}'
    )
    assert result.content == ({"type": "text", "text": result.structured.decode()},)
    assert result.meta is None


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b'{"a":"\\u00e9\\/\\n"}', JSON, {"a": "é/\n"}),
        (b'{"a":1}', "application/problem+json", {"a": 1}),
        (b'{"a":1}', "text/json; charset=utf-8", {"a": 1}),
        (b'\xef\xbb\xbf{"a":1}', JSON, {"a": 1}),
        ('{"a":"é"}'.encode("utf-16"), JSON, {"a": "é"}),
        ('{"a":"é"}'.encode("latin-1"), "application/json; charset=ISO-8859-1", {"a": "é"}),
        (b'{"a":1}', "application/json; charset=punycode", {"a": 1}),
        (b'{"a":1}', "application/json; charset=iso-9999-1", {"a": 1}),
        (b"7", JSON, 7),
        (b"null", JSON, None),
        (b"[]", JSON, []),
        (b'{"a":1,"a":"\\n"}', JSON, {"a": "\n"}),
        (b'["\\ud83d","\\ud83d\\ude00","\\\\ud83d"]', JSON, ["\ufffd", "😀", "\\ud83d"]),
        (b"123456789012345678901234567890", JSON, 123456789012345678901234567890),
    ],
)
def test_json_is_read_in_any_charset_and_spelling_t12(body, kind, expected):
    assert value(body, kind=kind) == expected


@pytest.mark.parametrize("status", [200, 204, 205])
def test_no_body_is_an_empty_object_i58(status):
    assert value(b"", status=status) == {}
    assert value(b" \r\n", status=status) == {}
    assert value(b"ignored", status=204) == {}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>oops</html>", "oops"),
        (b'{"a":NaN}', "invalid character"),
        (b"[1,]", "trailing comma"),
        (b'{"a":', "it ends too early"),
        (b'["\\x1b[31m', "invalid escape"),
        (b'{"a":"\xff"}', "not UTF-8"),
        (b'{"a":"\xff\\n"}', "not UTF-8"),
        (b'{"b":"\\n","a":1e999}', "out of range"),
        (b"[" * 300 + b"]" * 300, "nested more than 200 levels deep"),
        (b"[" * 5000, "nested more than 200 levels deep"),
        (b'["\\n",' + b'{"a":[' * 120 + b'"]]]]"' + b"]}" * 120 + b"]", "more than 200 levels"),
    ],
)
def test_declared_json_that_cannot_be_read_is_an_error_i58(body, reason):
    with pytest.raises(BadResponse) as caught:
        read(body)
    text = str(caught.value)
    assert text.startswith("api.t answered with application/json that cannot be read as JSON")
    assert reason in text
    assert len(text) < 400
    assert text.isprintable()
    assert not isinstance(caught.value, OutputMismatch)


def test_wrong_charset_of_json_is_an_error_f6():
    with pytest.raises(BadResponse, match="cannot be read as JSON"):
        read(b'{"a":1}x', kind="application/json; charset=utf-16")


def test_deep_but_allowed_json_is_read():
    body = b'{"a":[' * 100 + b'"]]]] \\" \\\\"' + b"]}" * 100
    assert value(body)["a"]
    wide = b"[" + b'[],{},"]",' * 500 + b"1]"
    assert len(value(wide)) == 1501


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        (b"hello", "text/plain", "hello"),
        (b"<p>hi</p>", "text/html", "<p>hi</p>"),
        (b"a: 1", "application/yaml", "a: 1"),
        (b"<svg/>", "image/svg+xml", "<svg/>"),
        (b"<p/>", "application/xhtml+xml", "<p/>"),
        ("é".encode("latin-1"), "text/plain; charset=latin1", "é"),
        (b"\xff", "text/plain", "\ufffd"),
        ("é".encode("utf-16"), "text/plain", "é"),
        (b"\x00\xd8\x41\x00", "text/plain; charset=utf-16le", "\ufffdA"),
        (b"plain", None, "plain"),
        (b"plain", "application/octet-stream", "plain"),
        (b'{"a":1}', "text/plain", '{"a":1}'),
    ],
)
def test_text_is_text_and_has_no_structure_f6(body, kind, text):
    result = read(body, kind=kind)
    assert result.content == ({"type": "text", "text": text},)
    assert result.structured is None


def test_as_text_takes_anything_as_text():
    result = read({"a": 1}, "response: {as: text}")
    assert result.content[0]["text"] == '{"a":1}'
    assert result.structured is None
    assert said(b"", "response: {as: text}") == ""


def test_as_json_reads_json_whatever_it_calls_itself():
    assert value(b'{"a":1}', "response: {as: json}", kind="text/html") == {"a": 1}
    with pytest.raises(BadResponse, match="answered with something that cannot be read as JSON"):
        read(b"no", "response: {as: json}", kind=None)


def test_selecting_reads_json_of_any_type_and_refuses_a_page_i58():
    assert value(b'{"a":1}', "response: {select: $.a}", kind="text/plain") == 1
    with pytest.raises(BadResponse, match=r"answered with text/html that cannot be .*: Sign in$"):
        read(b"<html><h1>Sign in</h1>", "response: {select: $.a}", kind="text/html")


@pytest.mark.parametrize(
    ("kind", "block"),
    [("image/png", "image"), ("image/webp", "image"), ("audio/ogg; codecs=opus", "audio")],
)
def test_images_and_sound_become_their_blocks(kind, block):
    result = read(b"\x00\xff", kind=kind)
    data = base64.b64encode(b"\x00\xff").decode()
    assert result.content == ({"type": block, "data": data, "mimeType": kind.partition(";")[0]},)
    assert result.structured is None


@pytest.mark.parametrize("kind", ["application/zip", "image/tiff", None])
def test_other_bytes_become_an_embedded_resource(kind):
    block = read(b"\x00\xff", kind=kind).content[0]
    assert block["type"] == "resource"
    assert block["resource"] == {
        "uri": "capability://api/t",
        "mimeType": kind or "application/octet-stream",
        "blob": "AP8=",
    }


def test_bytes_larger_than_the_result_may_be_are_handed_over_to_be_kept():
    """The cap counts bytes as they are, not their base64."""
    just = read(b"\xff" * 300, "response: {max_bytes: 300}", kind="image/png")
    assert just.content[0]["type"] == "image"
    for kind, type_ in (("image/png; x=1", "image/png"), (None, "application/octet-stream")):
        found = read(b"\xff" * 301, "response: {max_bytes: 300}", kind=kind)
        assert isinstance(found, Oversize)
        assert (found.type, len(found.data)) == (type_, 301)


# select, limit, map


DATA = {"data": [{"id": 1, "n": {"x": "a"}}, {"id": 2, "n": {}}, {"id": 3}], "one": {"id": 9}}


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ("{select: $.one}", {"id": 9}),
        ("{select: $.none}", None),
        ("{select: '$.none[*]'}", []),
        ("{select: '$.data[*].id'}", [1, 2, 3]),
        ("{select: $.data, limit: 2}", DATA["data"][:2]),
        ("{select: $.one, limit: 2}", {"id": 9}),
        ('{select: $.data, limit: "{{ args.page }}", map: $.id}', [1]),
        ('{select: $.data, limit: "{{ args.tag }}", map: $.id}', [1, 2, 3]),
        ("{select: $.data, map: {k: $.id, x: $.n.x}}", [{"k": 1, "x": "a"}, {"k": 2}, {"k": 3}]),
        ("{select: $.data, map: $.n.x}", ["a"]),
        (
            "{map: {n: $.one.id, all: {path: $.data, map: {k: $.id, x: $.n.x}}}}",
            {"n": 9, "all": [{"k": 1, "x": "a"}, {"k": 2}, {"k": 3}]},
        ),
        ("{map: {one: {path: $.one, map: {k: $.id}}}}", {"one": {"k": 9}}),
        ("{map: {ids: {path: '$.data[*]', map: $.id}}}", {"ids": [1, 2, 3]}),
        ("{map: {none: {path: $.none, map: {k: $.id}}}}", {}),
        ("{select: $.one, map: $.id}", 9),
        ("{select: $.one, map: $.none}", None),
        ("{select: $.none, map: {a: $.b}}", None),
        ("{select: $.one, map: {a: $.none}}", {}),
        ("{select: $.one, map: {a: {b: $.id, c: $.z}, d: {e: $.z}}}", {"a": {"b": 9}}),
        ("{select: $.one, map: {a: {path: $.z, default: 5}, b: {path: $.id}}}", {"a": 5, "b": 9}),
        ("{select: $.one, map: {a: {const: [1]}, path: $.id}}", {"a": [1], "path": 9}),
        ("{select: $.one, map: {a: '$[*]'}}", {"a": [9]}),
        ("{select: $.data, required: true, map: $.id}", [1, 2, 3]),
    ],
)
def test_the_result_is_selected_limited_and_mapped(response, expected):
    assert value(DATA, f"response: {response}", args={"id": "x", "page": 1}) == expected


@pytest.mark.parametrize(
    ("response", "message"),
    [
        ('{select: "$.none", required: "Nobody is {{ args.id }}."}', "Nobody is x."),
        ('{select: "$.none[*]", required: "None."}', "None."),
        ("{select: $.none, required: true}", "the answer holds no result"),
        ("{select: $.null, required: true}", "the answer holds no result"),
    ],
)
def test_what_is_required_and_not_there_is_an_error(response, message):
    with pytest.raises(UpstreamFailed) as caught:
        read({"null": None}, f"response: {response}")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("given", "decoded"),
    [
        ("aGnDqQ==", "hié"),
        ("aGnD\nqQ", "hié"),  # as GitHub breaks its lines, and without padding
        ("", ""),
        ("_-8=", "_-8="),  # bytes that are no text
        ("not base64!", "not base64!"),
        (["YQ==", 1, "/w=="], ["a", 1, "/w=="]),
        (7, 7),
        (None, None),
    ],
)
def test_base64_becomes_the_text_it_stands_for_or_stays(given, decoded):
    response = "response: {map: {a: {path: $.a, decode: base64}}}"
    assert value({"a": given}, response) == {"a": decoded}


def test_a_default_is_not_decoded():
    response = "response: {map: {a: {path: $.z, decode: base64, default: YQ==}}}"
    assert value({}, response) == {"a": "YQ=="}


def test_another_encoding_is_refused_at_load():
    body = "    response: {map: {a: {path: $.a, decode: rot13}}}\n"
    source = FILE.format(more=body).encode()
    issues = load(source, "api.yaml", environ={}, redactor=Redactor()).issues
    assert [issue.path for issue in issues] == ["tools.t.response.map.a.decode"]
    assert "only 'base64' can be decoded" in str(issues[0])


def test_results_of_two_calls_share_nothing_that_is_cut():
    cut = tool("response: {max_bytes: 300, map: {a: {const: [x, y]}, t: $.t}}")
    args = {"id": "x"}
    cut.read(args, answer({"t": "long " * 200}))
    assert json.loads(cut.read(args, answer({})).structured) == {"a": ["x", "y"]}


# text


def test_text_is_for_the_model_and_the_structure_stays():
    result = read(
        DATA,
        "response: {select: $.data, text: '{{ args.id }}{{ vars.unit }}: {{ result | length }}'}",
    )
    assert result.content == ({"type": "text", "text": "xkm: 3"},)
    assert json.loads(result.structured) == DATA["data"]


def test_blocks_render_lists():
    text = "{% for c in result %}- {{ c.id }}\\n{% endfor %}"
    assert said(DATA["data"], f'response: {{text: "{text}"}}') == "- 1\n- 2\n- 3\n"


def test_text_that_cannot_be_rendered_falls_back_to_json():
    assert said({"a": 1}, "response: {text: '{{ result.a | join }}'}") == '{"a":1}'


def test_plain_text_may_be_rendered_too():
    assert said(b"hi", "response: {text: '<{{ result }}>'}", kind="text/plain") == "<hi>"


def test_a_lone_text_is_said_without_quotes():
    result = read(DATA, "response: {select: '$.data[0].n.x'}")
    assert (result.content[0]["text"], result.structured) == ("a", b'"a"')
    assert said(b'"a"') == "a"


# what output promises: I64


OUTPUT = """
output:
  type: object
  properties:
    id: {type: integer}
    name: {type: string}
    note: {type: [string, "null"]}
    tags: {type: array, items: {type: object, properties: {t: {type: string}}}}
    kind: {enum: [a, null]}
    any: {anyOf: [{type: string}, {type: "null"}]}
  required: [id]
"""


def test_output_is_published_and_kept():
    assert tool(OUTPUT).tool.definition["outputSchema"]["required"] == ["id"]
    assert value({"id": 1, "name": "x"}, OUTPUT) == {"id": 1, "name": "x"}


def test_nulls_the_output_does_not_allow_are_dropped():
    given = {"id": 1, "name": None, "note": None, "tags": [{"t": None, "u": None}], "z": None}
    kept = {"id": 1, "note": None, "tags": [{"u": None}], "z": None}
    assert value(given, OUTPUT) == kept
    given = {"id": 1, "name": None, "kind": None, "any": None}
    assert value(given, OUTPUT) == {"id": 1, "kind": None, "any": None}
    assert value([1, None], "output: {type: array}") == [1, None]
    nested = "output: {type: object, properties: {l: {type: array, minItems: 1}}}"
    with pytest.raises(OutputMismatch):
        read({"x": None, "l": []}, nested)


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"name": "x"}, '"id" is a required property'),
        ({"id": None}, '"id" is a required property'),
        ({"id": "\x1b[1m"}, "at id: "),
        ({"id": 1, "tags": [{"t": "x"}, {"t": ["y" * 999]}]}, "at tags[1].t: "),
        ([1], "is not of type"),
    ],
)
def test_another_shape_than_promised_is_an_error_i64(given, what):
    with pytest.raises(OutputMismatch) as caught:
        read(given, OUTPUT)
    text = str(caught.value)
    assert text.startswith("upstream answered in an unexpected shape: ")
    assert what in text
    assert len(text) < 400
    assert text.isprintable()
    assert caught.value.code == "output_mismatch"


def test_output_of_a_text_is_structured():
    result = read(b"hi", "response: {as: text}\noutput: {type: string}", kind="text/plain")
    assert (result.content[0]["text"], result.structured) == ("hi", b'"hi"')


def test_required_stands_beside_a_property_of_the_output_too():
    schema = tool(
        "output: {type: object, properties: {a: {type: string, required: true}}}"
    ).tool.definition["outputSchema"]
    assert schema == {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
    }


# secrets: I42, I43


SECRET = 'pass"word\\é'


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"a": [f"x {SECRET} y"]}).encode(),
        json.dumps({"a": [f"x {SECRET} y"]}, ensure_ascii=False).encode(),
        json.dumps({SECRET: 1}).encode(),
        b'{"a":"pass\\u0022word\\u005c\\u00e9"}',
    ],
)
@pytest.mark.parametrize("more", ["", "response: {map: {a: $.a, b: '$[*]'}}"])
def test_an_echoed_secret_is_redacted_however_it_is_written_i43(body, more):
    redactor = secretive(SECRET)
    result = read(body, more, redactor=redactor)
    shown = result.structured.decode() + result.content[0]["text"]
    assert "word" not in shown
    assert json.loads(result.structured) is not None


def test_a_secret_inside_a_number_is_redacted_and_json_stays_json_i42():
    assert value({"n": 9912345678, "k": 1.5}, redactor=secretive("12345678")) == {
        "n": "***",
        "k": 1.5,
    }


def test_a_secret_spread_over_the_structure_is_an_error_i42():
    with pytest.raises(BadResponse, match="repeats a secret"):
        read(["aaaa", "bbbb"], redactor=secretive('aaaa","bbbb'))


def test_texts_blocks_and_errors_are_redacted_i43():
    redactor = secretive("tops3cret")
    assert said(b"it is tops3cret", kind="text/plain", redactor=redactor) == "it is ***"
    assert said({"a": "x"}, "response: {text: 'tops3cret'}", redactor=redactor) == "***"
    with pytest.raises(BadResponse, match=r"repeats a secret"):
        read(b"\xff tops3cret tops3cret", kind="image/png", redactor=redactor)
    for body, status, kind in (
        (b'{"message":"bad key tops3cret"}', 401, JSON),
        (b"bad key tops3cret", 200, JSON),
    ):
        with pytest.raises((BadResponse, UpstreamFailed)) as caught:
            read(body, status=status, kind=kind, redactor=redactor)
        assert "tops3cret" not in str(caught.value)
    with pytest.raises(OutputMismatch) as mismatch:
        read({"a": "tops3cret"}, "output: {type: array}", redactor=redactor)
    assert "tops3cret" not in str(mismatch.value)


# size


def test_a_list_loses_its_tail_and_the_model_is_told_how_to_ask_for_less():
    items = [{"id": number, "t": "x" * 40} for number in range(100)]
    result = read(items, "response: {max_bytes: 1000}", args={"id": "x", "tag": "y"})
    kept = json.loads(result.structured)
    assert kept == items[: len(kept)]
    assert len(result.structured) <= 1000 < len(msgspec.json.encode(items[: len(kept) + 1]))
    assert result.content[0]["text"] == result.structured.decode()
    assert result.content[1]["text"] == f"Truncated: {len(kept)} of 100 items. Narrow with: page."
    assert result.meta == {"truncated": True, "returned": len(kept), "total": 100}


def test_a_result_that_just_fits_is_whole():
    body = msgspec.json.encode({"t": "x" * 292})
    assert len(body) == 300
    result = read(body, "response: {max_bytes: 300}")
    assert (len(result.content), result.meta) == (1, None)


def test_long_text_is_cut_and_told():
    result = read(b"word " * 100, "response: {max_bytes: 300}", kind="text/plain")
    assert len(result.content[0]["text"].encode()) <= 300
    assert "…[+" in result.content[0]["text"]
    assert result.content[1]["text"] == "Truncated: 500 characters in all. Narrow with: page, tag."
    assert (result.meta, result.structured) == ({"truncated": True}, None)


def test_rendered_text_is_cut_as_well():
    text = said({"a": 1}, "response: {max_bytes: 300, text: '" + "x" * 400 + "'}")
    assert len(text.encode()) <= 300


def test_a_result_that_cannot_be_cut_and_keep_its_promise_is_an_error_i64():
    output = "output: {type: array, minItems: 80}\nresponse: {max_bytes: 300}"
    with pytest.raises(BadResponse, match="more than 300") as caught:
        read(list(range(1000, 1100)), output)
    assert caught.value.hint == "narrow it with page, tag"
    with pytest.raises(BadResponse) as caught:
        read(list(range(1000, 1100)), output, args={"id": "x", "page": 1, "tag": "x"})
    assert caught.value.hint is None


# errors carry no structure, and say who is to act


def test_a_refused_credential_is_the_operators_affair():
    with pytest.raises(UpstreamFailed) as caught:
        read({"message": "Bad credentials"}, status=401)
    assert str(caught.value) == "HTTP 401 from api.t: Bad credentials"
    assert caught.value.hint == OUR_KEY


@pytest.mark.parametrize(
    ("status", "hint"),
    [(404, None), (422, None), (429, "try again later"), (500, "try again later")],
)
def test_a_failure_that_may_pass_says_to_try_again(status, hint):
    with pytest.raises(UpstreamFailed) as caught:
        read({"message": "No"}, status=status)
    assert caught.value.hint == hint
