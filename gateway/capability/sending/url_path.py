"""The path of a request: the author's text, with each value kept inside its segment (§4, T1).

A value is percent-encoded and cannot hold a dot segment; the finished path must have the author's
slashes and no more. It goes out as it is: never through anything that normalises.
"""

import re
from urllib.parse import quote

from gateway.capability.expressions.escape import DECODINGS, Quoted, path_segment, refuse_dots
from gateway.capability.expressions.filters import nothing
from gateway.capability.expressions.language import Expression, Position, Scope
from gateway.capability.expressions.place import Place
from gateway.capability.expressions.template import split
from gateway.capability.expressions.values import RenderError, TemplateError, refused

_HOLE = "\0"  # stands for an expression while the author's text is looked at
_SAFE = "/%:@!$&'()*+,;=-._~"  # what RFC 3986 lets stand in a path, and its escapes
_BRACED = re.compile(r"\$?\{[^{}]*\}|[{}]")  # `{name}` and `${name}`, as other formats write it
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")

Part = str | Expression


class PathTemplate:
    """`render` gives the encoded path; `shape` is what logs may show: `/repos/{owner}`."""

    __slots__ = ("_mixed", "_parts", "_slashes", "shape")

    def __init__(self, parts: tuple[Part, ...]) -> None:
        self._parts = tuple(quote(part, _SAFE) if isinstance(part, str) else part for part in parts)
        holed = _holed(parts)
        self._slashes = holed.count("/")
        self._mixed = any(_HOLE in part and part != _HOLE for part in holed.split("/"))
        self.shape = "".join(
            part if isinstance(part, str) else f"{{{shown_reads(part)}}}" for part in self._parts
        )

    def render(self, scope: Scope) -> str:
        """Raises Refused."""
        texts: list[str] = []
        slashes = self._slashes
        for part in self._parts:
            if isinstance(part, str):
                texts.append(part)
                continue
            try:
                text = _filled(part.value(scope))
            except RenderError as error:
                raise refused(shown_reads(part), error) from None
            if type(text) is Quoted:
                slashes += text.count("/")
            texts.append(text)
        path = "".join(texts)
        try:
            self._check(path, slashes)
        except RenderError as error:
            raise refused("path", error) from None
        return path

    def _check(self, path: str, slashes: int) -> None:
        if path.count("/") != slashes:
            raise RenderError("the values change the segments of the path", "path")
        if self._mixed:  # what is harmless alone may meet its neighbour: '.' and '.'
            for segment in filter(None, path.split("/")):
                refuse_dots(segment, DECODINGS + 1)


def compile_path(source: str, place: Place) -> PathTemplate:
    """Faults are reported to `place`."""
    try:
        parts = split(source, position=Position.PATH, names=place.names)
        _check_literals(_holed(parts))
    except TemplateError as error:
        place.unread(error)
        return PathTemplate(("/",))
    for part in parts:
        if isinstance(part, Expression):
            place.reads.update(part.reads)
    return PathTemplate(parts)


def shown_reads(expression: Expression) -> str:
    """What it reads: an argument by its name alone, anything else in full: `vars.org`."""
    names = [read[-1] if read[0] == "args" else ".".join(read) for read in expression.reads]
    return ", ".join(sorted(names))


def _filled(value: object) -> str:
    if nothing(value):
        raise RenderError("the path needs a value here", "path")
    return value if type(value) is Quoted else path_segment(value)


def _holed(parts: tuple[Part, ...]) -> str:
    return "".join(part if isinstance(part, str) else _HOLE for part in parts)


def _check_literals(holed: str) -> None:
    if not holed.startswith("/"):
        raise TemplateError("a path starts with '/'")
    if "?" in holed or "#" in holed:
        raise TemplateError("'?' and '#' cannot stand in a path", "use 'query:' for ?name=value")
    braced = _BRACED.search(holed)
    if braced:
        name = re.sub(r"\W", "", braced[0]) or "name"
        raise TemplateError(
            f"{braced[0]!r} in a path would be sent as it stands", f"write {{{{ args.{name} }}}}"
        )
    if _LONE_PERCENT.search(holed):
        raise TemplateError("a '%' in a path starts an escape such as %20", "write %25")
    for index, segment in enumerate(holed.split("/")[1:], 1):
        if not segment and index < holed.count("/"):
            raise TemplateError("an empty segment: '//'", "only the last segment may be empty")
        if segment and _HOLE not in segment:
            _check_segment(segment)


def _check_segment(segment: str) -> None:
    try:
        refuse_dots(segment)
        segment.encode()
    except (RenderError, UnicodeEncodeError) as error:
        raise TemplateError(str(error)) from None
