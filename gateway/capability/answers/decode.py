"""The bytes of an answer -> JSON, XML or text, strictly, whatever was sent (I58, T12).

JSON is taken as RFC 8259 says: no NaN, no number beyond a double, at most 200 levels; a key that is
repeated keeps its last value; half a surrogate pair becomes U+FFFD. Errors are ValueError with the
reason; who answered is for the caller to say.
"""

import re
from array import array
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any, Final, Literal

import msgspec

from gateway.capability.answers import xml_values
from gateway.capability.answers.charsets import UTF8, known
from gateway.capability.expressions.values import MISSING
from gateway.capability.file.model import As
from gateway.http.message import HttpResponse
from gateway.protocol.jsonrpc import LARGE, finite, holds_more

DEEPEST: Final = 200  # levels of lists and objects
MOST_VALUES: Final = 1_000_000  # of one answer: they take seconds and a gigabyte from there on
LONGEST_TYPE: Final = 512  # characters of a Content-Type that are looked at
TOO_DEEP: Final = f"nested more than {DEEPEST} levels deep"
IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
TEXTS: Final = re.compile(
    r"text/.*|.*[/+](?:xml|yaml)|application/(?:x-yaml|javascript|csv|graphql|x-ndjson|x-sh"
    r"|x-www-form-urlencoded)"
)
SHOWN: Final = frozenset({"application/xhtml+xml", "image/svg+xml"})  # XML that is text to a reader

Kind = Literal["json", "xml", "text", "image", "audio", "other"]

_AS: Final[dict[As, Kind]] = {"json": "json", "text": "text", "xml": "xml", "binary": "other"}
_TEXTUAL: Final = frozenset({"json", "xml", "text"})
_DATA: Final = frozenset({"json", "xml"})
_read = msgspec.json.Decoder().decode
_read_large = msgspec.json.Decoder(float_hook=finite).decode
_BOM = b"\xef\xbb\xbf"
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_NOT_BRACKETS_OR_QUOTES = _NOT_BRACKETS.replace(b'"', b"")
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")  # as signed bytes: 1, 1, -1, -1
_STRING = re.compile(rb'"[^"]*"')
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]+"
)
_TAGS = re.compile(r"(?is)<(style|script)\b[^>]*>.*?</\1\s*>|<[^<>]*>")


@dataclass(frozen=True, slots=True)
class Media:
    """A Content-Type: lower-case `type/subtype` ("" when there is none), its kind and charset."""

    type: str
    kind: Kind
    charset: str | None = None


def media(content_type: str) -> Media:
    """Reads a Content-Type header; a charset Python does not know counts as none."""
    return _media(content_type[:LONGEST_TYPE])


@lru_cache(maxsize=512)
def _media(content_type: str) -> Media:
    name, _, parameters = content_type.lower().partition(";")
    name = name.strip()
    found = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", parameters)
    charset = found[1] if found else None
    return Media(name, _kind(name), charset if charset and known(charset) else None)


def _kind(name: str) -> Kind:
    if name.endswith(("/json", "+json")):
        return "json"
    if name.endswith(("/xml", "+xml")) and name not in SHOWN:
        return "xml"
    if name in IMAGES:
        return "image"
    if name.startswith("audio/"):
        return "audio"
    return "text" if TEXTS.fullmatch(name) else "other"


def utf8(body: bytes, charset: str | None) -> bytes:
    """JSON bytes in UTF-8 without a byte-order mark. Raises ValueError when they are no text."""
    if charset is not None and charset not in UTF8:
        body = body.decode(charset).encode()
    elif body.startswith((b"\xff\xfe", b"\xfe\xff")):
        body = body.decode("utf-16").encode()
    return body.removeprefix(_BOM)


def loads(data: bytes) -> Any:
    """Strict JSON in UTF-8. Raises ValueError with the reason in a few words."""
    if holds_more(data, MOST_VALUES):
        raise ValueError(f"more than {MOST_VALUES} values")
    try:
        value = reread(data)
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    except msgspec.DecodeError as error:
        mended = _ESCAPE.sub(_whole, data) if b"\\u" in data else data
        if mended != data:
            return loads(mended)
        raise ValueError(_reason(error)) from None
    if too_deep(data):
        raise ValueError(TOO_DEEP)
    return value


def reread(data: bytes) -> Any:
    """As msgspec reads JSON, but in time that its numbers cannot stretch."""
    return _read(data) if len(data) < LARGE else _read_large(data)


def _reason(error: msgspec.DecodeError) -> str:
    text = str(error).removeprefix("JSON is malformed: ")
    return text.replace("Input data was truncated", "it ends too early")


def _whole(found: re.Match[bytes]) -> bytes:
    return found[0] if found[1] is None else b"\\ufffd"


def too_deep(data: bytes) -> bool:
    """Whether valid JSON nests more than `DEEPEST` levels; 0.4 µs a kilobyte if it has few."""
    least = 2 * DEEPEST  # brackets, opening and closing
    if len(data) <= least or len(data.translate(None, _NOT_BRACKETS)) <= least:
        return False
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    # what stays are brackets as +1 and -1, and quotes: two that touch hide nothing between them
    steps = data.translate(_STEPS, _NOT_BRACKETS_OR_QUOTES).replace(b'""', b"")
    return max(accumulate(array("b", _STRING.sub(b"", steps)))) > DEEPEST


def compact(data: bytes) -> bytes | None:
    """Valid JSON bytes without blanks, otherwise as they are; None when they must be read instead.

    Escapes must be read (they can hide a secret or half a character), and so must what is wrong.
    """
    if b"\\" in data:
        return None
    try:
        tight = msgspec.json.format(data, indent=-1)
        tight.decode()  # format() does not look inside texts
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return None if too_deep(tight) else tight


def text_of(body: bytes, charset: str | None) -> str:
    """Text in its declared charset, else UTF-8; what does not decode becomes U+FFFD (F6)."""
    if charset is None and body.startswith((b"\xff\xfe", b"\xfe\xff")):
        charset = "utf-16"
    text = body.removeprefix(_BOM).decode(charset or "utf-8", errors="replace")
    return text.encode("utf-8", "replace").decode() if charset else text


def sniff(body: bytes) -> str | None:
    """Text when the bytes are strict UTF-8 without NUL, else None."""
    try:
        text = body.removeprefix(_BOM).decode()
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text


def snippet(text: str, most: int) -> str:
    """At most `most` characters on one line, nothing unprintable in them, tags of HTML left out."""
    text = text[: most * 8]
    if text.lstrip().startswith("<"):
        text = _TAGS.sub(" ", text)
    text = " ".join(tidy(text).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def tidy(text: str) -> str:
    """`text` with a blank in place of what cannot be printed; lines and tabs stay."""
    return _UNPRINTABLE.sub(" ", text).strip()


class Answer:
    """One response, decoded at most once and only when somebody asks.

    `kind` is how it is to be read: as its tool says, else as it says itself. `lists` are the names
    of XML that are lists.
    """

    failed = False  # only an event can call itself an error

    __slots__ = ("_lists", "_value", "body", "headers", "kind", "media", "status")

    def __init__(
        self, response: HttpResponse, as_: As = "auto", lists: frozenset[str] = frozenset()
    ) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.body
        self.media = media(response.headers.get("content-type", ""))
        self.kind: Kind = _AS.get(as_) or self.media.kind
        self._lists = lists
        self._value: Any = MISSING

    def utf8(self) -> bytes:
        """JSON bytes in UTF-8, unread. Raises ValueError when the charset is wrong."""
        return utf8(self.body, self.media.charset)

    def value(self) -> Any:
        """Of XML its dict, of all else what it is as JSON. Raises ValueError with the reason."""
        if self._value is MISSING:
            self._value = self._read(self.kind)
        return self._value

    def _read(self, kind: Kind) -> Any:
        if kind == "xml":
            return xml_values.loads(self.body, self.media.charset, self._lists)
        return loads(self.utf8())

    def text(self) -> str:
        return text_of(self.body, self.media.charset)

    def loosely(self) -> Any:
        """For error rules and messages: JSON or XML if it is any, text, "" for other bytes. Never
        raises.

        An empty body is `{}`. What it says it is goes first: where a tool wants a text or a file,
        errors are something else.
        """
        if not self.body:
            return {}
        said = self.media.kind
        try:
            return self._read(said) if said in _DATA and said != self.kind else self.value()
        except ValueError:
            return self.text() if self.media.kind in _TEXTUAL else sniff(self.body) or ""
