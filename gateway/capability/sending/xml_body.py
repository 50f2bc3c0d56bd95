"""`xml:` a document written out, with values that are escaped wherever they stand.

At load each of its values is filled in with a mark, and what that makes is parsed: it must be
well-formed, and the marks may stand in texts and attribute values only, where escaping holds.
"""

import re
from typing import Any, Final
from xml.parsers import expat

from gateway.capability.expressions.language import Position, Scope
from gateway.capability.expressions.place import Place
from gateway.capability.expressions.values import Absent, RenderError, refused

MARK: Final = "capgate-value-here"  # a name, so that it could stand anywhere
MOST_BRANCHES: Final = 4  # of one {% if %} that are tried
UTF8: Final = frozenset({"utf-8", "utf8", "us-ascii"})
HINT: Final = "values stand in texts and attribute values"

_TAG = re.compile(r"(\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\})", re.DOTALL)
_WORD = re.compile(r"\{%[-+]?\s*(\w+)")


class XmlBody:
    content_type = "application/xml; charset=utf-8"

    def __init__(self, value: str, place: Place) -> None:
        self.template = place.template(value, Position.XML)
        if self.template.source == value:  # a faulty template was told
            _check(value, place)

    def render(self, scope: Scope) -> bytes:
        """Raises Refused."""
        try:
            text = self.template.text(scope)
            return b"" if isinstance(text, Absent) else text.encode()
        except UnicodeEncodeError:
            raise refused("xml", RenderError("the text is not valid Unicode")) from None
        except RenderError as error:
            raise refused("xml", error) from None


def _check(source: str, place: Place) -> None:
    """With blocks only some of what can come out is looked at, and that may never come out."""
    pieces = _TAG.split(source)
    told: set[str] = set()
    for turn in range(MOST_BRANCHES):
        text, blocks = _outline(pieces, turn)
        reader = _Reader()
        reason = reader.malformed(text)
        for problem in reader.found:
            if problem not in told:
                place.fault(problem, HINT)
                told.add(problem)
        if reason and not told:
            tell = place.warn if blocks else place.fault
            tell(reason, "an element such as <a>{{ args.x }}</a>")
            told.add(reason)
        if not blocks:
            return


class _Frame:
    """A block that is open: what each of its branches holds so far."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.branches: list[list[str]] = [[]]
        self.whole = False  # whether there is an {% else %}


def _outline(pieces: list[str], turn: int) -> tuple[str, int]:
    """The text in which each block has its branch number `turn`, or its last; and how many blocks
    there are.
    """
    frames, blocks = [_Frame("")], 0
    for piece in pieces:
        found = _WORD.match(piece)
        if found is None:
            frames[-1].branches[-1].append(_filled(piece))
        elif found[1] in {"if", "for"}:
            frames.append(_Frame(found[1]))
            blocks += 1
        elif found[1] in {"elif", "else"} and len(frames) > 1:
            frames[-1].branches.append([])
            frames[-1].whole = found[1] == "else"
        elif found[1] in {"endif", "endfor"} and len(frames) > 1:
            frame = frames.pop()
            branches = frame.branches if frame.whole else [*frame.branches, []]
            frames[-1].branches[-1] += branches[min(turn, len(branches) - 1)]
    return "".join(frames[0].branches[0]), blocks


def _filled(piece: str) -> str:
    if piece.startswith("{{"):
        return MARK
    return "" if piece.startswith("{#") else piece


class _Reader:
    """`found` is where the marks stand that may not stand there."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._cdata = False

    def malformed(self, text: str) -> str | None:
        """Why `text` is no XML document, or None."""
        parser = expat.ParserCreate("utf-8")
        parser.StartElementHandler = self._element
        parser.CharacterDataHandler = self._text
        parser.CommentHandler = lambda data: self._refuse("a comment", data)
        parser.ProcessingInstructionHandler = lambda *said: self._refuse("an instruction", *said)
        parser.StartCdataSectionHandler = lambda: self._in_cdata(True)
        parser.EndCdataSectionHandler = lambda: self._in_cdata(False)
        parser.StartDoctypeDeclHandler = self._doctype
        parser.XmlDeclHandler = self._declaration
        try:
            parser.Parse(text.encode("utf-8", "replace"), True)
        except expat.ExpatError as error:
            return f"not well-formed XML: {expat.ErrorString(error.code)}, line {error.lineno}"
        return None

    def _refuse(self, where: str, *said: str) -> None:
        if any(MARK in each for each in said):
            self.found.append(f"a value inside {where} of the XML")

    def _element(self, name: str, attributes: dict[str, str]) -> None:
        self._refuse("the name of an element", name)
        self._refuse("the name of an attribute", *attributes)

    def _text(self, data: str) -> None:
        if self._cdata:
            self._refuse("a CDATA section, where nothing can be escaped,", data)

    def _in_cdata(self, inside: bool) -> None:  # noqa: FBT001  expat's handlers set it
        self._cdata = inside

    def _doctype(self, *_: Any) -> None:
        self.found.append("the XML has a DOCTYPE, which is never sent")

    def _declaration(self, _: str, encoding: str | None, __: int) -> None:
        if encoding is not None and encoding.lower() not in UTF8:
            self.found.append(f"the XML says it is {encoding}, but is sent as UTF-8")
