"""capability/sending/multipart.py and file_name.py: parts as a foreign parser reads them."""

import base64

import pytest

from gateway.capability.examples.checking import check
from gateway.capability.expressions.values import Refused, RenderError
from gateway.capability.file_name import LONGEST, file_name
from gateway.capability.media_types import ending_of, of_bytes, of_name
from tests.peers.bodies import compiled, header, loaded, parts, sent

PNG = b"\x89PNG\r\n\x1a\n\x00\xff--"
B64 = base64.b64encode(PNG).decode()
BYTES = {"type": "string", "contentEncoding": "base64"}
FILE = {"data": "{{ args.file | b64decode }}", "filename": "a.png", "content_type": "image/png"}


def of(multipart, args, **declared):
    tool = {"args": {name: {} for name in args} | declared, "post": "/x", "multipart": multipart}
    return parts(sent(tool, args))


def faults(multipart, **more):
    args = {"file": BYTES, "text": {"type": "string"}, "name": {}}
    tool = {"args": args, "post": "/{{ vars.x }}", "multipart": multipart, **more}
    found = loaded(tool, {"vars": {"x": 1}})
    return [issue.message for issue in found.issues if "is used nowhere" not in issue.message]


def test_fields_and_files_are_parts_in_the_authors_order():
    tool = {
        "args": {"lang": {"type": "string"}, "file": BYTES},
        "post": "/ocr",
        "multipart": {"lang": "{{ args.lang }}", "file": FILE, "fixed": 7, "yes": True},
    }
    request = sent(tool, {"lang": "en", "file": B64})
    assert header(request, "Content-Type").startswith("multipart/form-data; boundary=")
    assert parts(request) == [
        ("lang", None, None, b"en"),
        ("file", "a.png", "image/png", PNG),
        ("fixed", None, None, b"7"),
        ("yes", None, None, b"true"),
    ]


def test_a_list_repeats_its_name_and_an_object_is_json():
    found = of(
        {"tag": "{{ args.tags }}", "meta": "{{ args.meta }}", "own": {"a": "{{ args.n }}", "b": 1}},
        {"tags": ["a", "b,c", None], "meta": {"k": [1, None]}, "n": None},
        n={"type": ["string", "null"]},
    )
    assert found == [
        ("tag", None, None, b"a"),
        ("tag", None, None, b"b,c"),
        ("meta", None, "application/json", b'{"k":[1,null]}'),
        ("own", None, "application/json", b'{"a":null,"b":1}'),
    ]
    objects = of({"item": "{{ args.items }}"}, {"items": [{"a": 1}, [2]]})
    assert [data for *_, data in objects] == [b'{"a":1}', b"[2]"]


def test_what_reads_a_missing_argument_is_left_out_with_its_part():
    multipart = {
        "a": "{{ args.a }}",
        "o": {"x": "{{ args.a }}"},
        "l": ["{{ args.a }}", "kept"],
        "f": {"data": "{{ args.a | b64decode }}", "filename": "x"},
        "g": {"data": "text", "filename": "{{ args.a }}"},
    }
    found = of(multipart, {}, a={"type": "string"})
    assert [(name, filename) for name, filename, *_ in found] == [("l", None), ("g", "g")]
    empty = {"args": {"a": {"type": "string"}}, "post": "/x", "multipart": {"a": "{{ args.a }}"}}
    request = sent(empty, {})
    mark = header(request, "Content-Type").partition("boundary=")[2]
    assert request.body == f"--{mark}--\r\n".encode()


def test_rest_and_all_arguments_can_be_spliced():
    args = {"a": {"type": "string"}, "b": {"type": "integer"}}
    tool = {"args": args, "post": "/x", "multipart": {"a": "{{ args.a }}", "...": "{{ rest }}"}}
    assert [part[::3] for part in parts(sent(tool, {"b": 2, "a": "x"}))] == [
        ("a", b"x"),
        ("b", b"2"),
    ]
    twice = {**tool, "multipart": {"b": 1, "...": "{{ args }}"}}
    assert "'b' is sent twice: here and by '...'" in str(loaded(twice).issues)


def test_a_list_of_data_makes_as_many_files_with_names_of_their_own():
    found = of(
        {"files": {"data": "{{ args.all | b64decode }}", "filename": "scan.png"}},
        {"all": [B64, B64]},
    )
    assert found == [
        ("files", "scan.png", "image/png", PNG),
        ("files", "scan-2.png", "image/png", PNG),
    ]
    literal = of({"f": [{"data": "1", "filename": "a"}, {"data": "2", "filename": "b"}]}, {})
    assert [name for _, name, *_ in literal] == ["a", "b"]


def test_a_files_type_is_its_authors_else_by_its_name():
    def one(**more):
        return of({"f": {"data": "{{ args.d | b64decode }}", **more}}, {"d": B64})[0][1:3]

    assert one(filename="a.PDF") == ("a.PDF", "application/pdf")
    assert one(filename="a.pdf", content_type="image/png") == ("a.pdf", "image/png")
    assert one(filename="noext") == ("noext", "application/octet-stream")
    assert one() == ("f", "application/octet-stream")
    assert of({"f": "{{ args.d | b64decode }}"}, {"d": B64})[0][1:3] == (
        "f",
        "application/octet-stream",
    )
    text = {"data": "{{ args.d }}", "content_type": 'application/json; charset="utf-8"'}
    assert of({"f": text}, {"d": {"a": 1}}) == [
        ("f", None, 'application/json; charset="utf-8"', b'{"a":1}')
    ]


@pytest.mark.parametrize("bad", ["image/png\r\nX-Evil: 1", "image", "a/b; x=\r", "é/b", ""])
def test_a_type_that_is_none_is_refused(bad):
    with pytest.raises(Refused) as caught:
        of({"f": {"data": "x", "content_type": "{{ args.t }}"}}, {"t": bad})
    assert caught.value.position == "header"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\dir\\a.png", "a.png"),
        ('a"; name="b', "a; name=b"),
        ("a\r\nX-Evil: 1.png", "aX-Evil: 1.png"),
        ("..", "f"),
        ("x/..", "f"),
        ("", "f"),
        ("naïve 文.png", "naïve 文.png"),
        ("\u202egnp.exe", "gnp.exe"),
        ("a" * 300 + ".tar", "a" * (LONGEST - 4) + ".tar"),
    ],
)
def test_a_files_name_is_a_name_and_nothing_else(given, name):
    assert file_name(given, "f") == name
    found = of({"f": {"data": "x", "filename": "{{ args.n }}"}}, {"n": given})
    assert [each[1] for each in found] == [name]


def test_a_name_of_half_a_character_is_refused():
    with pytest.raises(RenderError):
        file_name("a\ud800", "f")
    with pytest.raises(Refused):
        of({"f": {"data": "x", "filename": "{{ args.n }}"}}, {"n": "\ud800"})


@pytest.mark.parametrize("bad", ["no base64!", "AAAA====A", "\ud800"])
def test_what_is_no_base64_is_an_error_of_the_arguments(bad):
    with pytest.raises(Refused) as caught:
        of({"file": FILE}, {"file": bad})
    assert caught.value.position == "args"
    assert str(caught.value).startswith("file: ")


def test_the_boundary_is_in_no_part_and_the_same_call_makes_the_same_request():
    tool = {"args": {"a": {}}, "post": "/x", "multipart": {"a": "{{ args.a }}"}}
    made = compiled(tool).tool
    first = made.request({"a": "x"})
    mark = header(first, "Content-Type").partition("=")[2]
    assert made.request({"a": "x"}) == first
    again = made.request({"a": f"\r\n--{mark}--\r\n"})
    assert mark != header(again, "Content-Type").partition("=")[2]
    assert parts(again) == [("a", None, None, f"\r\n--{mark}--\r\n".encode())]


def test_too_many_parts_and_too_many_bytes_are_refused():
    with pytest.raises(Refused, match="more than 1000 parts") as caught:
        of({"a": "{{ args.a }}"}, {"a": list(range(1001))})
    assert caught.value.position == "size"
    big = "x" * (1 << 20)
    with pytest.raises(Refused, match="more than 64 MiB"):
        of({"a": "{{ args.a }}"}, {"a": [big] * 65})


def test_a_name_of_the_authors_is_escaped_as_browsers_do():
    request = sent({"post": "/x", "multipart": {'a"b\r\nc': "1", "ü[]": "2"}}, {})
    assert b'name="a%22b%0D%0Ac"' in request.body
    assert 'name="ü[]"'.encode() in request.body


def test_a_content_type_of_the_authors_keeps_the_boundary():
    tool = {"post": "/x", "headers": {"content-type": "multipart/related"}, "multipart": {"a": 1}}
    request = sent(tool, {})
    assert header(request, "content-type").startswith("multipart/related; boundary=capgate-")
    assert parts(request) == [("a", None, None, b"1")]


@pytest.mark.parametrize(
    ("multipart", "more", "message"),
    [
        ({"f": {"filename": "x"}}, {}, "not a file: missing required field `data`"),
        ({"f": {"data": "x", "filename": "y", "mime": "z"}}, {}, "unknown field `mime`"),
        ({"f": {"data": 1, "filename": "y"}}, {}, "not a file: 'data' is no text"),
        ({"{{ args.text }}": "x"}, {}, "a name cannot be a template"),
        ({"f": {"data": "{{ args.file }}"}}, {}, "args.file is base64, and would be sent as that"),
        ({"f": {"data": "{{ args.nix }}"}}, {}, "args.nix is not declared"),
        ({"...": "{{ args.text }}"}, {}, "only args or rest can become form names"),
        (
            {"f": 1},
            {"headers": {"Content-Type": "application/json"}},
            "the Content-Type of a multipart body is multipart/…, written out",
        ),
        (
            {"f": 1},
            {"headers": {"Content-Type": "multipart/form-data; boundary=x"}},
            "the boundary is made for each request",
        ),
    ],
)
def test_what_is_wrong_is_told_at_load(multipart, more, message):
    assert any(message in found for found in faults(multipart, **more))


def test_an_object_with_a_member_called_data_is_an_object():
    assert of({"f": {"data": 1, "kind": "x"}}, {})[0][2:] == (
        "application/json",
        b'{"data":1,"kind":"x"}',
    )


def example(request, args=None):
    tool = {
        "args": {"lang": {"type": "string"}, "file": BYTES, "o": {"type": "object"}},
        "post": "/ocr",
        "multipart": {
            "lang": "{{ args.lang }}",
            "n": 7,
            "meta": "{{ args.o }}",
            "file": FILE,
            "two": [1, 2],
        },
        "examples": [{"args": args or {"lang": "en", "file": B64}, "request": request}],
    }
    return [(issue.path, issue.message) for issue in check(loaded(tool))]


def test_an_example_compares_parts():
    file = {"filename": "a.png", "data": B64}
    good = {"lang": "en", "n": 7, "file": file, "two": [1, "2"]}
    assert example({"multipart": good}) == []
    assert example({"multipart": {**good, "file": {"content_type": "image/png"}}}) == []
    with_object = {"lang": "en", "file": B64, "o": {"a": [1]}}
    assert example({"multipart": {**good, "meta": {"a": [1]}}}, with_object) == []
    ((path, message),) = example({"multipart": {**good, "file": {"filename": "b.png"}}})
    assert path.endswith("request.multipart.file.filename")
    assert "b.png" in message
    assert len(example({"multipart": {"lang": "en"}})) == 3
    assert "is a mapping" in str(example({"multipart": "x"}))


def test_types_are_known_by_name_and_by_their_first_bytes():
    assert (of_name("a.b.JPG"), of_name("jpg"), of_name("x.nix")) == ("image/jpeg", None, None)
    assert [ending_of(of_name(f"a.{end}")) for end in ("jpg", "htm", "txt", "mp3", "yml")] == [
        *("jpg", "html", "txt", "mp3", "yaml")
    ]
    assert ending_of("x/y") == "bin"
    for body, type_ in [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\n\n\n\nWEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVE", "audio/wav"),
        (b"ID3\x04", "audio/mpeg"),
        (b"OggS\0", "audio/ogg"),
        (b"%PDF-1.7", "application/pdf"),
        (b"", "application/octet-stream"),
        (b"hello", "application/octet-stream"),
    ]:
        assert of_bytes("", body) == of_bytes("application/octet-stream", body) == type_
    assert of_bytes("text/csv", PNG) == "text/csv"
    assert of_bytes("image/jpg", b"") == "image/jpeg"
