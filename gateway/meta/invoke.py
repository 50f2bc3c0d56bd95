"""`gateway_invoke`: call any tool; its own result comes back unchanged."""

from typing import Any, ClassVar

import msgspec

from gateway.domain.call import Outcome
from gateway.domain.tool import JsonObject, ToolRef
from gateway.errors import InvalidArguments
from gateway.meta.base import read, schema
from gateway.protocol import jsonrpc
from gateway.runtime.view import View

LONGEST_MS = 3_600_000


class Arguments(msgspec.Struct):
    server: str
    tool: str
    arguments: dict[str, Any] | str = {}
    timeout_ms: int | None = None


class Invoke:
    definition: ClassVar[JsonObject] = {
        "name": "gateway_invoke",
        "description": "Call a tool of a server.",
        "inputSchema": schema(
            ("server", "tool"),
            server={"type": "string"},
            tool={"type": "string"},
            arguments={"type": "object"},
            timeout_ms={"type": "integer"},
        ),
    }

    async def call(self, view: View, arguments: JsonObject) -> Outcome:
        wanted = read(arguments, Arguments, self.definition)
        return await view.call(
            ToolRef(wanted.server, wanted.tool), _object(wanted.arguments), _seconds(wanted)
        )


def _object(given: dict[str, Any] | str) -> JsonObject:
    """Some models send the arguments as JSON text: read it, if it is an object."""
    if isinstance(given, dict):
        return given
    try:
        found = jsonrpc.loads(given.encode() or b"{}")
    except jsonrpc.Refused as refused:
        raise InvalidArguments(f"arguments as text: {refused}") from None
    except (ValueError, RecursionError):
        found = None
    if type(found) is not dict:
        raise InvalidArguments("arguments must be a JSON object, not text")
    return found


def _seconds(wanted: Arguments) -> float | None:
    if wanted.timeout_ms is None:
        return None
    if not 1 <= wanted.timeout_ms <= LONGEST_MS:
        raise InvalidArguments(f"timeout_ms must be between 1 and {LONGEST_MS}")
    return wanted.timeout_ms / 1000
