"""A gateway over a snapshot made in memory: the real front, without files or REST backends."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from gateway.domain.call import Call, Handler
from gateway.domain.catalog import Catalog
from gateway.domain.events import Event
from gateway.domain.listing import Listing
from gateway.domain.tool import Tool, ToolRef, ToolResult
from gateway.observe.ledger import Ledger
from gateway.runtime.notices import Notices
from gateway.runtime.snapshot import Current, Snapshot
from gateway.server.compose import HttpServer, Options


def tool(backend: str, name: str, **definition: Any) -> Tool:
    schema = {"type": "object", "properties": {"text": {"type": "string"}}}
    return Tool(
        ToolRef(backend, name),
        {"name": name, "description": f"Does {name}.", "inputSchema": schema, **definition},
    )


async def echo(call: Call) -> ToolResult:
    """Says its arguments back, as text and as structured content."""
    said = json.dumps(dict(call.arguments))
    return ToolResult(({"type": "text", "text": said},), structured=said.encode())


def snapshot(
    version: int, tools: Mapping[str, Sequence[Tool]], handlers: Mapping[str, Handler] | None = None
) -> Snapshot:
    """One backend a key of `tools`; those without a handler of their own echo."""
    listings = [Listing(name, f"The {name} API.", tuple(its)) for name, its in tools.items()]
    routes = {name: (handlers or {}).get(name, echo) for name in tools}
    return Snapshot(version=version, catalog=Catalog(listings), routes=routes)


class Gateway:
    """What a test holds of a running gateway."""

    def __init__(self, current: Current, server: HttpServer, events: list[Event]) -> None:
        self.current = current
        self.server = server
        self.events = events

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"


@contextlib.asynccontextmanager
async def running(
    first: Snapshot,
    options: Options | None = None,
    grace: float = 5.0,
    notices: Notices | None = None,
) -> AsyncIterator[Gateway]:
    """`notices` is where a test says what servers tell all their clients."""
    current, ledger, events = Current(first), Ledger(), []

    def observe(event: Event) -> None:
        events.append(event)
        ledger(event)

    server = HttpServer(
        current, observe, options or Options(port=0), ledger, lambda: b"up 1\n", notices
    )
    await server.start()
    try:
        yield Gateway(current, server, events)
    finally:
        await server.stop(grace)
