"""Provisional: one MCP server, connected once. Its owner's file takes this one's place."""

import asyncio
import contextlib
from collections.abc import Callable

from gateway.backends.base import Notify
from gateway.backends.session import Session
from gateway.backends.settings import McpSettings
from gateway.domain.call import Call, Outcome, Query, Relayed
from gateway.domain.events import Notice
from gateway.domain.listing import Health, Listing, Status
from gateway.domain.tool import JsonObject, Tool, ToolRef
from gateway.errors import BackendUnavailable, GatewayError
from gateway.transports.base import Means, TransportKind


class McpBackend:
    def __init__(self, settings: McpSettings, kind: TransportKind, means: Means) -> None:
        self._settings, self._kind, self._means = settings, kind, means
        self._session: Session | None = None
        self.listing = Listing(settings.name, settings.description, (), Health(Status.DOWN, "connecting"), kind.label, settled=False)
        self._up = asyncio.Event()
        self._watched: set[str] = set()

    async def start(self, on_change: Callable[[], None], notify: Notify) -> None:
        self._on_change, self._notify = on_change, notify
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            try:
                self._session = await Session.open(self._kind, self._means, self)
                await self._list()
                self._up.set()
                return
            except GatewayError as error:
                self.listing = Listing(self._settings.name, self._settings.description, (), Health(Status.DOWN, str(error)), self._kind.label)
                self._on_change()
            await asyncio.sleep(0.5)

    async def _list(self) -> None:
        s = self._session
        assert s is not None
        caps = s.capabilities
        tools = await s.list_all("tools/list") if "tools" in caps else []
        prompts = await s.list_all("prompts/list") if "prompts" in caps else []
        resources = await s.list_all("resources/list") if "resources" in caps else []
        templates: list[JsonObject] = []
        if "resources" in caps:
            with contextlib.suppress(GatewayError):
                templates = await s.list_all("resources/templates/list")
        name = self._settings.name
        self.listing = Listing(
            name, self._settings.description or str(s.server_info.get("name")),
            tuple(Tool(ToolRef(name, str(t["name"])), t) for t in tools), Health(), self._kind.label,
            tuple(prompts), tuple(resources), tuple(templates), caps, s.instructions,
            s.revision.era, self._settings.timeout,
        )
        self._on_change()

    def changed(self, method: str) -> None:
        self._again = asyncio.create_task(self._list())

    def said(self, method: str, params: JsonObject) -> None:
        self._notify(Notice(self._settings.name, method, params))

    def lost(self, reason: str) -> None:
        self._up.clear()
        self._task = asyncio.create_task(self._run())

    async def call(self, call: Call) -> Outcome:
        await self._up.wait()
        if self._session is None:
            raise BackendUnavailable("down")
        return await self._session.call(call, call.tool.ref.name, call.arguments, call.tool.input_schema)

    async def query(self, query: Query) -> Relayed:
        await self._up.wait()
        if self._session is None:
            raise BackendUnavailable("down")
        if query.method in ("resources/subscribe", "resources/unsubscribe"):
            uri = str(query.params["uri"])
            (self._watched.add if query.method.endswith("/subscribe") else self._watched.discard)(uri)
            await self._session.watch(frozenset(self._watched))
            return Relayed(b"{}")
        return await self._session.query(query)

    async def aclose(self) -> None:
        self._task.cancel()
        if self._session is not None:
            await self._session.aclose()
