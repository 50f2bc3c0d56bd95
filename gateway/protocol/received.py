"""What an MCP server sends us, between bytes and messages; the one decoder of every transport.

The rule: an envelope is read, its contents are not. What stands in `result` and `params` is checked
to be one JSON object in UTF-8 and otherwise travels as it came.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from gateway.domain.tool import JsonObject
from gateway.errors import BadResponse
from gateway.protocol import mcp
from gateway.protocol.jsonrpc import LARGE, MOST_VALUES, Id, holds_more, loads

LARGEST = 16 * 1024 * 1024  # bytes of one message (I57)
MOST_OBJECTS = 10_000  # in one batch, at any depth
OK = 200

Absent = msgspec.UnsetType
_OBJECT = ord("{")
_ARRAY = b"["
_SPACE = b" \t\r\n"


class Inbound(msgspec.Struct, frozen=True, gc=False, tag_field="jsonrpc", tag="2.0"):
    """One message from a server: a response (`result` or `error`), a request or a notification.

    `result` and `params` are bytes as they came, checked to be one JSON object in UTF-8. `status`
    is the HTTP status that a response came with, 200 elsewhere; no peer can set it.
    `error` is a dict; that it has a code and a message is not checked.
    """

    id: Id | None = None
    method: str | None = None
    params: msgspec.Raw | Absent = msgspec.UNSET
    result: msgspec.Raw | Absent = msgspec.UNSET
    error: Any = None
    status: Annotated[int, msgspec.Meta(ge=OK, le=OK)] = msgspec.field(default=OK, name="")


class _Unread(msgspec.Struct, frozen=True, gc=False, tag_field="jsonrpc", tag="2.0"):
    """The same with its error unread: one of a few megabytes could fill the memory."""

    id: Id | None = None
    method: str | None = None
    params: msgspec.Raw | Absent = msgspec.UNSET
    result: msgspec.Raw | Absent = msgspec.UNSET
    error: msgspec.Raw | Absent = msgspec.UNSET


_one = msgspec.json.Decoder(Inbound).decode
_one_unread = msgspec.json.Decoder(_Unread).decode
_batch_unread = msgspec.json.Decoder(list[_Unread]).decode


def decode(data: bytes) -> tuple[Inbound, ...]:
    """The message in `data`, or those of a batch (2025-03-26). Raises BadResponse.

    They share `data`, and keep it alive.
    """
    try:
        if not data.isascii():
            data.decode()  # which nobody checks in what is not read
        if len(data) < LARGE and not data.lstrip(_SPACE).startswith(_ARRAY):
            return (_checked(_one(data)),)
        return _large(data)
    except (ValueError, RecursionError):  # of which msgspec's and UTF-8's own are kinds
        raise BadResponse("the server sent what is no JSON-RPC message") from None


def _large(data: bytes) -> tuple[Inbound, ...]:
    if not data[:LARGE].lstrip(_SPACE).startswith(_ARRAY):
        return (_read(_one_unread(data)),)
    if data.count(b"{") > MOST_OBJECTS:
        raise ValueError("too many objects in a batch")
    found = _batch_unread(data)
    if not found:
        raise ValueError("an empty batch")
    return tuple(map(_read, found))


def _read(found: _Unread) -> Inbound:
    error = None
    if not isinstance(found.error, Absent):
        raw = bytes(found.error)
        if holds_more(raw, MOST_VALUES):
            raise ValueError("an error of too many values")
        error = loads(raw)
    return _checked(Inbound(found.id, found.method, found.params, found.result, error))


def _checked(message: Inbound) -> Inbound:
    """Exactly one of method, result and error; what is an object in MCP is one. Else ValueError."""
    error, result, params = message.error, message.result, message.params
    if message.method is not None:
        fits = error is None and isinstance(result, Absent)
        if fits and not isinstance(params, Absent) and not _is_object(params):
            fits = bytes(params) == b"null"  # which some write for none
            message = msgspec.structs.replace(message, params=msgspec.UNSET)
    elif error is not None:
        fits = type(error) is dict and isinstance(result, Absent)
    else:
        fits = message.id is not None and not isinstance(result, Absent) and _is_object(result)
    if not fits:
        raise ValueError("neither a request, a notification nor a response")
    return message


def _is_object(raw: msgspec.Raw) -> bool:
    return memoryview(raw)[0] == _OBJECT


def untagged(params: JsonObject) -> JsonObject:
    """The params of a notification without the id of the listen request that brought it, which
    means nothing to anyone but its sender; the same object where there is none.
    """
    meta = params.get("_meta")
    if not isinstance(meta, Mapping) or mcp.SUBSCRIPTION_ID not in meta:
        return params
    kept = {key: value for key, value in meta.items() if key != mcp.SUBSCRIPTION_ID}
    rest = {key: value for key, value in params.items() if key != "_meta"}
    return {**rest, "_meta": kept} if kept else rest
