"""An MCP server in memory, as sessions see it: it lists, answers, hangs, refuses and goes away."""

import asyncio
from collections.abc import Callable
from typing import Any, Self

from gateway.backends.mcp import McpBackend
from gateway.backends.settings import McpSettings
from gateway.domain.call import Call, Query, Relayed
from gateway.domain.client import NO_CONTEXT, Context
from gateway.domain.events import Notice
from gateway.domain.identity import ANONYMOUS, Identity
from gateway.domain.tool import Tool, ToolRef
from gateway.errors import BackendUnavailable, GatewayError
from gateway.http.direct import Direct
from gateway.protocol import mcp
from gateway.protocol.eras import MODERN
from gateway.session.session import SessionEvents
from gateway.transports import Http
from gateway.transports.base import Means

OBJECT = {"type": "object"}


def tool(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "inputSchema": OBJECT, **more}


class MemorySession:
    """One conversation with `server`; only what the server says goes wrong goes wrong."""

    revision = MODERN

    def __init__(self, server: "MemoryServer", events: SessionEvents) -> None:
        self.server = server
        self.events = events
        self.closed = False
        self.watched: frozenset[str] = frozenset()
        self.watched_tasks: frozenset[str] = frozenset()
        self.missed = 0  # how often it was asked to look at them
        self.flying: set[asyncio.Future[Relayed]] = set()
        self.capabilities = server.capabilities
        self.instructions = server.instructions
        self.server_info = {"name": "memory", "title": "A server in memory"}

    async def call(self, call: Call, name: str, arguments: Any, schema: Any) -> Relayed:
        self.server.called.append((name, arguments, schema))
        return await self._answer(name)

    async def query(self, query: Query) -> Relayed:
        self.server.called.append((query.method, query.params, None))
        return await self._answer(query.method)

    async def _answer(self, name: str) -> Relayed:
        answer = self.server.answers.get(name, b"{}")
        if isinstance(answer, GatewayError):
            raise answer
        if answer is not None:
            return Relayed(answer, kind=self.server.kind)
        pending = asyncio.get_running_loop().create_future()
        self.flying.add(pending)
        self.server.arrived.set()
        try:
            return await pending
        finally:
            self.flying.discard(pending)

    async def list_all(self, method: str) -> list[Any]:
        self.server.listed.append(method)
        await self.server.listing.wait()
        found = self.server.lists.get(method, [])
        if isinstance(found, GatewayError):
            raise found
        return list(found)

    async def ping(self) -> None:
        self.server.pinged += 1
        if self.server.dead:
            raise BackendUnavailable("no answer")

    async def watch(self, uris: frozenset[str]) -> dict[str, GatewayError]:
        await self.server.watching.wait()
        self.watched = uris
        return self._refused(uris)

    async def watch_tasks(self, ids: frozenset[str]) -> dict[str, GatewayError]:
        self.watched_tasks = ids
        return self._refused(ids)

    def _refused(self, names: frozenset[str]) -> dict[str, GatewayError]:
        if self.server.unwatchable is not None:
            raise self.server.unwatchable
        return {name: error for name, error in self.server.refusing.items() if name in names}

    def missed_tasks(self) -> None:
        self.missed += 1

    async def aclose(self) -> None:
        self.closed = True
        self._fail("it was closed")

    def lose(self, reason: str) -> None:
        self._fail(reason)
        self.events.lost(reason)

    def _fail(self, reason: str) -> None:
        for pending in self.flying:
            if not pending.done():
                pending.set_exception(BackendUnavailable(reason))


class MemoryServer:
    """`answers` by tool or method: bytes, an error, or None to hang. `refuses` new sessions."""

    def __init__(self, *tools: dict[str, Any]) -> None:
        self.capabilities: dict[str, Any] = {"tools": {"listChanged": True}}
        self.instructions = "use it"
        self.lists: dict[str, Any] = {mcp.TOOLS_LIST: [*(tools or (tool("read"),))]}
        self.answers: dict[str, Any] = {}
        self.kind = "complete"
        self.refuses: BaseException | None = None
        self.unwatchable: GatewayError | None = None
        self.refusing: dict[str, GatewayError] = {}  # by the URI or the id of what it does not tell
        self.dead = False
        self.pinged = 0
        self.called: list[tuple[str, Any, Any]] = []
        self.listed: list[str] = []
        self.sessions: list[MemorySession] = []
        self.attempts = 0
        self.arrived = asyncio.Event()
        self.opening = asyncio.Event()  # cleared: it hangs at connect
        self.opening.set()
        self.watching = asyncio.Event()  # cleared: its answers to subscriptions hang
        self.watching.set()
        self.listing = asyncio.Event()  # cleared: its lists hang
        self.listing.set()

    @property
    def session(self) -> MemorySession:
        return self.sessions[-1]

    async def open(self, events: SessionEvents) -> Any:
        self.attempts += 1
        await self.opening.wait()
        if self.refuses is not None:
            raise self.refuses
        self.sessions.append(MemorySession(self, events))
        return self.sessions[-1]


class Kept:
    """A backend of that server, and what it told. `async with` starts and closes it."""

    def __init__(self, server: MemoryServer, **settings: Any) -> None:
        self.server = server
        self.now = 1000.0
        self.roll = 0.0
        self.backend = McpBackend(
            McpSettings("files", **settings),
            Http("http://files.test/mcp"),
            Means("files", Direct(public_only=False)),
            open=server.open,
            clock=lambda: self.now,
            rng=lambda: self.roll,
        )
        self.changes = 0
        self.notices: list[Notice] = []
        self._turned = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.backend.start(self._changed, self.notices.append)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.backend.aclose()

    def _changed(self) -> None:
        self.changes += 1
        self._turned.set()

    async def until(self, seen: Callable[[], object]) -> None:
        """Until the backend is as `seen` wants it; looks whenever it reports a change."""
        async with asyncio.timeout(5):
            while not seen():
                self._turned.clear()
                await self._turned.wait()

    async def up(self) -> None:
        await self.until(lambda: self.backend.listing.health.status == "ok")

    async def down(self) -> None:
        await self.until(
            lambda: self.backend.listing.settled and self.backend.listing.health.status == "down"
        )

    @property
    def tools(self) -> list[str]:
        return [each.ref.name for each in self.backend.listing.tools]

    async def call(
        self,
        name: str = "read",
        caller: Identity = ANONYMOUS,
        within: float = 5.0,
        context: Context = NO_CONTEXT,
        **arguments: Any,
    ) -> Any:
        listed = (each for each in self.backend.listing.tools if each.ref.name == name)
        found = next(listed, Tool(ToolRef("files", name), tool(name)))
        deadline = asyncio.get_running_loop().time() + within
        return await self.backend.call(Call("1", found, arguments, caller, deadline, context))

    async def query(self, method: str, caller: Identity = ANONYMOUS, **params: Any) -> Relayed:
        return await self.backend.query(Query("1", "files", method, params, caller))


async def turns(count: int = 10) -> None:
    """Let everybody have a few turns of the loop."""
    for _ in range(count):
        await asyncio.sleep(0)
