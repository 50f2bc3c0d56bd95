"""The whole gateway, in this process, before hostile MCP servers: and its clients of either era."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from gateway import app
from gateway.config.load import Source, understand
from gateway.runtime.configured import Configured
from tests.peers.hostile_mcp import COMMAND, Hostile
from tests.peers.hostile_mcp_web import Served, hostile
from tests.peers.mcp_http import McpHttp

QUIET = {("server", "port"): 0, ("log", "level"): "warning"}
WAYS = ("stdio", "http", "sse", "ws")
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
PATIENCE = 20.0  # seconds: far more than anything here takes


class World:
    """`server` is what is behind `http`, `sse` and `ws`."""

    def __init__(
        self, parts: app.Parts, base: str, http: aiohttp.ClientSession, file: Path, served: Served
    ) -> None:
        self.parts = parts
        self.base = base
        self.http = http
        self.file = file
        self.served = served
        self.server = served.server

    def client(self, backend: str | None = None) -> McpHttp:
        return McpHttp(self.http, f"{self.base}/mcp{f'/{backend}' if backend else ''}")

    async def call(
        self, backend: str, tool: str, id: int | str = 1, meta: Any = None, **arguments: Any
    ) -> dict[str, Any]:
        """The answer of a modern call."""
        return (await self.told(backend, tool, id, meta, **arguments))[-1]

    async def told(
        self, backend: str, tool: str, id: int | str = 1, meta: Any = None, **arguments: Any
    ) -> list[dict[str, Any]]:
        """All that is said of a modern call; its answer is the last."""
        return await self.asked(backend, {"name": tool, "arguments": arguments}, id, meta)

    async def asked(
        self, backend: str, params: Mapping[str, Any], id: int | str = 1, meta: Any = None
    ) -> list[dict[str, Any]]:
        whole = {**params, "_meta": meta or {}}
        async with self.client(backend).modern("tools/call", whole, id) as response:
            return messages(response.content_type, await response.text())

    async def health(self, backend: str) -> dict[str, Any]:
        """What /health says of it; nothing where there is none."""
        async with self.http.get(f"{self.base}/health") as response:
            return dict((await response.json())["backends"].get(backend, {}))

    async def until(self, backend: str, **fields: Any) -> dict[str, Any]:
        """Its health, once it is so."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self.health(backend)
                if fields.items() <= found.items():
                    return found
                await asyncio.sleep(0.01)


def messages(kind: str, body: str) -> list[dict[str, Any]]:
    """Those of an answer, of whichever of the two forms."""
    if kind != "text/event-stream":
        return [json.loads(body)]
    return [json.loads(line[6:]) for line in body.splitlines() if line.startswith("data: {")]


def text(answer: Mapping[str, Any]) -> str:
    return str(answer["result"]["content"][0]["text"])


def stdio(**words: Any) -> dict[str, Any]:
    return {"command": [*COMMAND, json.dumps(words)]}


def ways(port: int) -> dict[str, dict[str, Any]]:
    """The server at this port, on every transport that has one; and one over stdio."""
    return {
        "stdio": stdio(),
        "http": {"http_url": f"http://127.0.0.1:{port}/mcp"},
        "sse": {"sse_url": f"http://127.0.0.1:{port}/sse"},
        "ws": {"ws_url": f"ws://127.0.0.1:{port}/ws"},
    }


@contextlib.asynccontextmanager
async def world(
    folder: Path,
    server: Hostile | None = None,
    backends: Mapping[str, Any] | None = None,
    more: Mapping[str, Any] | None = None,
    status: str = "ok",
) -> AsyncIterator[World]:
    """Before `server` on every transport, unless `backends` are given, where `PORT` is its port.

    `more` is added to each. All have that `status`.
    """
    async with hostile(server or Hostile()) as (served, port):
        wanted = json.loads(json.dumps(backends or ways(port)).replace("PORT", str(port)))
        wanted = {name: {**one, **(more or {})} for name, one in wanted.items()}
        file = folder / "gateway.yaml"
        file.write_text(json.dumps({"capabilities": {"enabled": False}, "backends": wanted}))
        source = Source(str(file))

        def read(data: bytes) -> Any:
            return understand(data, source.file, {}, QUIET)

        config = read(file.read_bytes()).config
        assert config is not None
        configured = Configured(source, config, read)
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with (
            app.listening(configured) as (parts, own),
            aiohttp.ClientSession(timeout=timeout, connector=connector) as http,
        ):
            here = World(parts, f"http://127.0.0.1:{own}", http, file, served)
            for name in wanted:
                await here.until(name, status=status)
            yield here
