"""gateway/capability/answers/xml_values.py: documents as values, and what is not read."""

import time

import pytest

from gateway.capability.answers.xml_values import DEEPEST, loads

SOAP = b"""<?xml version="1.0"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="urn:m">
  <soap:Body><m:GetRateResponse><m:rate>1.08</m:rate></m:GetRateResponse></soap:Body>
</soap:Envelope>"""


def test_names_are_local_and_a_leaf_is_its_text():
    assert loads(SOAP) == {"Envelope": {"Body": {"GetRateResponse": {"rate": "1.08"}}}}


@pytest.mark.parametrize(
    ("document", "value"),
    [
        (b"<a/>", ""),
        (b"<a> x \n</a>", "x"),
        (b"<a><b>1</b><b>2</b><c/></a>", {"b": ["1", "2"], "c": ""}),
        (b"<a><b><c>1</c></b><b/></a>", {"b": [{"c": "1"}, ""]}),
        (b"<a k='1'>t</a>", {"@k": "1", "#text": "t"}),
        (b"<a k='1'/>", {"@k": "1"}),
        (b"<a>one<b/> two</a>", {"b": "", "#text": "one two"}),
        (b"<a xmlns='urn:x' xmlns:y='urn:y' y:k='1'/>", {"@k": "1"}),
        (b"<a xmlns:i='urn:i' i:nil='true'/>", None),
        (b"<a>&lt;&amp;&#65;<![CDATA[<b>]]></a>", "<&A<b>"),
        (b"<a><!-- c --><?p i?><b>1</b></a>", {"b": "1"}),
        (b"<a><t>1</t><m:t>2</m:t><m:u>3</m:u></a>", {"t": "1", "m:t": "2", "u": "3"}),
        (b"<a k='1' m:k='2'/>", {"@k": "1", "@m:k": "2"}),
        (b"<a><m:t>1</m:t><m:t>2</m:t></a>", {"t": ["1", "2"]}),
        ("<ä>ü</ä>".encode(), None),
    ],
)
def test_a_document_becomes_a_value(document, value):
    found = loads(document)
    assert found == ({"ä": "ü"} if b"\xc3" in document else {"a": value})


@pytest.mark.parametrize(
    ("charset", "said"),
    [
        *(("utf-8", None), ("utf-8-sig", None), ("utf-16", None), ("utf-16-le", "utf-16le")),
        *(("iso-8859-1", None), ("windows-1252", None), ("koi8-r", "koi8-r")),
        *(("shift_jis", None), ("gb18030", None), ("euc-jp", "euc-jp"), ("utf-16-be", None)),
    ],
)
def test_every_charset_is_read_whoever_declares_it(charset, said):
    text = {"koi8-r": "Ж", "shift_jis": "文字", "gb18030": "文字", "euc-jp": "文字"}.get(
        charset, "é"
    )
    named = "" if said else f' encoding="{charset.removesuffix("-sig")}"'
    body = f'<?xml version="1.0"{named}?>\n<a>{text}</a>'.encode(charset)
    assert loads(body, said) == {"a": text}


def test_what_the_answer_says_outweighs_what_the_document_says():
    body = '<?xml version="1.0" encoding="latin-1"?><a>é</a>'.encode()
    assert loads(body, "utf-8") == {"a": "é"}
    assert loads(body)["a"] == "Ã©"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "no element found"),
        (b"<a>", "no element found"),
        (b"<a></b>", "mismatched tag, line 1"),
        (b"<a>\xff</a>", "invalid token"),
        (b"<a/><b/>", "junk after document element"),
        (b'<?xml version="1.0" encoding="punycode"?><a/>', "in a charset that is not known"),
        (b'<?xml version="1.0" encoding="shift_jis"?><a>\xff</a>', "not shift_jis"),
        (b"<a>&nbsp;</a>", "undefined entity"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a>&b;</a>', "uses entities"),
        (b"<!DOCTYPE a [<!ELEMENT a ANY>]><a/>", "brings a DTD of its own"),
        (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "brings a DTD"),
        (b'<!DOCTYPE a [<!ENTITY % b SYSTEM "http://127.0.0.1/x"> %b;]><a/>', "brings a DTD"),
    ],
)
def test_what_is_no_document_or_wants_more_than_itself_is_refused_i58(document, reason):
    with pytest.raises(ValueError, match=reason):
        loads(document)


def test_a_dtd_that_is_only_named_is_passed_over():
    body = b'<!DOCTYPE r PUBLIC "-//N//DTD r//EN" "http://127.0.0.1:1/r.dtd"><r><c>1</c></r>'
    assert loads(body) == {"r": {"c": "1"}}


def _laughs() -> bytes:
    entities = '<!ENTITY l0 "lol">'
    for level in range(1, 10):
        entities += f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">'
    return f"<!DOCTYPE l [{entities}]><l>&l9;</l>".encode()


@pytest.mark.parametrize(
    "bomb",
    [
        _laughs(),
        b"<a>" * 100_000,
        b"<a>" * (DEEPEST + 1) + b"</a>" * (DEEPEST + 1),
        b"<r>" + b"<a/>" * 500_001 + b"</r>",
        b"<a " + b" ".join(b"k%d='1'" % i for i in range(200_000)) + b" x",
        b"<a k='" + b"x" * 5_000_000,
        b"<a><!--" + b"-" * 5_000_000,
        b"&" * 1_000_000,
    ],
    ids=["laughs", "open", "deep", "many", "attributes", "attribute", "comment", "amps"],
)
def test_a_bomb_is_refused_soon_i59(bomb):
    started = time.perf_counter()
    with pytest.raises(ValueError, match=r"."):
        loads(bomb)
    assert time.perf_counter() - started < 5


def test_the_deepest_and_the_widest_that_is_allowed_is_read():
    value = loads(b"<a>" * DEEPEST + b"x" + b"</a>" * DEEPEST)
    for _ in range(DEEPEST):
        value = value["a"]
    assert value == "x"
    assert loads(b"<a k='" + b"x" * 1_000_000 + b"'/>")["a"]["@k"]


def test_blanks_in_another_charset_cost_their_number_not_its_square_i58():
    """A search for the declaration began anew at each of them, and let nobody else run."""
    body = f"<a>{' ' * 500_000}</a>".encode("utf-16")
    started = time.process_time()
    assert loads(body) == {"a": ""}
    assert time.process_time() - started < 0.5
