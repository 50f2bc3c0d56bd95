"""JSON-RPC 2.0 between bytes and messages, strictly: what two parsers could read differently is
refused.

The rule: a body has one reading. No duplicate or wrong-case keys, no NaN or overflowing number, no
BOM, no other encoding than UTF-8, no lone surrogate, bounded depth (T12, I13 to I15).
Results travel as bytes and are spliced in, never parsed again.
"""

import json
import math
from typing import Any

import msgspec

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603

DEEPEST = 64  # nested objects and arrays in one body
MOST_VALUES = 100_000  # in one body: reading them takes a tenth of a second
LARGE = 8 * 1024  # bytes of a body, from which on it is looked at before it is read
LONGEST_ID = 256  # characters
LONGEST_METHOD = 128  # characters; longer ones are unknown anyway
INT64 = 2**63

MEMBERS = frozenset({"jsonrpc", "id", "method", "params", "result", "error"})

Id = str | int
Params = dict[str, Any]


class Request(msgspec.Struct, frozen=True, gc=False):
    id: Id
    method: str
    params: Params


class Notification(msgspec.Struct, frozen=True, gc=False):
    method: str
    params: Params


class Response(msgspec.Struct, frozen=True, gc=False):
    """`id` is None when the peer could not read ours. Exactly one of `result` and `error` is
    set.
    """

    id: Id | None
    result: Any = msgspec.UNSET
    error: Any = msgspec.UNSET


class Problem(msgspec.Struct, frozen=True, gc=False):
    """Why bytes are no message, as JSON-RPC error fields. `id` is the request's where it could be
    read.
    """

    code: int
    message: str
    id: Id | None = None


class Batch(msgspec.Struct, frozen=True, gc=False):
    """An array of messages, in order; at least one."""

    items: tuple[Request | Notification | Response | Problem, ...]


Message = Request | Notification | Response | Problem
Decoded = Message | Batch

_encode = msgspec.json.Encoder().encode
_NOT_BEFORE_A_VALUE = bytes(set(range(256)) - set(b"[{,"))


class Refused(ValueError):
    """JSON, but not as we take it; the text says why."""


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise Refused("a key occurs twice in one object")


def finite(text: str) -> float:
    """A JSON number; as `float_hook` it spares the 11 µs that msgspec takes for `1.5e300`."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number beyond a double")
    return number


_decode = msgspec.json.Decoder().decode
_decode_large = msgspec.json.Decoder(float_hook=finite).decode
_find_duplicates = json.JSONDecoder(object_pairs_hook=_once).decode


def loads(body: bytes) -> Any:
    """One strict JSON value. Raises Refused; ValueError or RecursionError for what is no JSON."""
    large = len(body) >= LARGE
    if large and holds_more(body, MOST_VALUES):
        raise Refused(f"more than {MOST_VALUES} values")
    value = (_decode_large if large else _decode)(body)
    if body.count(b"{") + body.count(b"[") > DEEPEST and _too_deep(value):
        raise Refused(f"nested deeper than {DEEPEST} levels")
    if _encode(value) != body:  # bytes that encode back to themselves hold no key twice
        _find_duplicates(body.decode())
    return value


def holds_more(body: bytes, most: int) -> bool:
    """Whether JSON has more than `most` values, by what stands before each outside of texts."""
    if sum(map(body.count, (b"[", b"{", b","))) <= most:
        return False
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    if body.count(b'"') > 4 * most:  # each text has two, and may be a key
        return True
    outside = b"".join(body.split(b'"')[::2])
    return len(outside.translate(None, _NOT_BEFORE_A_VALUE)) > most


def decode(body: bytes) -> Decoded:
    """One message or batch out of a body. Never raises: what is wrong comes back as a Problem."""
    try:
        value = loads(body)
    except Refused as refused:
        return Problem(INVALID_REQUEST, str(refused))
    except (ValueError, RecursionError):
        return Problem(PARSE_ERROR, "the body is not one valid UTF-8 JSON value")
    if type(value) is dict:
        return message(value)
    if type(value) is list and value:
        return Batch(tuple(map(message, value)))
    return Problem(INVALID_REQUEST, "the body is not a JSON-RPC message")


def message(value: Any) -> Message:
    """The message a decoded JSON value stands for."""
    if type(value) is not dict:
        return Problem(INVALID_REQUEST, "a JSON-RPC message is an object")
    id = value.get("id")
    known = as_id(id)
    if value.get("jsonrpc") != "2.0":
        return Problem(INVALID_REQUEST, "jsonrpc must be '2.0'", known)
    if not value.keys() <= MEMBERS and _has_lookalike(value):
        return Problem(INVALID_REQUEST, "a member's name has the wrong case", known)
    if "id" in value and known is None and (id is not None or "method" in value):
        return Problem(INVALID_REQUEST, "id must be a string or a 64-bit integer")
    if "method" in value:
        return _call(value, known)
    return _response(value, known)


def _call(value: dict[str, Any], id: Id | None) -> Message:
    method, params = value["method"], value.get("params")
    if type(method) is not str:
        return Problem(INVALID_REQUEST, "method must be a string", id)
    if "result" in value or "error" in value:
        return Problem(INVALID_REQUEST, "a message is either a request or a response", id)
    if params is None and "params" not in value:
        params = {}
    if type(params) is not dict:
        return Problem(INVALID_PARAMS, "params must be an object", id)
    return Notification(method, params) if id is None else Request(id, method, params)


def _response(value: dict[str, Any], id: Id | None) -> Response | Problem:
    if ("result" in value) == ("error" in value):
        return Problem(INVALID_REQUEST, "neither a request nor a response", id)
    return Response(id, value.get("result", msgspec.UNSET), value.get("error", msgspec.UNSET))


def as_id(value: Any) -> Id | None:
    """`value` if a request may have it as its id: a string of sane length or a 64-bit integer."""
    if type(value) is str:
        return value if len(value) <= LONGEST_ID else None
    return value if type(value) is int and -INT64 <= value < INT64 else None


def _has_lookalike(value: dict[str, Any]) -> bool:
    """Whether a member differs from one of ours by case only: another parser may read it as
    ours.
    """
    return any(key not in MEMBERS and key.casefold() in MEMBERS for key in value)


def _too_deep(value: Any) -> bool:
    """Level by level, without recursion."""
    level = [value]
    for _ in range(DEEPEST):
        children: list[Any] = []
        for item in level:
            if type(item) is dict:
                children.extend(item.values())
            elif type(item) is list:
                children.extend(item)
        if not children:
            return False
        level = children
    return any(type(item) in (dict, list) for item in level)


def encode(value: Any) -> bytes:
    """Any JSON value as compact bytes."""
    return _encode(value)


def encode_id(id: Id | None) -> bytes:
    return b"%d" % id if type(id) is int else _encode(id)


def result(id: Id, raw: bytes) -> bytes:
    """The response that carries `raw`, a JSON value, as it is."""
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (encode_id(id), raw)


def error(id: Id | None, code: int, message: str, data: Any = None) -> bytes:
    """An error response; `id` None, where the request's could not be read, goes out as null."""
    body: dict[str, Any] = {"code": code, "message": message}
    if data is not None:
        body["data"] = data
    return b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (encode_id(id), _encode(body))


def notification(method: str, params: bytes | None = None) -> bytes:
    """A notification; `params` is a JSON object in bytes."""
    if params is None:
        return b'{"jsonrpc":"2.0","method":%b}' % _encode(method)
    return b'{"jsonrpc":"2.0","method":%b,"params":%b}' % (_encode(method), params)


def request(id: Id, method: str, params: bytes) -> bytes:
    """A request; `params` is a JSON object in bytes."""
    return b'{"jsonrpc":"2.0","id":%b,"method":%b,"params":%b}' % (
        encode_id(id),
        _encode(method),
        params,
    )


def one_line(raw: bytes) -> bytes:
    """The same JSON on one line. A raw line break can only stand between tokens, so a space may
    take its place.
    """
    if b"\n" in raw or b"\r" in raw:
        return raw.translate(_LINE_BREAKS_TO_SPACES)
    return raw


_LINE_BREAKS_TO_SPACES = bytes.maketrans(b"\r\n", b"  ")
