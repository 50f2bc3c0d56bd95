"""`request:` of an example beside the request that is sent: each part of it read as it is written.

A form is compared pair by pair, a multipart body part by part, GraphQL by what is wanted of it.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from gateway.capability.examples.difference import differences
from gateway.capability.expressions.values import to_text
from gateway.capability.sending.multipart import PART_KEYS, Piece, parted
from gateway.http.message import HttpRequest

Path = tuple[str | int, ...]
Fault = tuple[Path, str]  # where in the example, and what
Compared = tuple[Any, Any]  # what is wanted, and what is sent


def request_faults(request: HttpRequest, wanted: Mapping[str, Any]) -> Iterator[Fault]:
    for key, value in wanted.items():
        try:
            expected, found = _READERS[key](request, value)
        except ValueError as error:
            yield (key,), f"cannot be compared with the request: {error}"
            continue
        for path, message in differences(expected, found):
            yield (key, *path), message


def _headers(request: HttpRequest, wanted: Any) -> Compared:
    """Those that are wanted; a name's case does not count."""
    if not isinstance(wanted, Mapping):
        raise ValueError("'headers' is a mapping")  # noqa: TRY004  an author's fault
    sent = {name.lower(): value for name, value in request.headers}
    expected = {name: to_text(value) for name, value in wanted.items()}
    return expected, {name: sent[name.lower()] for name in wanted if name.lower() in sent}


def _json(request: HttpRequest, wanted: Any) -> Compared:
    return wanted, msgspec.json.decode(request.body or b"")


def _graphql(request: HttpRequest, wanted: Any) -> Compared:
    """The parts that are wanted."""
    found = msgspec.json.decode(request.body or b"", type=dict[str, Any])
    return wanted, {name: value for name, value in found.items() if name in wanted}


def _form(request: HttpRequest, wanted: Any) -> Compared:
    """A text is compared as it is sent, a mapping pair by pair."""
    body = (request.body or b"").decode()
    if isinstance(wanted, str):
        return wanted, body
    if not isinstance(wanted, Mapping):
        raise ValueError("'form' is a mapping or a text")  # noqa: TRY004  an author's fault
    pairs = [list(pair) for pair in parse_qsl(body, keep_blank_values=True)]
    return [pair for name, value in wanted.items() for pair in _pairs(name, value)], pairs


def _pairs(name: str, value: Any) -> Iterator[list[str]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _pairs(f"{name}[{key}]", each)
    elif isinstance(value, list):
        for each in value:
            yield from _pairs(name, each)
    else:
        yield [name, to_text(value)]


def _multipart(request: HttpRequest, wanted: Any) -> Compared:
    """By name: a field is its text, an object JSON; of a file what is wanted of it, several of one
    name a list.
    """
    if not isinstance(wanted, Mapping):
        raise ValueError("'multipart' is a mapping")  # noqa: TRY004  an author's fault
    found: dict[str, list[Any]] = {}
    for piece in parted(request.body or b""):
        given = wanted.get(piece.name)
        several = given if isinstance(given, list) else [given]
        index = len(found.setdefault(piece.name, []))
        like = several[index] if index < len(several) else None
        found[piece.name].append(_piece(piece, like))
    lone = {name: each[0] if len(each) == 1 else each for name, each in found.items()}
    expected = {
        name: value[0] if isinstance(value, list) and len(value) == 1 else _said(value)
        for name, value in wanted.items()
    }
    return expected, lone


def _said(value: Any) -> Any:
    """A number is sent as its text."""
    if isinstance(value, list):
        return [_said(each) for each in value]
    return value if isinstance(value, dict) else to_text(value)


def _piece(piece: Piece, like: Any) -> Any:
    if piece.filename is None and piece.type is not None and piece.type.endswith("json"):
        return msgspec.json.decode(piece.data)
    text = _text(piece.data)
    if not isinstance(like, Mapping) or not (PART_KEYS & like.keys()):
        return text if piece.filename is None else {"filename": piece.filename, "data": text}
    whole = {"data": text, "filename": piece.filename, "content_type": piece.type}
    return {name: whole[name] for name in whole if name in like}


def _text(data: bytes) -> str:
    """As it is, or as base64 where it is no text."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return base64.b64encode(data).decode()


def _as_text(request: HttpRequest, wanted: Any) -> Compared:
    return wanted, (request.body or b"").decode()


_READERS: Final[dict[str, Callable[[HttpRequest, Any], Compared]]] = {
    "method": lambda request, wanted: (to_text(wanted).upper(), request.method),
    "url": lambda request, wanted: (wanted, request.url),
    "headers": _headers,
    "json": _json,
    "graphql": _graphql,
    "form": _form,
    "multipart": _multipart,
    "text": _as_text,
    "xml": _as_text,
    "bytes": lambda request, wanted: (wanted, base64.b64encode(request.body or b"").decode()),
}
