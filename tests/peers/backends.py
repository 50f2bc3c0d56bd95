"""A small real backend in memory: its tools answer at once, or when told to."""

import asyncio
from collections.abc import Callable

from gateway.backends.base import Notify
from gateway.domain.call import Call, Query, Relayed
from gateway.domain.listing import Health, Listing
from gateway.domain.tool import Tool, ToolRef, ToolResult, text_result
from gateway.errors import BackendUnavailable, Unsupported


class MemoryBackend:
    """Every tool answers with its backend's `word`. `gate` closed: calls wait until it opens."""

    def __init__(self, name: str, tools: tuple[str, ...] = ("get",), word: str = "") -> None:
        self.name = name
        self.word = word or name
        self.health = Health()
        self.tools = tuple(
            Tool(ToolRef(name, tool), {"name": tool, "description": f"{tool} of {name}"})
            for tool in tools
        )
        self.gate = asyncio.Event()
        self.gate.set()
        self.entered = asyncio.Event()
        self.started = 0
        self.closed = 0
        self.changed: Callable[[], None] = lambda: None

    @property
    def listing(self) -> Listing:
        return Listing(self.name, f"about {self.name}", self.tools, self.health)

    async def start(self, on_change: Callable[[], None], notify: Notify) -> None:
        self.started += 1
        self.changed = on_change

    async def call(self, call: Call) -> ToolResult:
        self.entered.set()
        await self.gate.wait()
        return text_result(f"{self.word}.{call.tool.ref.name}")

    async def query(self, query: Query) -> Relayed:
        raise Unsupported(f"no {query.method}")

    async def aclose(self) -> None:
        self.closed += 1


class BrokenBackend(MemoryBackend):
    """It cannot start."""

    async def start(self, on_change: Callable[[], None], notify: Notify) -> None:
        raise BackendUnavailable("no such program")


class StuckBackend(MemoryBackend):
    """It cannot be closed."""

    async def aclose(self) -> None:
        raise OSError("device busy")
