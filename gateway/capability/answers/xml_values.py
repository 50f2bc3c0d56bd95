"""An XML document as a JSON value: elements are members, `@name` an attribute, `#text` its text.

Names are local (`soap:Body` is `Body`); a name repeated makes a list. Only what stands in the
document counts: no DTD of its own, no entity beyond XML's five, nothing is ever fetched. Errors
are ValueError with the reason.
"""

import codecs
import re
from typing import Any, Final
from xml.parsers import expat

from gateway.capability.answers.charsets import known

DEEPEST: Final = 200  # elements inside one another
MOST_NODES: Final = 500_000  # elements and attributes

_DECLARED = re.compile(rb"""\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*\?>")
_MARKS = (  # Appendix F of XML 1.0: what a document begins with
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)


def charset_of(body: bytes, said: str | None) -> str:
    """By its byte-order mark, else as its answer said, else as it says itself (RFC 7303 §3)."""
    for mark, charset in _MARKS:
        if body.startswith(mark):
            return charset
    if said is not None:
        return said
    found = _DECLARED.match(body[:256])
    return found[1].decode().lower() if found else "utf-8"


def loads(
    body: bytes, said: str | None = None, lists: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """`said` is the charset of its Content-Type; the names in `lists` are lists of one, too."""
    charset = charset_of(body, said)
    if not known(charset.removesuffix("-sig")):
        raise ValueError("in a charset that is not known")
    try:
        if codecs.lookup(charset).name != "utf-8":
            text = body.decode(charset)
            text = text.removeprefix("\ufeff")
            declaration = _DECLARATION.match(text)  # searched for, blanks would cost their square
            body = text[declaration.end() if declaration else 0 :].encode()
    except UnicodeError:
        raise ValueError(f"not {charset}") from None
    return _Reader(lists).read(body)


class _Element:
    __slots__ = ("attributes", "children", "texts")

    def __init__(self, attributes: dict[str, str]) -> None:
        self.attributes = attributes
        self.children: list[tuple[str, Any]] = []  # names as written
        self.texts: list[str] = []


class _Reader:
    """Builds values from the leaves up: no element is held longer than it is open."""

    def __init__(self, lists: frozenset[str]) -> None:
        self._lists = lists
        self._open = [_Element({})]
        self._nodes = 0

    def read(self, data: bytes) -> dict[str, Any]:
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._refused
        parser.ExternalEntityRefHandler = self._refused
        parser.SkippedEntityHandler = self._refused
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            text = expat.ErrorString(error.code)
            raise ValueError(f"{text}, line {error.lineno}") from None
        return _members(self._open[0].children, self._lists)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._nodes += 1 + len(attributes)
        if self._nodes > MOST_NODES:
            raise ValueError(f"more than {MOST_NODES} elements")
        if len(self._open) > DEEPEST:
            raise ValueError(f"nested more than {DEEPEST} elements deep")
        self._open.append(_Element(attributes))

    def _end(self, name: str) -> None:
        element = self._open.pop()
        self._open[-1].children.append((name, _value(element, self._lists)))

    def _text(self, data: str) -> None:
        self._open[-1].texts.append(data)

    def _doctype(self, _: str, __: str | None, ___: str | None, own: bool) -> None:  # noqa: FBT001
        """One that only names a DTD is passed over, and so is that DTD."""
        if own:
            raise ValueError("it brings a DTD of its own, which is not read")

    def _refused(self, *_: Any) -> int:
        raise ValueError("it uses entities, which are not read")


def _value(element: _Element, lists: frozenset[str]) -> Any:
    """A text where there is nothing else; null where it says so (`xsi:nil`)."""
    text = "".join(element.texts).strip()
    found: dict[str, Any] = {}
    given = [(name, each) for name, each in element.attributes.items() if not _declares(name)]
    for name, each in _named(given):
        found[f"@{name}"] = each
    if not element.children and not found:
        return text
    found |= _members(element.children, lists)
    if text:
        found["#text"] = text
    elif found == {"@nil": "true"}:
        return None
    return found


def _declares(name: str) -> bool:
    return name == "xmlns" or name.startswith("xmlns:")


def _members(children: list[tuple[str, Any]], lists: frozenset[str]) -> dict[str, Any]:
    """Those of one name are a list."""
    found: dict[str, Any] = {}
    several = set(lists)
    for name, value in _named(children):
        if name not in found:
            found[name] = [value] if name in lists else value
        elif name in several:
            found[name].append(value)
        else:
            several.add(name)
            found[name] = [found[name], value]
    return found


def _named(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """By local names; where two prefixes share one, those that have a prefix keep it."""
    prefixes: dict[str, str] = {}
    shared: set[str] = set()
    for name, _ in pairs:
        prefix, local = _split(name)
        if prefixes.setdefault(local, prefix) != prefix:
            shared.add(local)
    if not shared and not any(prefixes.values()):
        return pairs
    return [(_local(name, shared), value) for name, value in pairs]


def _split(name: str) -> tuple[str, str]:
    prefix, _, local = name.rpartition(":")
    return prefix, local


def _local(name: str, shared: set[str]) -> str:
    local = _split(name)[1]
    return name if local in shared else local
