"""Streamable HTTP before a server by hand: of the newest revision, or of the one before."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from aiohttp import web

Json = dict[str, Any]
NAMED = {
    "tools/call": "name",
    **dict.fromkeys(("tasks/get", "tasks/update", "tasks/cancel"), "taskId"),
}
STREAMED = ("subscriptions/listen", "tasks/result")
STATUS = {-32601: 404, -32602: 400, -32020: 400, -32021: 400}


class Served(Protocol):
    foreign: ClassVar[str]
    everybody: Callable[[Json], None]

    async def answer(self, message: Json, say: Callable[[Json], None]) -> Json | None: ...


class Web:
    """The legacy half keeps one session and one standing stream, whose messages it keeps too."""

    def __init__(self, server: Served, *, modern: bool) -> None:
        self._server = server
        self._modern = modern
        self._unasked: asyncio.Queue[Json] = asyncio.Queue()
        server.everybody = self._unasked.put_nowait

    async def serve(self, port: int) -> None:
        app = web.Application()
        app.router.add_route("*", "/mcp", self._handle)
        runner = web.AppRunner(app, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        print(runner.addresses[0][1], flush=True)  # noqa: T201  for whoever started us
        await asyncio.Event().wait()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.method == "GET" and not self._modern:
            return await self._stream(request, self._unasked)
        if request.method != "POST":
            return web.Response(status=405)
        message = await request.json()
        fault = self._mismatch(request, message)
        if fault is not None:
            error = {"jsonrpc": "2.0", "id": message.get("id"), "error": fault}
            return web.json_response(error, status=STATUS[fault["code"]])
        if message.get("method") in STREAMED:
            return await self._streamed(request, message)
        answer = await self._server.answer(message, lambda _: None)
        if answer is None:
            return web.Response(status=202)
        code = answer.get("error", {}).get("code") if self._modern else None
        headers = {"Mcp-Session-Id": "s1"} if message["method"] == "initialize" else {}
        return web.json_response(answer, status=STATUS.get(code, 200), headers=headers)

    def _mismatch(self, request: web.Request, message: Json) -> Json | None:
        """What a server of this era says to the request before it looks into it."""
        method, modern = message.get("method"), "MCP-Protocol-Version" in request.headers
        if not self._modern:
            probed = method == "server/discover"
            return {"code": -32601, "message": "method not found"} if probed else None
        if not modern or method == "initialize":
            return {"code": -32601, "message": "method not found"}
        named = NAMED.get(str(method))
        name = message["params"].get(named) if named else None
        headers = request.headers.get("Mcp-Method"), request.headers.get("Mcp-Name")
        if headers[0] != method or (name is not None and headers[1] != name):
            return {"code": -32020, "message": "header mismatch"}
        return None

    async def _streamed(self, request: web.Request, message: Json) -> web.StreamResponse:
        said: asyncio.Queue[Json] = asyncio.Queue()
        answering = asyncio.create_task(self._server.answer(message, said.put_nowait))
        answering.add_done_callback(
            lambda done: None if done.cancelled() else said.put_nowait(done.result())
        )
        try:
            return await self._stream(request, said, until=message["id"])
        finally:
            answering.cancel()

    async def _stream(
        self, request: web.Request, said: "asyncio.Queue[Json]", until: Any = None
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        while True:
            message = await said.get()
            await response.write(b"data: " + json.dumps(message).encode() + b"\n\n")
            if until is not None and message.get("id") == until and "method" not in message:
                return response
