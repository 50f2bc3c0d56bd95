"""An MCP server of either era with all that the official conformance suite calls by name.

python -m tests.peers.conformance_server --http 0 --view dual

It prints the port and serves at /mcp, or without --http over its standard input and output. A view
leaves out one of the eras, as a server does that knows only the other.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import socket
import warnings
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import uvicorn
from mcp import types
from mcp.server.caching import CacheHint
from mcp.server.lowlevel.server import NotificationOptions, Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.runner import _serve_modern_stream, serve_loop
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import ListenHandler
from mcp.shared.exceptions import MCPDeprecationWarning
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.peers.conformance_server_asks import MODERN, Asking, Context, MoreNeededError
from tests.peers.conformance_server_data import (
    EXTRA_PROMPT,
    EXTRA_RESOURCE,
    PROMPTS,
    RESOURCES,
    TEMPLATES,
    complete,
    get,
    read,
)
from tests.peers.conformance_server_events import Events
from tests.peers.conformance_server_tools import Run, World, call, input_schema, listed

VIEWS = ("dual", "legacy", "modern")
CHANGES = NotificationOptions(prompts_changed=True, resources_changed=True, tools_changed=True)
CACHED = ("tools/list", "prompts/list", "resources/list", "resources/templates/list")
KEY = b"the fixture's own key, at least 32 bytes long"
RETRY = 100  # milliseconds after which a client opens a closed stream again


class Fixture:
    """The handlers, and the world that they share."""

    def __init__(self) -> None:
        self.world = World()

    async def tools(self, _context: Context, _params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=listed(self.world))

    async def call(
        self, context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        asking = Asking(context, params.input_responses, params.request_state)
        try:
            return await call(Run(self.world, asking, params.arguments or {}), params.name)
        except MoreNeededError as more:
            return more.result()

    async def prompts(self, _context: Context, _params: Any) -> types.ListPromptsResult:
        extra = [EXTRA_PROMPT] if self.world.extra_prompt else []
        return types.ListPromptsResult(prompts=[*PROMPTS, *extra])

    async def prompt(
        self, context: Context, params: types.GetPromptRequestParams
    ) -> types.GetPromptResult | types.InputRequiredResult:
        asking = Asking(context, params.input_responses, params.request_state)
        try:
            return await get(params.name, params.arguments or {}, asking)
        except MoreNeededError as more:
            return more.result()

    async def resources(self, _context: Context, _params: Any) -> types.ListResourcesResult:
        extra = [EXTRA_RESOURCE] if self.world.extra_resource else []
        return types.ListResourcesResult(resources=[*RESOURCES, *extra])

    async def templates(self, _context: Context, _params: Any) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult(resource_templates=TEMPLATES)

    async def read(
        self, context: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        return read(str(params.uri), modern=context.protocol_version == MODERN)

    async def complete(
        self, _context: Context, params: types.CompleteRequestParams
    ) -> types.CompleteResult:
        return complete(params)

    async def nothing(self, _context: Context, _params: Any) -> types.EmptyResult:
        return types.EmptyResult()


def server(fixture: Fixture) -> Server[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MCPDeprecationWarning)
        made: Server[Any] = Server(
            "fixture",
            version="1.0.0",
            instructions="Tools for the conformance suite.",
            cache_hints=dict.fromkeys(CACHED, CacheHint(1_000, "public")),
            get_tool_input_schema=input_schema,
            on_list_tools=fixture.tools,
            on_call_tool=fixture.call,
            on_list_resources=fixture.resources,
            on_list_resource_templates=fixture.templates,
            on_read_resource=fixture.read,
            on_subscribe_resource=fixture.nothing,
            on_unsubscribe_resource=fixture.nothing,
            on_subscriptions_listen=ListenHandler(fixture.world.bus),
            on_list_prompts=fixture.prompts,
            on_get_prompt=fixture.prompt,
            on_completion=fixture.complete,
            on_set_logging_level=fixture.nothing,
        )
    made.middleware.append(
        RequestStateBoundary(RequestStateSecurity(keys=[KEY]), default_audience="fixture")
    )
    made.create_initialization_options = partial(  # type: ignore[method-assign]
        made.create_initialization_options, CHANGES
    )
    return made


class OneEra:
    """Before the HTTP server: answers as one does that has never heard of the other era."""

    def __init__(self, app: ASGIApp, view: str) -> None:
        self._app, self._view = app, view

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = dict(scope["headers"])
        spoken = headers.get(b"mcp-protocol-version", b"").decode("latin-1")
        if self._view == "legacy" and spoken >= MODERN:
            return await _refuse(send, 400, "unsupported protocol version")
        if self._view == "modern" and scope["method"] != "POST":
            return await _refuse(send, 405, "method not allowed")
        if self._view == "modern" and spoken < MODERN:
            # The SDK sends what has no modern header to its other half: never a version it knows.
            kept = [item for item in scope["headers"] if item[0] != b"mcp-protocol-version"]
            scope = {**scope, "headers": [*kept, (b"mcp-protocol-version", b"none")]}
        return await self._app(scope, receive, send)


async def _refuse(send: Send, status: int, message: str) -> None:
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": message}}
    headers = [(b"content-type", b"application/json")]
    start: Message = {"type": "http.response.start", "status": status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": json.dumps(error).encode()})


async def serve_http(view: str, port: int) -> None:
    inner = server(Fixture()).streamable_http_app(event_store=Events(), retry_interval=RETRY)
    app: ASGIApp = inner if view == "dual" else OneEra(inner, view)
    with socket.create_server(("127.0.0.1", port), backlog=128) as listening:
        print(listening.getsockname()[1], flush=True)  # noqa: T201  for whoever started us
        # h11 strips the white space around a header value, as HTTP has it; httptools does not.
        config = uvicorn.Config(app, http="h11", log_level="warning", timeout_graceful_shutdown=1)
        await uvicorn.Server(config).serve(sockets=[listening])


async def serve_stdio(view: str) -> None:
    made = server(Fixture())
    async with stdio_server() as (receiving, sending), _state(made) as state:
        if view == "modern":
            await _serve_modern_stream(
                made, receiving, sending, lifespan_state=state, raise_exceptions=False
            )
        elif view == "legacy":
            options = made.create_initialization_options()
            await serve_loop(made, receiving, sending, lifespan_state=state, init_options=options)
        else:
            await made.run(receiving, sending, made.create_initialization_options())


@contextlib.asynccontextmanager
async def _state(made: Server[Any]) -> AsyncIterator[Any]:
    async with made.lifespan(made) as state:
        yield state


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--http", type=int, metavar="PORT", help="0 for any; stdio without it")
    parser.add_argument("--view", choices=VIEWS, default="dual")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    over_stdio = chosen.http is None
    serving = serve_stdio(chosen.view) if over_stdio else serve_http(chosen.view, chosen.http)
    asyncio.run(serving)


if __name__ == "__main__":
    main()
