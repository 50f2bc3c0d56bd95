"""`hostile_mcp.py` at URLs: `/mcp` is Streamable HTTP, `/sse` HTTP+SSE, `/ws` a WebSocket.

As a program it prints its port; its argument is that of the same over stdio.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from tests.peers.hostile_mcp import PROTOCOL, Hostile, Say, line_of

STREAM = {"Content-Type": "text/event-stream"}


def event(message: Any) -> bytes:
    """Bytes go out as they are: maybe as no event."""
    return message if isinstance(message, bytes) else b"data: %b\n" % line_of(message) + b"\n"


class Served:
    """`headers` are those of each request, `port` is where it is."""

    def __init__(self, server: Hostile) -> None:
        self.server = server
        self.port = 0
        self.headers: list[dict[str, str]] = []
        self.gone = 0  # requests whose client went away before their answer
        self._outbox: list[asyncio.Queue[Any]] = []
        self._streams: dict[str, Say] = {}
        server.everybody = self._everybody

    def _everybody(self, message: Any) -> None:
        for queue in self._outbox:
            queue.put_nowait(message)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if request.path == "/ws":
            return await self._socket(request)
        if request.path.startswith("/sse"):
            return await self._sse(request)
        if request.method == "GET":
            return await self._stream(request, [])
        if request.method == "DELETE":
            return web.Response(status=204)
        return await self._post(request)

    async def _post(self, request: web.Request) -> web.StreamResponse:
        message = json.loads(await request.read())
        if "method" not in message or "id" not in message:
            self.server.take(message, self._everybody)
            return web.Response(status=202)
        said: asyncio.Queue[Any] = asyncio.Queue()
        if message["method"] == "subscriptions/listen":
            return await self._stream(request, [message])
        self.server.take(message, said.put_nowait)
        first = await self._first(said)
        modern = PROTOCOL in (message.get("params", {}).get("_meta") or {})
        own = {"Mcp-Session-Id": "s1"} if message["method"] == "initialize" and not modern else {}
        if isinstance(first, dict) and first.get("id") == message["id"] and "method" not in first:
            return web.json_response({"jsonrpc": "2.0", **first}, headers=own)
        return await self._answers(request, message["id"], first, said)

    async def _first(self, said: "asyncio.Queue[Any]") -> Any:
        try:
            return await said.get()
        except asyncio.CancelledError:
            self.gone += 1
            raise

    async def _answers(
        self, request: web.Request, id: Any, first: Any, said: "asyncio.Queue[Any]"
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers=STREAM)
        await response.prepare(request)
        message = first
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(event(message))
                if (
                    isinstance(message, dict)
                    and message.get("id") == id
                    and "method" not in message
                ):
                    break
                message = await self._first(said)
        return response

    async def _stream(self, request: web.Request, begun: list[Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers=STREAM)
        await response.prepare(request)
        said: asyncio.Queue[Any] = asyncio.Queue()
        self._outbox.append(said)
        for message in begun:
            self.server.take(message, said.put_nowait)
        try:
            with contextlib.suppress(ConnectionError):
                while True:
                    await response.write(event(await said.get()))
        finally:
            self._outbox.remove(said)
        return response

    async def _sse(self, request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            say = self._streams[request.query["stream"]]
            self.server.take(json.loads(await request.read()), say)
            return web.Response(status=202)
        response = web.StreamResponse(headers=STREAM)
        await response.prepare(request)
        said: asyncio.Queue[Any] = asyncio.Queue()
        name = str(len(self._streams))
        self._streams[name] = said.put_nowait
        self._outbox.append(said)
        await response.write(b"event: endpoint\ndata: /sse?stream=%b\n\n" % name.encode())
        try:
            with contextlib.suppress(ConnectionError):
                while True:
                    await response.write(event(await said.get()))
        finally:
            self._outbox.remove(said)
        return response

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("mcp",), max_msg_size=0)
        await socket.prepare(request)
        said: asyncio.Queue[Any] = asyncio.Queue()
        writing = asyncio.create_task(self._write(socket, said))
        self._outbox.append(said)
        try:
            async for message in socket:
                self.server.take(json.loads(message.data), said.put_nowait)
        finally:
            self._outbox.remove(said)
            writing.cancel()
        return socket

    async def _write(self, socket: web.WebSocketResponse, said: "asyncio.Queue[Any]") -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                message = await said.get()
                await socket.send_str(line_of(message).decode("latin-1"))


@contextlib.asynccontextmanager
async def hostile(server: Hostile) -> AsyncIterator[tuple[Served, int]]:
    """It, and its port."""
    served = Served(server)
    app = web.Application(client_max_size=64 << 20)
    app.router.add_route("*", "/{tail:.*}", served.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        served.port = runner.addresses[0][1]
        yield served, served.port
    finally:
        await runner.cleanup()


async def main() -> None:
    words = json.loads(sys.argv[1] if len(sys.argv) > 1 else "{}")
    async with hostile(Hostile(**words)) as (_, port):
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
