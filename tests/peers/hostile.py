"""What an attacker's end of a socket needs: bytes out as they are, whatever comes back in."""

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.peers.mcp_http import META, MODERN

PATIENCE = 10.0  # seconds: far more than any answer here takes


def request(
    method: str, params: Mapping[str, Any] | None = None, id: object = 1, **members: Any
) -> bytes:
    """The body of a modern request."""
    inner = {**(params or {}), "_meta": META}
    whole = {"jsonrpc": "2.0", "id": id, "method": method, "params": inner, **members}
    return json.dumps(whole, ensure_ascii=False).encode()


def posted(
    body: bytes,
    method: str = "tools/list",
    name: str | None = None,
    *,
    path: str = "/mcp",
    extra: str = "",
) -> bytes:
    """A whole modern POST with this body. `extra` are more header lines, each with its end."""
    named = f"Mcp-Name: {name}\r\n" if name else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {MODERN}\r\n"
        f"Mcp-Method: {method}\r\n{named}{extra}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("latin-1") + body


def called(tool: str, arguments: Mapping[str, Any], *, path: str = "/mcp") -> bytes:
    """A whole POST that calls a tool."""
    body = request("tools/call", {"name": tool, "arguments": arguments})
    return posted(body, "tools/call", tool, path=path)


def got(target: str, extra: str = "", host: str = "localhost") -> bytes:
    """A whole GET."""
    return f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{extra}\r\n".encode("latin-1")


@dataclass(frozen=True)
class Reply:
    """`status` 0: the connection closed without an answer."""

    status: int
    head: bytes = b""
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """Of a tool result, its first block."""
        return str(self.json["result"]["content"][0]["text"])


async def read_reply(reader: asyncio.StreamReader) -> Reply:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return Reply(0)
    lengths = [
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    body = await reader.readexactly(lengths[0]) if lengths else b""
    return Reply(int(head.split(b" ", 2)[1]), head, body)


async def ask(port: int, sent: bytes) -> Reply:
    """One answer, on a connection of its own."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        try:
            with contextlib.suppress(ConnectionError):
                writer.write(sent)
                await writer.drain()
            return await read_reply(reader)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@dataclass
class Spent:
    seconds: float = 0.0


@contextlib.contextmanager
def spent() -> Iterator[Spent]:
    """The processor time of this process in the block: unlike the clock's, ours alone."""
    found, started = Spent(), time.process_time()
    try:
        yield found
    finally:
        found.seconds = time.process_time() - started
