"""gateway/capability/sending/xml_body.py: values stay texts of the author's document."""

from xml.etree import ElementTree as ET

import pytest

from gateway.capability.examples.checking import check
from gateway.capability.expressions.values import Refused
from gateway.domain.issue import Severity
from tests.peers.bodies import header, loaded, sent

SOAP = '<Envelope a="{{ args.x }}"><Body><pair>{{ args.x }}</pair></Body></Envelope>'


def body(xml, args=None, **declared):
    args = args or {}
    tool = {"args": {name: {} for name in args} | declared, "post": "/soap", "xml": xml}
    return sent(tool, args).body.decode()


def issues(xml):
    tool = {"args": {"x": {}, "many": {"type": "array"}}, "post": "/s", "xml": xml}
    found = [each for each in loaded(tool).issues if "is used nowhere" not in each.message]
    return [(issue.severity, issue.message) for issue in found]


def test_values_are_escaped_in_texts_and_attributes():
    value = "<a b=\"c\" d='e'>&amp;\r\n\t]]>"
    sent_ = body(SOAP, {"x": value})
    root = ET.fromstring(sent_)  # noqa: S314  our own document
    assert root.get("a") == root.findtext("Body/pair") == value
    assert [each.tag for each in root.iter()] == ["Envelope", "Body", "pair"]


def test_the_type_is_xml_unless_the_author_says_otherwise():
    tool = {"post": "/s", "xml": "<a/>"}
    assert header(sent(tool, {}), "Content-Type") == "application/xml; charset=utf-8"
    soap = {**tool, "headers": {"Content-Type": "text/xml", "SOAPAction": '"urn:x"'}}
    request = sent(soap, {})
    assert (header(request, "content-type"), header(request, "soapaction")) == (
        "text/xml",
        '"urn:x"',
    )


def test_a_missing_value_is_an_empty_text_and_can_be_tested():
    one = {"x": {"type": "string"}}
    assert body("<a><b>{{ args.x }}</b></a>", **one) == "<a><b></b></a>"
    assert body("<a>{% if args.x %}<b>{{ args.x }}</b>{% endif %}</a>", **one) == "<a></a>"
    assert body("<a>{{ args.x | default('<') }}</a>", **one) == "<a>&lt;</a>"


def test_lists_become_elements_by_a_loop():
    xml = "<l>{% for each in args.many %}<i n='{{ loop.index }}'>{{ each }}</i>{% endfor %}</l>"
    assert body(xml, {"many": ["<", 2]}) == "<l><i n='1'>&lt;</i><i n='2'>2</i></l>"
    assert body(xml, {}, many={"type": "array"}) == "<l></l>"
    assert body("<l>{{ 'a<b' ~ args.x }}</l>", {"x": "&"}) == "<l>a&lt;b&amp;</l>"


@pytest.mark.parametrize("bad", ["\0", "\x0b", "\x1f", "\ufffe", "\ud800"])
def test_what_xml_cannot_hold_is_refused(bad):
    for xml in (SOAP, "<a>{% if args.x %}{{ args.x }}{% endif %}</a>"):
        with pytest.raises(Refused, match="xml: a character that XML does not allow") as caught:
            body(xml, {"x": f"a{bad}"})
        assert caught.value.position == "args"


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        ("<{{ args.x }}/>", "a value inside the name of an element of the XML"),
        ("<a {{ args.x }}='1'/>", "a value inside the name of an attribute of the XML"),
        ("<a><!-- {{ args.x }} --></a>", "a value inside a comment of the XML"),
        ("<a><?p {{ args.x }}?></a>", "a value inside an instruction of the XML"),
        (
            "<a><![CDATA[{{ args.x }}]]></a>",
            "a value inside a CDATA section, where nothing can be escaped, of the XML",
        ),
        ("<!DOCTYPE a><a>{{ args.x }}</a>", "the XML has a DOCTYPE, which is never sent"),
        (
            '<?xml version="1.0" encoding="latin-1"?><a/>',
            "the XML says it is latin-1, but is sent as UTF-8",
        ),
        ("<a>{{ args.x }}", "not well-formed XML: no element found, line 1"),
        ("<a x={{ args.x }}/>", "not well-formed XML: not well-formed (invalid token), line 1"),
        ("<a>\n&nbsp;</a>", "not well-formed XML: undefined entity, line 2"),
        ("{{ args.x }}", "not well-formed XML: syntax error, line 1"),
        ("{% if args.x %}<{{ args.x }}/>{% endif %}", "a value inside the name of an element"),
    ],
)
def test_a_document_that_is_none_is_refused_at_load(xml, message):
    found = issues(xml)
    assert [severity for severity, said in found if message in said] == [Severity.ERROR], found


@pytest.mark.parametrize(
    "xml",
    [
        SOAP,
        '<?xml version="1.0" encoding="UTF-8"?>\n<s:E xmlns:s="urn:s"><s:B/></s:E>',
        "{% if args.x %}<a>{{ args.x }}</a>{% else %}<b/>{% endif %}",
        "<a>{% for e in args.many %}<e>{{ e }}</e>{% else %}<none/>{% endfor %}</a>",
        "<a>{# <b> #}{% if args.x %}<b>{% elif args.many %}<b>{% else %}<b>{% endif %}</b></a>",
        "<a><![CDATA[<fixed>]]></a>",
    ],
)
def test_a_document_that_is_well_formed_passes(xml):
    assert issues(xml) == []


def test_a_block_that_may_break_the_document_is_a_warning():
    ((severity, message),) = issues("<a>{% if args.x %}<b>{% endif %}{{ args.x }}</a>")
    assert severity is Severity.WARNING
    assert message.startswith("not well-formed XML: mismatched tag")


def test_an_example_compares_the_text():
    tool = {
        "args": {"x": {"type": "string"}},
        "post": "/s",
        "xml": "<a>{{ args.x }}</a>",
        "examples": [{"args": {"x": "<"}, "request": {"xml": "<a>&lt;</a>"}}],
    }
    assert check(loaded(tool)) == ()
    tool["examples"] = [{"args": {"x": "<"}, "request": {"xml": "<a>x</a>"}}]
    assert len(check(loaded(tool))) == 1
