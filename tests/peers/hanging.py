"""A REST API and an MCP server that hang, fail and recover when they are told to."""

import asyncio
import json
from typing import Any

from aiohttp import web

TOOLS = [{"name": name, "inputSchema": {"type": "object"}} for name in ("echo", "work")]
RESULTS: dict[str, Any] = {
    "initialize": {
        "protocolVersion": "2025-11-25",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "hanging", "version": "1"},
    },
    "tools/list": {"tools": TOOLS},
    "tools/call": {"content": [{"type": "text", "text": "well"}]},
    "ping": {},
}


class Patient:
    """`mood` is `well`, `hangs` or `fails`; `calls` counts what was asked of it, but no chatter."""

    def __init__(self) -> None:
        self.mood = "well"
        self.calls = 0

    async def endure(self) -> None:
        self.calls += 1
        if self.mood == "hangs":
            await asyncio.Event().wait()

    async def rest(self, _: web.Request) -> web.Response:
        await self.endure()
        status = 500 if self.mood == "fails" else 200
        return web.json_response({"mood": self.mood}, status=status)

    async def mcp(self, request: web.Request) -> web.StreamResponse:
        """Streamable HTTP of the legacy era, without a session."""
        if request.method != "POST":
            return web.Response(status=405)
        message = await request.json()
        if "id" not in message:
            return web.Response(status=202)
        method = message["method"]
        if method == "tools/call":
            await self.endure()
            if self.mood == "fails":
                return web.Response(status=500)
            if message["params"]["name"] == "work":
                return await working(request, message)
        result = RESULTS.get(method)
        answer = (
            {"result": result}
            if result is not None
            else {"error": {"code": -32601, "message": "no"}}
        )
        return web.json_response({"jsonrpc": "2.0", "id": message["id"], **answer})


async def working(request: web.Request, message: dict[str, Any]) -> web.StreamResponse:
    """Tells of progress ten times in a second, if it was asked to, and then answers."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    token = message["params"].get("_meta", {}).get("progressToken")
    for step in range(10):
        await asyncio.sleep(0.1)
        if token is not None:
            said = {"progressToken": token, "progress": step}
            await response.write(event({"method": "notifications/progress", "params": said}))
    await response.write(event({"id": message["id"], "result": RESULTS["tools/call"]}))
    return response


def event(message: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n\n"
