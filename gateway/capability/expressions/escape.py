"""How a value goes safely into each position of a request (capability-format.md §4).

Encoding keeps a value in its place; what encoding cannot keep there (a dot segment, a line break in
a header) is refused. Every function raises RenderError with the position.
"""

import re
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from gateway.capability.expressions.values import LARGEST, RenderError, to_text

LONGEST_URL = 64 * 1024  # characters; no server takes more
DECODINGS = 6  # proxies and servers decode a path more than once; nobody decodes it more often
CONNECTION_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

_PLAIN_SEGMENT = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9_.~-]*")  # cannot be '.' or '..'
_PLAIN_QUERY = re.compile(r"[A-Za-z0-9_.~-]*")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SLASH = re.compile(r"[/\\]")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_XML_MARKS = re.compile("[&<>\"'\t\n\r]")
_XML_ESCAPES = {  # an attribute would not keep its blanks otherwise
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
}
_MEDIA_TYPE = re.compile(  # RFC 9110 §8.3.1
    r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+"
    r"(?: ?; ?[A-Za-z0-9!#$&^_.+-]+=(?:[A-Za-z0-9!#$&'*^_.+:-]+|\"[ !#-~]*\"))*"
)
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 §5.6.2


class Quoted(str):
    """Path text that is percent-encoded and checked already."""

    __slots__ = ()


def path_segment(value: Any) -> str:
    """One path segment; a slash in it becomes `%2F`."""
    text = to_text(value)
    if len(text) > LONGEST_URL:  # before it is looked at in any way that takes time
        raise RenderError(f"{len(text)} characters are too long", "size")
    if _PLAIN_SEGMENT.fullmatch(text):
        return text
    refuse_dots(text)
    return _quoted(text)


def path_segments(value: Any) -> Quoted:
    """Several segments: a text split at its slashes, or a list. None may be empty."""
    parts = value if isinstance(value, list) else to_text(value).split("/")
    if not parts:
        raise RenderError("an empty list cannot stand in the path", "path")
    return Quoted("/".join([path_segment(part) for part in parts]))


def refuse_dots(text: str, decodings: int = DECODINGS) -> None:
    """Raise unless `text` can stand in a path.

    It is not empty, has no control character, and no part of it is `.` or `..`, neither as it is
    nor after any of its percent-decodings.
    """
    if not text:
        raise RenderError("an empty text cannot stand in the path", "path")
    if _CONTROL.search(text):
        raise RenderError("a control character cannot stand in the path", "path")
    seen = text
    for _ in range(decodings + 1):
        for part in _SLASH.split(seen):
            # some servers drop what follows a ';': to them '..;' climbs as well
            if part.partition(";")[0] in (".", ".."):
                raise RenderError("'.' and '..' cannot stand in the path", "path")
        decoded = unquote(seen)
        if decoded == seen:
            return
        seen = decoded


def query_text(value: Any) -> str:
    """A form-encoded name or value: `+` for a space (§3.5)."""
    text = to_text(value)
    if _PLAIN_QUERY.fullmatch(text):
        return text
    try:
        return quote_plus(text)
    except UnicodeEncodeError:
        raise RenderError("the text is not valid Unicode") from None


def header_value(value: Any) -> str:
    text = to_text(value)
    if _CONTROL.search(text):
        raise RenderError("a control character cannot stand in a header", "header")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise RenderError("the text is not valid Unicode", "header") from None
    return text


def xml_text(value: Any) -> str:
    """Text of an element or an attribute, in any quotes; what XML 1.0 cannot hold is refused."""
    text = to_text(value)
    if len(text) > LARGEST:
        raise RenderError("the text grows too long", "size")
    if _NOT_XML.search(text):
        raise RenderError("a character that XML does not allow")
    return _XML_MARKS.sub(lambda found: _XML_ESCAPES[found[0]], text)


def media_type(value: str) -> str:
    """Such as `image/png` or `text/plain; charset=utf-8`."""
    if not _MEDIA_TYPE.fullmatch(value):
        raise RenderError("that is no media type, such as image/png", "header")
    return value


def header_name_problem(name: str) -> str | None:
    """Why `name` cannot be set by an author, or None."""
    if not _TOKEN.fullmatch(name):
        return "a header name has letters, digits and '-' only"
    lower = name.lower()
    if lower in CONNECTION_HEADERS or lower.startswith("proxy-"):
        return f"header {name!r} belongs to the connection and is set by the gateway"
    return None


def _quoted(text: str) -> str:
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise RenderError("the text is not valid Unicode", "path") from None
