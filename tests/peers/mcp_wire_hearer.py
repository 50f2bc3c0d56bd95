"""What stands above a transport in its tests: it hears what a server says, and writes requests."""

import asyncio
import itertools
import json
from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.protocol.received import Inbound
from gateway.transports.base import Outbound, Transport

MODERN = "2026-07-28"
LEGACY = "2025-11-25"
IDS = itertools.count(1)


class Hearer:
    """`messages` holds `(request, method, params)`, `losses` the reasons of `lost`."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[tuple[int | None, str | None, Any]] = asyncio.Queue()
        self.losses: asyncio.Queue[str] = asyncio.Queue()

    def received(self, message: Inbound, request: int | None) -> None:
        params = message.params
        read = json.loads(bytes(params)) if isinstance(params, msgspec.Raw) else None
        self.messages.put_nowait((request, message.method, read))

    def lost(self, reason: str) -> None:
        self.losses.put_nowait(reason)


def asked(
    method: str = "tools/call", params: Mapping[str, Any] | None = None, **more: Any
) -> Outbound:
    """A request with an id of its own."""
    id = next(IDS)
    body = {"jsonrpc": "2.0", "id": id, "method": method, "params": params or {}}
    return Outbound(id, method, json.dumps(body).encode(), **more)


def called(name: str, version: str = LEGACY, **arguments: Any) -> Outbound:
    """A tools/call in the words of a revision."""
    params: dict[str, Any] = {"name": name, "arguments": arguments}
    headers = [("MCP-Protocol-Version", version)]
    if version == MODERN:
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        headers += [("Mcp-Method", "tools/call"), ("Mcp-Name", name)]
    elif name == "count":
        params["_meta"] = {"progressToken": "t"}
    return asked("tools/call", params, headers=tuple(headers))


def result(message: Inbound) -> Any:
    assert isinstance(message.result, msgspec.Raw), message.error
    return json.loads(bytes(message.result))


async def initialized(transport: Transport) -> Any:
    """The result of a legacy handshake."""
    client = {"name": "test", "version": "1"}
    opening = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": client}
    found = result(await transport.request(asked("initialize", opening)))
    body = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
    await transport.send(body, (("MCP-Protocol-Version", LEGACY),))
    return found
