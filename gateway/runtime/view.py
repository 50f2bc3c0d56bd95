"""A snapshot as one identity sees it, and THE road a tool call takes.

Every front, meta-tool and command reaches tools through a `View`; there is no other way to a
backend. What an identity may not see is, here, simply not there.
"""

import asyncio
import itertools
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from gateway.domain.call import Call, Outcome, Query, Relayed
from gateway.domain.client import NO_CONTEXT, NOBODY, Context
from gateway.domain.events import CallFinished, Event, Observer, Queried, Searched
from gateway.domain.identity import ANONYMOUS, Identity
from gateway.domain.listing import Listing, Status
from gateway.domain.names import did_you_mean
from gateway.domain.search import Found
from gateway.domain.text import shown
from gateway.domain.tool import JsonObject, Tool, ToolRef
from gateway.errors import (
    IN_VAIN,
    LOOK_FIRST,
    BackendNotFound,
    BackendUnavailable,
    DeadlineExceeded,
    GatewayError,
    ToolNotFound,
)
from gateway.log import call_id
from gateway.runtime.patience import Patient
from gateway.runtime.snapshot import Snapshot

_numbers = itertools.count(1)

Answered = TypeVar("Answered", Outcome, Relayed)


class View:
    """Cheap to make: one for each request."""

    __slots__ = ("_observe", "context", "identity", "snapshot")

    def __init__(
        self,
        snapshot: Snapshot,
        observe: Observer,
        identity: Identity = ANONYMOUS,
        context: Context = NO_CONTEXT,
    ) -> None:
        self.snapshot = snapshot
        self.identity = identity
        self.context = context
        self._observe = observe

    @property
    def backends(self) -> Mapping[str, Listing]:
        return self.snapshot.catalog.backends

    def backend(self, name: str) -> Listing:
        """The backend called `name`; raises BackendNotFound with the nearest names."""
        found = self.backends.get(name) or self.backends.get(self.name_of(name))
        if found is None:
            hint = did_you_mean(name, self.backends) or "gateway_list_servers names every server"
            raise BackendNotFound(f"no server {shown(name)}", hint=hint)
        return found

    def find(self, ref: ToolRef) -> Tool | None:
        """The tool called `ref`, to the letter, if there is one."""
        return self.snapshot.catalog.find(ref)

    def tool(self, ref: ToolRef) -> Tool:
        """The tool called `ref`; raises BackendNotFound or ToolNotFound with the nearest names."""
        found = self.snapshot.catalog.find(ref)
        if found is None:
            ref = ToolRef(self.backend(ref.backend).name, ref.name)
            found = self.snapshot.catalog.find(ref)
        if found is None:
            listing = self.backend(ref.backend)
            if listing.health.status is Status.DOWN and not listing.tools:
                text = f"server {listing.name!r} is {listing.health}"
                hint = IN_VAIN if listing.health.wrong else None
                raise BackendUnavailable(text, hint=hint)
            tools = [tool.ref.name for tool in listing.tools]
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

    def name_of(self, backend: str) -> str:
        """The backend's own name, where `backend` is an alias of it."""
        return self.snapshot.aliases.get(backend, backend)

    async def call(
        self, ref: ToolRef, arguments: JsonObject, within: float | None = None
    ) -> Outcome:
        """Call a tool; `within` seconds may be less than its backend's limit, never more.

        Raises GatewayError or CancelledError.
        """
        tool = self._callable(ref)
        name = tool.ref.backend
        handler = self.snapshot.routes[name]
        seconds = min(self._most(name), within or math.inf)

        def work(id: str, deadline: float, context: Context) -> Awaitable[Outcome]:
            return handler(Call(id, tool, arguments, self.identity, deadline, context))

        def finished(id: str, outcome: str, took: float) -> Event:
            return CallFinished(id, name, tool.ref.name, self.identity.name, outcome, took)

        return await self._carried_out(str(tool.ref), name, seconds, work, finished)

    async def query(self, backend: str, method: str, params: JsonObject) -> Relayed:
        """Send any other MCP request to a backend: `params` in its own words, `_meta` included.

        Raises GatewayError or CancelledError.
        """
        name = self.backend(backend).name
        handler = self.snapshot.queries[name]

        def work(id: str, _deadline: float, context: Context) -> Awaitable[Relayed]:
            return handler(Query(id, name, method, params, self.identity, context))

        def finished(id: str, outcome: str, took: float) -> Event:
            return Queried(id, name, method, self.identity.name, outcome, took)

        return await self._carried_out(
            f"{method} of {name}", name, self._most(name), work, finished
        )

    async def _carried_out(
        self,
        what: str,
        backend: str,
        seconds: float,
        work: Callable[[str, float, Context], Awaitable[Answered]],
        finished: Callable[[str, str, float], Event],
    ) -> Answered:
        """Do `work` within `seconds`, and tell how it ended."""
        id = f"{next(_numbers):x}"
        loop_time = asyncio.get_running_loop().time
        started = loop_time()
        deadline = started + seconds
        outcome = "cancelled"
        told = call_id.set(id)
        try:
            async with asyncio.timeout_at(deadline if seconds < math.inf else None) as timer:
                result = await work(id, deadline, self._patient(timer))
            outcome = "tool_error" if result.is_error else "ok"
        except TimeoutError:
            outcome = DeadlineExceeded.code
            raise self._late(what, backend, seconds) from None
        except GatewayError as error:
            outcome = error.code
            raise
        except Exception:
            outcome = GatewayError.code
            raise
        finally:
            call_id.reset(told)
            self._observe(finished(id, outcome, loop_time() - started))
        return result

    def _patient(self, timer: asyncio.Timeout) -> Context:
        context = self.context
        if context.client is NOBODY:
            return context
        return context._replace(client=Patient(context.client, timer))

    def _callable(self, ref: ToolRef) -> Tool:
        """The tool; one of a backend that is only just connecting is known by its name alone."""
        listing = self.backends.get(self.name_of(ref.backend))
        if listing is not None and not listing.settled:
            return Tool(ToolRef(listing.name, ref.name), {"name": ref.name})
        return self.tool(ref)

    def _most(self, backend: str) -> float:
        """Seconds that a request to `backend` may take."""
        own = self.backends[backend].timeout
        return self.snapshot.request_timeout if own is None else own

    def _late(self, what: str, backend: str, seconds: float) -> DeadlineExceeded:
        text = f"{what} did not answer within {seconds * 1000:.0f} ms"
        longer = "allow more time, or ask for less"
        advice = longer if seconds < self._most(backend) else "ask for less"
        return DeadlineExceeded(text, hint=f"{advice}; {LOOK_FIRST}")
