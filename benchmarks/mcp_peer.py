"""An MCP server that costs next to nothing: one tool, which answers with its text.

`python -m benchmarks.mcp_peer` serves Streamable HTTP on a free port, which it prints;
`… --stdio` serves its standard streams.
"""

import asyncio
import json
import sys
from typing import Any

OLD = "2025-11-25"
TOOL = {
    "name": "echo",
    "description": "The text again",
    "inputSchema": {
        "type": "object",
        "properties": {"text": {"type": "string"}},
        "required": ["text"],
    },
}


def answer(line: bytes) -> bytes | None:
    """The response to one message, without a line break; None where none is due."""
    message = json.loads(line)
    if "id" not in message:
        return None
    found = result(message["method"], message.get("params", {}))
    body = {"result": found} if found else {"error": {"code": -32601, "message": "no such method"}}
    return json.dumps({"jsonrpc": "2.0", "id": message["id"], **body}).encode()


def result(method: str, params: dict[str, Any]) -> dict[str, Any] | None:
    if method == "tools/call":
        return {"content": [{"type": "text", "text": params["arguments"]["text"]}]}
    if method == "initialize":
        return {
            "protocolVersion": OLD,
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "peer", "version": "1"},
        }
    return {"tools": [TOOL]} if method == "tools/list" else None


class Http(asyncio.Protocol):
    """POSTs with Content-Length; keep-alive."""

    def __init__(self) -> None:
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            size, whole = length(self.buffer[:end]), end + 4
            if len(self.buffer) < whole + size:
                return
            body = self.buffer[whole : whole + size]
            self.transport.write(self.respond(body) if body else NOT_ALLOWED)
            self.buffer = self.buffer[whole + size :]

    def respond(self, body: bytes) -> bytes:
        found = answer(body)
        if found is None:
            return b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
        return head % (len(found), found)


NOT_ALLOWED = b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n"


def length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"content-length:")
    return int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Http, "127.0.0.1", 0, backlog=512)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def talk() -> None:
    for line in sys.stdin.buffer:
        found = answer(line)
        if found is not None:
            sys.stdout.buffer.write(found + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    if "--stdio" in sys.argv:
        talk()
    else:
        asyncio.run(serve())
