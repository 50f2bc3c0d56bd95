"""A bare MCP client over HTTP: posts what it is told and reads streams, judging nothing."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp

from gateway.protocol.sse import Event, Parser

MODERN = "2026-07-28"
ACCEPT = {"Accept": "application/json, text/event-stream"}
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}


class Events:
    """The events of an open stream, one after the other; `ended` once the server has closed it."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self._parser = Parser()
        self._waiting: list[Event] = []

    async def next(self) -> Event | None:
        """The next event; None at the end of the stream. Comments are skipped."""
        while not self._waiting:
            chunk = await self.response.content.readany()
            if not chunk:
                return None
            self._waiting = self._parser.feed(chunk)
        return self._waiting.pop(0)

    async def message(self) -> dict[str, Any]:
        """The next event that carries a message."""
        while (event := await self.next()) is not None:
            if event.data:
                return dict(json.loads(event.data))
        raise EOFError


class McpHttp:
    """`url` is the MCP endpoint; `session` the id of the legacy session, once opened."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http = http
        self.url = url
        self.session: dict[str, str] = {}

    def modern(
        self, method: str, params: Mapping[str, Any] | None = None, id: int | str = 1
    ) -> contextlib.AbstractAsyncContextManager[aiohttp.ClientResponse]:
        body = {"jsonrpc": "2.0", "id": id, "method": method}
        headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method, **ACCEPT}
        named = (params or {}).get("name", (params or {}).get("taskId"))
        if named is not None:
            headers["Mcp-Name"] = str(named)
        meta = {**META, **((params or {}).get("_meta") or {})}
        return self.http.post(
            self.url, json={**body, "params": {**(params or {}), "_meta": meta}}, headers=headers
        )

    def legacy(
        self, method: str, params: Mapping[str, Any] | None = None, id: int | str | None = 1
    ) -> contextlib.AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """`id` None sends a notification."""
        body: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params or {}}
        if id is not None:
            body["id"] = id
        return self.http.post(self.url, json=body, headers={**ACCEPT, **self.session})

    async def initialize(self, version: str = "2025-11-25", **capabilities: Any) -> None:
        opening = {"protocolVersion": version, "capabilities": capabilities}
        async with self.legacy("initialize", opening) as response:
            self.session = {"Mcp-Session-Id": response.headers["Mcp-Session-Id"]}
        async with self.legacy("notifications/initialized", id=None) as response:
            assert response.status == 202

    @contextlib.asynccontextmanager
    async def stream(self, last_event_id: str | None = None) -> AsyncIterator[Events]:
        """The session's GET stream."""
        headers = {"Accept": "text/event-stream", **self.session}
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        async with self.http.get(self.url, headers=headers) as response:
            assert response.status == 200, await response.text()
            yield Events(response)

    @contextlib.asynccontextmanager
    async def listen(
        self, id: int | str = 1, meta: Mapping[str, Any] | None = None, **wanted: Any
    ) -> AsyncIterator[Events]:
        params = {"notifications": wanted, "_meta": meta or {}}
        async with self.modern("subscriptions/listen", params, id) as response:
            assert response.status == 200, await response.text()
            yield Events(response)


@contextlib.asynccontextmanager
async def client(base: str, path: str = "/mcp") -> AsyncIterator[McpHttp]:
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        yield McpHttp(http, base + path)
