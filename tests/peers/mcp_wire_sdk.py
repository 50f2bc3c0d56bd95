"""The `mcp` SDK's own server over HTTP, in this process: the judge of our transports."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from starlette.applications import Starlette

from tests.peers.conformance_server_events import Events

RETRY = 100  # milliseconds


class Quiet(uvicorn.Server):
    """Leaves the signals of the test process alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server() -> MCPServer:
    made = MCPServer("wire")

    @made.tool()
    async def echo(text: str) -> str:
        return text

    @made.tool()
    async def count(ctx: Context) -> str:
        for number in (1, 2):
            await ctx.report_progress(number, 2)
        return "counted"

    @made.tool()
    async def change(ctx: Context) -> str:
        await ctx.session.send_tool_list_changed()
        return "changed"

    @made.tool()
    async def break_off(ctx: Context) -> str:
        """Answers after its stream was closed (SEP-1699)."""
        await ctx.close_sse_stream()
        return "after all"

    @made.tool()
    async def hang() -> str:
        await asyncio.Event().wait()
        return ""

    return made


def streamable(**settings: Any) -> Starlette:
    return server().streamable_http_app(**settings)


def resumable() -> Starlette:
    return streamable(event_store=Events(), retry_interval=RETRY)


def sse() -> Starlette:
    return server().sse_app()


@contextlib.asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[str]:
    """Gives the origin."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1)
        runner = Quiet(config)
        task = asyncio.create_task(runner.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            runner.should_exit = True
            await task
