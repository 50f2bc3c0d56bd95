"""`multipart:` fields and files as `multipart/form-data` (RFC 7578).

Names are the author's. A value is one part, a list one part each, an object a part of JSON; a file
brings its bytes with it, for nothing is read from a disk or fetched. The boundary is a keyed hash
of the parts: nobody can write it into one, and the same call makes the same request.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec

from gateway.capability import media_types
from gateway.capability.expressions.escape import media_type
from gateway.capability.expressions.filters import nothing
from gateway.capability.expressions.language import Position, Scope
from gateway.capability.expressions.place import Place
from gateway.capability.expressions.template import Template
from gateway.capability.expressions.values import RenderError, refused, to_json, to_text
from gateway.capability.file.model import Part
from gateway.capability.file_name import file_name, numbered
from gateway.capability.sending.pairs import Spliced
from gateway.capability.sending.tree import SPLICE, Build, compile_tree, literal_name

FORM_DATA: Final = "multipart/form-data"
MOST_PARTS: Final = 1_000
LARGEST: Final = 64 << 20  # bytes of a body
PART_KEYS: Final = frozenset(Part.__struct_fields__)

_KEY: Final = secrets.token_bytes(32)
_PREFIX: Final = "capgate-"
_DIGEST: Final = 16  # bytes
_LENGTH: Final = len(_PREFIX) + 2 * _DIGEST  # characters of a boundary


class Piece(NamedTuple):
    """One part as it is sent. Without a file name it is a plain field."""

    name: str
    data: bytes
    filename: str | None = None
    type: str | None = None


class Field:
    """A name and its value: a part, or one each for a list."""

    def __init__(self, name: str, value: Any, place: Place) -> None:
        self.name = name
        self._builds = [
            _file(name, each, inner) or _plain(each, inner)
            for each, inner in _elements(value, place)
        ]

    def pieces(self, scope: Scope) -> Iterator[Piece]:
        """Raises RenderError."""
        for build in self._builds:
            found = build(scope)
            if isinstance(found, _Files):
                yield from found.pieces
            else:
                yield from _pieces(self.name, found)


class MultipartBody:
    content_type = FORM_DATA

    def __init__(self, value: Mapping[str, Any], place: Place) -> None:
        self.fields = [_field(name, each, place) for name, each in value.items()]

    def render(self, scope: Scope) -> bytes:
        """Raises Refused."""
        pieces: list[Piece] = []
        for field in self.fields:
            pieces += _spliced(field, scope) if isinstance(field, Spliced) else _of(field, scope)
            if len(pieces) > MOST_PARTS:
                error = RenderError(f"more than {MOST_PARTS} parts", "size")
                raise refused("multipart", error)
        return joined(pieces)


def with_boundary(
    headers: Sequence[tuple[str, str]], body: bytes | None
) -> tuple[tuple[str, str], ...]:
    """`headers` of a multipart body, its Content-Type with the boundary that it begins with."""
    mark = (body or b"")[2 : 2 + _LENGTH].decode()
    return tuple(
        (name, f"{value}; boundary={mark}" if name.lower() == "content-type" else value)
        for name, value in headers
    )


def type_problem(value: Any) -> str | None:
    """Why `value` cannot be the Content-Type of a multipart body, or None."""
    said = value.lower() if isinstance(value, str) else ""
    if not said.startswith("multipart/") or "{" in said:
        return "the Content-Type of a multipart body is multipart/…, written out"
    return "the boundary is made for each request" if "boundary" in said else None


def joined(pieces: Sequence[Piece]) -> bytes:
    """The body. Raises Refused when it grows too large."""
    size = sum(len(piece.data) for piece in pieces)
    if size > LARGEST:
        raise refused("multipart", RenderError(f"more than {LARGEST >> 20} MiB", "size"))
    parts = [b"\r\n%b\r\n\r\n%b\r\n" % (_head(piece), piece.data) for piece in pieces]
    mark = b"--" + _boundary(parts)
    return b"".join([*(mark + part for part in parts), mark, b"--\r\n"])


def parted(body: bytes) -> list[Piece]:
    """The parts of a body that `joined` made."""
    mark = body[: 2 + _LENGTH]
    return [_read(part) for part in body.split(mark)[1:-1]]


def _boundary(parts: Sequence[bytes]) -> bytes:
    digest = blake2b(key=_KEY, digest_size=_DIGEST)
    for part in parts:
        digest.update(part)
    mark = f"{_PREFIX}{digest.hexdigest()}".encode()
    while any(mark in part for part in parts):
        mark = f"{_PREFIX}{secrets.token_hex(_DIGEST)}".encode()
    return mark


def _head(piece: Piece) -> bytes:
    said = f'Content-Disposition: form-data; name="{_quoted(piece.name)}"'
    if piece.filename is not None:
        said += f'; filename="{piece.filename}"'
    if piece.type is not None:
        said += f"\r\nContent-Type: {piece.type}"
    return said.encode()


def _read(part: bytes) -> Piece:
    head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    name, _, filename = (
        lines[0].partition('; name="')[2].removesuffix('"').partition('"; filename="')
    )
    type_ = lines[1].partition(": ")[2] if len(lines) > 1 else None
    named = filename if '; filename="' in lines[0] else None
    return Piece(_unquoted(name), data.removesuffix(b"\r\n"), named, type_)


def _quoted(name: str) -> str:
    """As browsers do (WHATWG HTML, multipart/form-data encoding algorithm)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _unquoted(name: str) -> str:
    return name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


class _Files(NamedTuple):
    pieces: list[Piece]


class _File:
    """`{data, filename, content_type}`; a list of data makes as many files."""

    def __init__(self, name: str, spec: Part, place: Place) -> None:
        self._name = name
        self._data = place.at("data").template(spec.data, Position.FORM)
        self._filename = _optional(spec.filename, place.at("filename"))
        self._type = _optional(spec.content_type, place.at("content_type"))
        _warn_of_base64(self._data, place.at("data"))

    def __call__(self, scope: Scope) -> _Files:
        """Raises RenderError."""
        data = self._data.value(scope)
        given = data if isinstance(data, list) else [data]
        there = [each for each in given if not nothing(each)]
        said = self._filename.text(scope) if self._filename else None
        type_ = self._type.text(scope) if self._type else None
        return _Files(
            [self._piece(each, said, type_, index) for index, each in enumerate(there, 1)]
        )

    def _piece(self, data: Any, said: Any, type_: Any, index: int) -> Piece:
        """A file has a name: its author's, else the field's. A text without one is a field."""
        named = isinstance(said, str)
        raw = isinstance(data, bytes)
        filename = None
        if self._filename is not None or raw:
            filename = numbered(file_name(said if named else "", self._name), index)
        if isinstance(type_, str):
            return Piece(self._name, _bytes(data), filename, media_type(type_))
        found = media_types.of_name(filename) if filename is not None else None
        if found is None and (raw or filename is not None):
            found = media_types.BINARY
        return Piece(self._name, _bytes(data), filename, found)


def _field(name: str, value: Any, place: Place) -> "Field | Spliced":
    if name == SPLICE:
        return Spliced(value, place.at(name), Position.FORM)
    literal_name(name, place)
    return Field(name, value, place.at(name))


def _elements(value: Any, place: Place) -> Iterator[tuple[Any, Place]]:
    if isinstance(value, list):
        yield from ((each, place.at(index)) for index, each in enumerate(value))
    else:
        yield value, place


def _file(name: str, value: Any, place: Place) -> _File | None:
    """A file, where `value` describes one; what does so wrongly is reported."""
    if not isinstance(value, dict) or not (PART_KEYS & value.keys()):
        return None
    if "data" in value and len(value) > 1 and not ({"filename", "content_type"} & value.keys()):
        return None  # an object of the author's that has a member called so
    try:
        spec = msgspec.convert(value, Part)
    except msgspec.ValidationError as error:
        reason = str(error).replace("Object ", "").partition(" - at")[0]
        for key in sorted(PART_KEYS & value.keys()):
            reason = reason if isinstance(value[key], str) else f"{key!r} is no text"
        place.fault(f"not a file: {reason}", "{data, filename, content_type}, each a text")
        return _File(name, Part(" "), Place(place.path, place.names, _unheard, place.reads))
    return _File(name, spec, place)


def _warn_of_base64(data: Template, place: Place) -> None:
    """The bytes are meant, not their base64."""
    declared = place.names.get("args")
    if "b64decode" in data.source or not isinstance(declared, Mapping):
        return
    for read in sorted(data.reads):
        name = read[-1]
        if read[0] == "args" and declared.get(name, {}).get("contentEncoding") == "base64":
            said = f"args.{name} is base64, and would be sent as that"
            place.warn(said, f'write "{{{{ args.{name} | b64decode }}}}"')


def _unheard(*_: Any, **__: Any) -> None:
    """For the parts of what was reported as a whole."""


def _plain(value: Any, place: Place) -> Build:
    """An object is JSON, where null is a value; anything else is a form's."""
    json = isinstance(value, (dict, list))
    return compile_tree(value, place, Position.JSON if json else Position.FORM)


def _optional(source: str | None, place: Place) -> Template | None:
    return None if source is None else place.template(source, Position.FORM)


def _of(field: Field, scope: Scope) -> list[Piece]:
    try:
        return list(field.pieces(scope))
    except (RenderError, RecursionError) as error:
        raise refused(field.name, error) from None


def _spliced(spliced: Spliced, scope: Scope) -> Iterator[Piece]:
    for name, value in spliced.pairs(scope):
        try:
            yield from _pieces(name, value)
        except (RenderError, RecursionError) as error:
            raise refused(name, error) from None


def _pieces(name: str, value: Any) -> Iterator[Piece]:
    for each in value if isinstance(value, list) else (value,):
        if isinstance(each, (dict, list)):
            yield Piece(name, to_json(each), None, "application/json")
        elif isinstance(each, bytes):
            yield Piece(name, each, file_name("", name), media_types.BINARY)
        elif not nothing(each):
            yield Piece(name, _bytes(each))


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return to_text(value).encode()
    except UnicodeEncodeError:
        raise RenderError("the text is not valid Unicode") from None
