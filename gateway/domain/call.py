"""One request to a backend in flight, and the one shape of everything that handles it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.domain.client import NO_CONTEXT, Context
from gateway.domain.identity import Identity
from gateway.domain.tool import JsonObject, Tool, ToolResult


@dataclass(frozen=True, slots=True)
class Call:
    """A tools/call. `deadline` is on the loop's monotonic clock, in seconds; infinity when there is
    none.

    `id` is unique in this process; log lines and events of the call carry it. `hurried`: its caller
    gives it less time than its backend is due. `repeat`: whether it may be sent twice, whatever its
    tool says of itself; None: as that says.
    """

    id: str
    tool: Tool
    arguments: JsonObject
    caller: Identity
    deadline: float
    context: Context = NO_CONTEXT
    hurried: bool = False
    repeat: bool | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """Any other MCP request to one backend: prompts/get, resources/read, completion/complete, ….

    `params` are complete and in the backend's own words: its names and URIs, not those under which
    a merged list shows them. `_meta` in them is the client's.
    """

    id: str
    backend: str
    method: str
    params: JsonObject
    caller: Identity
    context: Context = NO_CONTEXT


@dataclass(frozen=True, slots=True)
class Relayed:
    """What an MCP server answered: its result, a JSON object in bytes, never parsed as a whole.

    `modern`: written by a server of the modern era, so members such as `resultType` may be in it.
    `kind` is its `resultType` (`complete`, `input_required`, `task`, …); `is_error` is that of a
    CallToolResult.
    """

    raw: bytes
    modern: bool = False
    kind: str = "complete"
    is_error: bool = False


Outcome = ToolResult | Relayed
Handler = Callable[[Call], Awaitable[Outcome]]
QueryHandler = Callable[[Query], Awaitable[Relayed]]
