"""How much one stdio peer may have in flight: the rest of the front runs as a process elsewhere."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from gateway.domain.call import Call
from gateway.domain.tool import ToolResult, text_result
from gateway.runtime.snapshot import Current
from gateway.server.changes import Changes
from gateway.server.endpoint import Endpoint
from gateway.server.hearing import Hub
from gateway.server.listen import Subscriptions
from gateway.server.stdio import MOST_AT_ONCE, Stdio
from gateway.server.surface import BackendSurface
from gateway.server.views import Views
from tests.peers.memory_gateway import snapshot, tool


class Peer:
    """A backend whose calls wait for `gate`, and the lines that a peer sends and is sent."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.sent: list[Any] = []
        current = Current(snapshot(1, {"slow": [tool("slow", "get")]}, {"slow": self.wait}))
        changes = Changes(current, lambda _: None)
        hub = Hub(Views(current, lambda _: None), current, changes)
        self.front = Stdio(
            Endpoint(current, lambda _: None),
            BackendSurface("slow"),
            hub,
            Subscriptions(hub),
            self.take,
            self.take,
        )

    def take(self, line: bytes) -> None:
        self.sent.append(json.loads(line))

    async def wait(self, _: Call) -> ToolResult:
        await self.gate.wait()
        return text_result("done")

    async def lines(self, *messages: Any) -> AsyncIterator[bytes]:
        """Then the gate opens, and the input ends."""
        for message in messages:
            yield json.dumps(message).encode()
        self.gate.set()


def request(id: int | str, method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


async def test_what_is_too_much_at_once_is_refused_and_the_rest_is_answered() -> None:
    """I16."""
    peer = Peer()
    calls = [request(number, "tools/call", name="get") for number in range(MOST_AT_ONCE + 1)]
    opening = request("init", "initialize", protocolVersion="2025-03-26")
    batch = [request("b", "tools/call", name="get")]
    async with asyncio.timeout(5):
        await peer.front.serve(peer.lines(opening, *calls, batch), grace=5)
    busy = [line for line in peer.sent if "error" in line]
    assert [line["id"] for line in busy] == [MOST_AT_ONCE, None]
    assert {line["error"]["data"]["code"] for line in busy} == {"busy"}
    assert len(peer.sent) == 1 + MOST_AT_ONCE + 2


async def test_a_batch_in_flight_counts_and_is_answered_as_one() -> None:
    peer = Peer()
    opening = request("init", "initialize", protocolVersion="2025-03-26")
    batch = [request(number, "tools/call", name="get") for number in range(3)]
    async with asyncio.timeout(5):
        await peer.front.serve(peer.lines(opening, batch), grace=5)
    assert [line["id"] for line in peer.sent[-1]] == [0, 1, 2]
