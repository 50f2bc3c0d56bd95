"""What a server's response comes to: a result to hand on, of which no more than the head is read,
or an error.
"""

from typing import Any

import msgspec

from gateway.domain.call import Relayed
from gateway.domain.client import Client
from gateway.domain.tool import JsonObject
from gateway.errors import BadResponse, RemoteError
from gateway.protocol import mcp
from gateway.protocol.jsonrpc import INTERNAL_ERROR
from gateway.protocol.received import OK, Inbound

COMPLETE = "complete"
INPUT_REQUIRED = "input_required"
TASK = "task"


class ErrorAnswered(RemoteError):
    """A JSON-RPC error; `status` is the HTTP status that it came with, 200 elsewhere."""

    def __init__(self, error: JsonObject, status: int = OK) -> None:
        code, said = error.get("code"), error.get("message")
        number = code if type(code) is int else INTERNAL_ERROR
        super().__init__(number, said if isinstance(said, str) else "", error.get("data"))
        self.status = status


class _Head(msgspec.Struct, gc=False):
    """The members of a result that decide what becomes of it; the others are skipped."""

    kind: Any = msgspec.field(default=msgspec.UNSET, name="resultType")
    is_error: Any = msgspec.field(default=False, name="isError")


_head = msgspec.json.Decoder(_Head).decode


def relayed(answer: Inbound, client: Client, *, modern: bool) -> Relayed:
    """The result in `answer`. Raises ErrorAnswered for an error, BadResponse for a `resultType`
    that the client cannot know.
    """
    body = raw(answer)
    try:
        head = _head(body)
    except (ValueError, RecursionError):
        raise BadResponse("the server's result is unreadable") from None
    failed = head.is_error is True
    kind = head.kind
    if not modern or kind is msgspec.UNSET:  # without one it is a complete result, as before 2026
        return Relayed(body, is_error=failed)
    if kind != COMPLETE and not (kind == INPUT_REQUIRED or (kind == TASK and _tasks(client))):
        raise BadResponse(f"the server answered with an unknown type of result: {str(kind)[:32]!r}")
    return Relayed(body, modern=True, kind=kind, is_error=failed)


def read(answer: Inbound) -> dict[str, Any]:
    """The whole result, parsed. Raises ErrorAnswered and BadResponse."""
    try:
        return msgspec.json.decode(raw(answer), type=dict[str, Any])
    except (ValueError, RecursionError):
        raise BadResponse("the server's result is unreadable") from None


def raw(answer: Inbound) -> bytes:
    """The result, a JSON object. Raises ErrorAnswered."""
    if answer.error is not None:
        raise ErrorAnswered(answer.error, answer.status)
    if isinstance(answer.result, msgspec.UnsetType):
        raise BadResponse("the server answered with neither result nor error")
    return bytes(answer.result)


def _tasks(client: Client) -> bool:
    """Whether the client declared that it can take a task for an answer."""
    extensions = client.capabilities.get("extensions")
    return client.modern and isinstance(extensions, dict) and mcp.TASKS_EXTENSION in extensions
