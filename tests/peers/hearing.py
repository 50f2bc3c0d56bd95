"""Who hears what a transport brings: it keeps everything, and can be waited for."""

import asyncio
import itertools
import json
from collections.abc import Callable

from gateway.protocol.received import Inbound
from gateway.transports.base import Outbound

NUMBERS = itertools.count(1)
PATIENCE = 10.0  # seconds after which a test gives up


class Hearing:
    """A Peer."""

    def __init__(self) -> None:
        self.messages: list[Inbound] = []
        self.reasons: list[str] = []
        self._news = asyncio.Event()

    def received(self, message: Inbound, request: int | None) -> None:
        self.messages.append(message)
        self._news.set()

    def lost(self, reason: str) -> None:
        self.reasons.append(reason)
        self._news.set()

    async def until(self, reached: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not reached():
                self._news.clear()
                await self._news.wait()

    async def loss(self) -> str:
        """Why the connection is gone; waits for that."""
        await self.until(lambda: self.reasons)
        return self.reasons[0]


def outbound(method: str, **params: object) -> Outbound:
    id = next(NUMBERS)
    message = {"jsonrpc": "2.0", "id": id, "method": method, "params": params}
    return Outbound(id, method, json.dumps(message).encode())


def result(message: Inbound) -> dict:
    return json.loads(bytes(message.result))
