"""A gateway over a snapshot made in memory: the real front, without files or REST backends."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from gateway.domain.call import Call, Handler
from gateway.domain.catalog import Catalog
from gateway.domain.events import Event
from gateway.domain.listing import Listing
from gateway.domain.tool import Tool, ToolRef, ToolResult, text_result
from gateway.errors import CapabilityMissing
from gateway.runtime.snapshot import Current, Snapshot
from gateway.server.admin import Ledger
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
    first: Snapshot, options: Options | None = None, grace: float = 5.0
) -> AsyncIterator[Gateway]:
    current, ledger, events = Current(first), Ledger(), []

    def observe(event: Event) -> None:
        events.append(event)
        ledger(event)

    server = HttpServer(current, observe, options or Options(port=0), ledger, lambda: b"up 1\n")
    await server.start()
    try:
        yield Gateway(current, server, events)
    finally:
        await server.stop(grace)


class ConformanceTools:
    """The diagnostic tools that the conformance suite calls by name, as a backend."""

    NAMES = (
        "test_missing_capability",
        "test_streaming_elicitation",
        "test_logging_tool",
        "test_trigger_tool_change",
    )

    def __init__(self) -> None:
        self.current: Current | None = None
        self.extra = False

    def snapshot(self, version: int) -> Snapshot:
        names = [*self.NAMES, "test_extra"] if self.extra else list(self.NAMES)
        tools = {"diagnostics": [tool("diagnostics", name) for name in names]}
        return snapshot(version, tools, {"diagnostics": self.call})

    async def call(self, call: Call) -> ToolResult:
        name = call.tool.ref.name
        if name == "test_missing_capability":
            raise CapabilityMissing("this tool samples", {"sampling": {}})
        if name == "test_trigger_tool_change":
            assert self.current is not None
            self.extra = not self.extra
            self.current.swap(self.snapshot(self.current.get().version + 1))
        return text_result(f"{name} ran")


async def serve(port: int) -> None:
    """Serve the diagnostic tools, pinned into /mcp, until killed."""
    tools = ConformanceTools()
    names = (*tools.NAMES, "test_extra")
    pinned = [ToolRef("diagnostics", name) for name in names]
    options = Options(port=port, surfaced_tools=pinned)
    async with running(tools.snapshot(1), options) as gateway:
        tools.current = gateway.current
        print(gateway.server.port, flush=True)  # noqa: T201  the port, for whoever started us
        await asyncio.Event().wait()


if __name__ == "__main__":
    import uvloop

    uvloop.run(serve(int(sys.argv[1])))
