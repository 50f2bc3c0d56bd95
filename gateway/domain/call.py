"""One tools/call in flight, and the one shape of everything that handles it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.domain.identity import Identity
from gateway.domain.tool import JsonObject, Tool, ToolResult


@dataclass(frozen=True, slots=True)
class Call:
    """`deadline` is on the loop's monotonic clock, in seconds; infinity when there is none.

    `id` is unique in this process; log lines and events of the call carry it.
    """

    id: str
    tool: Tool
    arguments: JsonObject
    caller: Identity
    deadline: float


Handler = Callable[[Call], Awaitable[ToolResult]]
