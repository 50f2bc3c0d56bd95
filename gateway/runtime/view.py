"""A snapshot as one identity sees it, and THE road a tool call takes.

Every front, meta-tool and command reaches tools through a `View`; there is no other way to a
backend. What an identity may not see is, here, simply not there.
"""

import asyncio
import itertools
import math
import time
from collections.abc import Mapping, Sequence

from gateway.domain.call import Call
from gateway.domain.events import CallFinished, Observer, Searched
from gateway.domain.identity import ANONYMOUS, Identity
from gateway.domain.listing import Listing
from gateway.domain.names import did_you_mean
from gateway.domain.search import Found
from gateway.domain.text import shown
from gateway.domain.tool import JsonObject, Tool, ToolRef, ToolResult
from gateway.errors import (
    LOOK_FIRST,
    BackendNotFound,
    DeadlineExceeded,
    GatewayError,
    ToolNotFound,
)
from gateway.log import call_id
from gateway.runtime.snapshot import Snapshot

_numbers = itertools.count(1)


class View:
    """Cheap to make: one for each request."""

    __slots__ = ("_observe", "identity", "snapshot")

    def __init__(
        self, snapshot: Snapshot, observe: Observer, identity: Identity = ANONYMOUS
    ) -> None:
        self.snapshot = snapshot
        self.identity = identity
        self._observe = observe

    @property
    def backends(self) -> Mapping[str, Listing]:
        return self.snapshot.catalog.backends

    def backend(self, name: str) -> Listing:
        """The backend called `name`; raises BackendNotFound with the nearest names."""
        found = self.backends.get(name)
        if found is None:
            hint = did_you_mean(name, self.backends) or "gateway_list_servers names every server"
            raise BackendNotFound(f"no server {shown(name)}", hint=hint)
        return found

    def tool(self, ref: ToolRef) -> Tool:
        """The tool called `ref`; raises BackendNotFound or ToolNotFound with the nearest names."""
        found = self.snapshot.catalog.find(ref)
        if found is None:
            tools = [tool.ref.name for tool in self.backend(ref.backend).tools]
            fallback = f"gateway_list_tools with server {ref.backend!r} names every tool"
            hint = did_you_mean(ref.name, tools) or fallback
            raise ToolNotFound(f"no tool {shown(ref.name)} on server {ref.backend!r}", hint=hint)
        return found

    def tools(self, backend: str) -> Sequence[Tool]:
        return self.backend(backend).tools

    def search(self, query: str, limit: int, backend: str | None = None) -> Found:
        started = time.perf_counter()
        if backend is not None:
            self.backend(backend)
        found = self.snapshot.index.search(query, limit, backend=backend)
        self._observe(Searched(found.total, time.perf_counter() - started))
        return found

    async def call(
        self, ref: ToolRef, arguments: JsonObject, within: float | None = None
    ) -> ToolResult:
        """Call a tool; `within` seconds may be less than `request_timeout`, never more.

        Raises GatewayError or CancelledError.
        """
        tool = self.tool(ref)
        loop_time = asyncio.get_running_loop().time
        started = loop_time()
        seconds = min(self.snapshot.request_timeout, within or math.inf)
        deadline = started + seconds
        call = Call(f"{next(_numbers):x}", tool, arguments, self.identity, deadline)
        outcome = "cancelled"
        told = call_id.set(call.id)
        try:
            result = await self._bounded(call, seconds)
            outcome = "tool_error" if result.is_error else "ok"
        except GatewayError as error:
            outcome = error.code
            raise
        except Exception:
            outcome = GatewayError.code
            raise
        finally:
            call_id.reset(told)
            took = loop_time() - started
            self._observe(
                CallFinished(call.id, ref.backend, ref.name, self.identity.name, outcome, took)
            )
        return result

    async def _bounded(self, call: Call, seconds: float) -> ToolResult:
        handler = self.snapshot.routes[call.tool.ref.backend]
        if seconds == math.inf:
            return await handler(call)
        try:
            async with asyncio.timeout_at(call.deadline):
                return await handler(call)
        except TimeoutError:
            text = f"{call.tool.ref} did not answer within {seconds * 1000:.0f} ms"
            most = self.snapshot.request_timeout
            longer = "allow more time, or ask for less" if seconds < most else "ask for less"
            raise DeadlineExceeded(text, hint=f"{longer}; {LOOK_FIRST}") from None
