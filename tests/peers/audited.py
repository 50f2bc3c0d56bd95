"""A gateway that writes an audit, in a process of its own, before an API of all sorts; and clients
that know what became of each of their requests.
"""

import asyncio
import contextlib
import json
import re
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.peers.gateways import Started, started
from tests.peers.hostile import Reply, got, posted, read_reply, request
from tests.peers.web import serving

PATIENCE = 20.0  # seconds: far more than any answer here takes
SERVER = Path(__file__).with_name("backend_sdk_server.py")
KEYS = {"ann": "ann-canary-0123456789", "bob": "bob-canary-0123456789", "cat": "cat-canary-012345"}

SHOP = """\
capability: 1
name: shop
description: A shop
base_url: http://127.0.0.1:{port}
tools:
  get:
    description: An item by its number.
    args: {{id: {{type: integer, required: true}}}}
    get: /items/{{{{ args.id }}}}
  hold:
    description: What takes its time.
    args: {{name: {{type: string, required: true}}}}
    get: /hold/{{{{ args.name }}}}
  wipe:
    description: Nobody may.
    get: /items/1
"""
SETTINGS = """\
failsafe:
  circuit_breaker: {{enabled: false}}
  rate_limit: {{enabled: false}}
  retry: {{enabled: false}}
auth:
  enabled: true
  api_keys:
  - {{name: ann, key: '{ann}', team: web, org: acme, denied_tools: [wipe]}}
  - {{name: bob, key: '{bob}', rate_limit: 1}}
  - {{name: cat, key: '{cat}', level: read}}
backends:
  peer: {{command: ['{python}', '{server}']}}
{audit}
"""


@dataclass
class Api:
    """What it is asked to hold, it holds until it is let go; `came` says that it was asked."""

    came: defaultdict[str, asyncio.Event] = field(
        default_factory=lambda: defaultdict(asyncio.Event)
    )
    free: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, asked: web.Request) -> web.Response:
        kind, _, name = asked.path[1:].partition("/")
        if kind == "hold":
            self.came[name].set()
            await self.free.wait()
        if name == "404":
            return web.json_response({"message": "no such item"}, status=404)
        return web.json_response({"item": name})


@dataclass
class Audited:
    gateway: Started
    api: Api
    file: Path

    @property
    def port(self) -> int:
        return self.gateway.port

    @property
    def lines(self) -> list[dict[str, Any]]:
        """All lines there are: each is whole, and JSON."""
        content = self.file.read_bytes() if self.file.exists() else b""
        assert not content or content.endswith(b"\n")
        return [json.loads(line) for line in content.splitlines()]

    async def until(self, count: int) -> list[dict[str, Any]]:
        """The lines, once there are so many."""
        async with asyncio.timeout(PATIENCE):
            while len(found := self.lines) < count:
                await asyncio.sleep(0.02)
        return found

    async def health(self) -> Any:
        return (await once(self.port, got("/health"))).json

    async def figure(self, name: str) -> float:
        """Of /metrics; 0 where it is not there."""
        reply = await once(self.port, got("/metrics"))
        found = re.search(rf"^{re.escape(name)} (\S+)$", reply.body.decode(), re.MULTILINE)
        return float(found[1]) if found else 0.0


@contextlib.asynccontextmanager
async def audited(
    folder: Path, audit: str = "", *, keys: bool = True, shops: int = 1
) -> AsyncIterator[Audited]:
    """`audit` are more settings, `keys`: callers are asked who they are, and an MCP server is
    there too. Of the `shops` each is another origin: `shop`, `shop1` and so on.
    """
    api = Api()
    async with contextlib.AsyncExitStack() as stack:
        capabilities = folder / "capabilities"
        capabilities.mkdir()
        for number in range(shops):
            port = await stack.enter_async_context(serving(api.answer, notices=True))
            name = f"shop{number or ''}"
            text = SHOP.format(port=port).replace("name: shop", f"name: {name}")
            (capabilities / f"{name}.yaml").write_text(text)
        file = folder / "audit.jsonl"
        section = f"audit: {{enabled: true{audit and ', ' + audit}}}"
        with_keys = SETTINGS.format(python=sys.executable, server=SERVER, audit=section, **KEYS)
        settings = with_keys if keys else section
        async with started(capabilities, settings=settings) as gateway:
            try:
                yield Audited(gateway, api, file)
            finally:
                api.free.set()


def calling(
    id: object,
    tool: str,
    arguments: Mapping[str, Any],
    *,
    key: str = "ann",
    path: str = "/mcp/shop",
) -> bytes:
    """A whole POST that calls a tool."""
    body = request("tools/call", {"name": tool, "arguments": arguments}, id)
    return posted(body, "tools/call", tool, path=path, extra=bearer(key))


def asking(id: object, prompt: str, *, key: str = "ann") -> bytes:
    """A whole POST for a prompt of the MCP server."""
    body = request("prompts/get", {"name": prompt, "arguments": {"name": "x"}}, id)
    return posted(body, "prompts/get", prompt, path="/mcp/peer", extra=bearer(key))


def bearer(key: str) -> str:
    return f"Authorization: Bearer {KEYS[key]}\r\n"


def outcome(reply: Reply) -> str:
    """As its client can tell."""
    assert reply.body, (reply.status, reply.head)
    answer = reply.json
    if "error" in answer:
        text = answer["error"]["message"]
        data = answer["error"].get("data")
        if isinstance(data, dict) and "code" in data:
            return str(data["code"])
        return "tool_not_found" if "unknown tool" in text else "upstream_error"
    if not answer["result"].get("isError"):
        return "ok"
    found = re.search(r"\((\w+); \w+\)", answer["result"]["content"][0]["text"])
    return found[1] if found else "tool_error"


async def once(port: int, sent: bytes) -> Reply:
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        reply = await read_reply(reader)
        writer.close()
        return reply


async def each(port: int, requests: Mapping[str, bytes], connections: int = 32) -> dict[str, str]:
    """The outcome of each, by its name, over so many connections. Raises ExceptionGroup."""
    waiting = list(requests.items())
    found: dict[str, str] = {}

    async def one() -> None:
        writer = None
        try:
            while waiting:
                name, sent = waiting.pop()
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(sent)
                async with asyncio.timeout(PATIENCE):
                    reply = await read_reply(reader)
                found[name] = outcome(reply)
                if b"\r\nConnection: close" in reply.head:
                    writer.close()
                    writer = None
        finally:
            if writer is not None:
                writer.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(min(connections, len(waiting))):
            group.create_task(one())
    return found


async def gives_up(audited: Audited, name: str, key: str = "ann") -> None:
    """A client that goes away once its call has reached the API."""
    _, writer = await asyncio.open_connection("127.0.0.1", audited.port)
    writer.write(calling(name, "hold", {"name": name}, key=key))
    async with asyncio.timeout(PATIENCE):
        await audited.api.came[name].wait()
    writer.close()
