"""The whole gateway with a `gateway.yaml` that is followed, and raw HTTP to it."""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
from mcp import Client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client

from gateway import app
from gateway.config.load import Source, understand
from gateway.runtime.configured import Configured
from tests.peers.live import save

ACCEPT = "application/json, text/event-stream"
VERSION = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientCapabilities": {},
}
FILE = """\
capability: 1
name: {name}
description: Says hello
base_url: https://{name}.example
tools:
  hello:
    description: Says hello.
    get: /hello
    examples: [{{reply: {{json: {{said: hello}}}}, result: {{said: hello}}}}]
"""


class Secured:
    """`said` keys are sent with every request of `http`."""

    def __init__(
        self, parts: app.Parts, port: int, file: Path, http: aiohttp.ClientSession
    ) -> None:
        self.parts = parts
        self.base = f"http://127.0.0.1:{port}"
        self.url = f"{self.base}/mcp"
        self.file = file
        self.http = http

    def save(self, text: str) -> None:
        save(self.file, text)

    async def get(self, path: str, key: str | None = None, **headers: str) -> tuple[int, str]:
        async with self.http.get(self.base + path, headers=shown(key) | headers) as answer:
            return answer.status, await answer.text()

    async def listed(self, key: str | None, path: str = "/mcp") -> int:
        """The status of a modern tools/list."""
        async with self.asking(key, "tools/list", {}, path) as answer:
            return answer.status

    @contextlib.asynccontextmanager
    async def asking(
        self,
        key: str | None,
        method: str,
        params: dict[str, Any],
        path: str = "/mcp",
        **named: str,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A request of the modern era, and its answer as it comes."""
        sent = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": META}}
        headers = shown(key) | {
            "Accept": ACCEPT,
            "MCP-Protocol-Version": VERSION,
            "Mcp-Method": method,
            **named,
        }
        async with self.http.post(self.base + path, json=sent, headers=headers) as answer:
            yield answer

    async def legacy(self, key: str | None, method: str, session: str = "", **more: Any) -> Any:
        """A request of the legacy era: its status, its session, its answer."""
        sent = {"jsonrpc": "2.0", "id": 1, "method": method, "params": more}
        headers = shown(key) | {"Accept": ACCEPT}
        if session:
            headers["Mcp-Session-Id"] = session
        async with self.http.post(self.url, json=sent, headers=headers) as answer:
            body = await answer.text()
            found = json.loads(body) if body else None
            return answer.status, answer.headers.get("Mcp-Session-Id", ""), found

    async def opened(self, key: str | None) -> str:
        hello = {"name": "t", "version": "1"}
        status, session, _ = await self.legacy(
            key, "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo=hello
        )
        assert status == 200
        return str(session)

    @contextlib.asynccontextmanager
    async def client(self, key: str, mode: str = "auto", path: str = "") -> AsyncIterator[Client]:
        """The SDK's."""
        async with (
            create_mcp_http_client(shown(key)) as http,
            Client(streamable_http_client(self.url + path, http_client=http), mode=mode) as made,  # type: ignore[arg-type]
        ):
            yield made


def shown(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Authorization": f"Bearer {key}"}


@contextlib.asynccontextmanager
async def secured(
    folder: Path, text: str, names: tuple[str, ...] = ("shop", "bank"), *, mock: bool = True
) -> AsyncIterator[Secured]:
    """`text` is gateway.yaml; each of `names` is a server whose `hello` answers by itself."""
    files = folder / "capabilities"
    files.mkdir()
    for name in names:
        (files / f"{name}.yaml").write_text(FILE.format(name=name))
    file = folder / "gateway.yaml"
    file.write_text(text)
    said = {("server", "port"): 0, ("log", "level"): "error"}
    source = Source(str(file))
    loaded = understand(file.read_bytes(), source.file, {}, said)
    assert loaded.config is not None, loaded.issues
    configured = Configured(
        source, loaded.config, lambda data: understand(data, source.file, {}, said)
    )
    async with (
        app.listening(configured, mock=mock) as (parts, port),
        aiohttp.ClientSession() as http,
    ):
        yield Secured(parts, port, file, http)
