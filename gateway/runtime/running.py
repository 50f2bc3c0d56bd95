"""A backend at work: how many calls are in it, and its end once the last has left.

Mutable and owned by the reconciler; it outlives the snapshots that lead to it, so a call that began
on the old version of a file ends on it.
"""

import asyncio
import contextlib

from gateway.backends.base import Backend
from gateway.domain.call import Call, Outcome, Query, Relayed
from gateway.errors import BackendUnavailable
from gateway.failsafe.guard import UNGUARDED, Guard

RELOADED = "removed by a reload"
STOPPING = "closed, for the gateway is stopping"


class Running:
    """`call` and `query` are the handlers in snapshots; each use of one is a lease.

    `key` is that of its `Wanted`. `guard` stands around each request, and outlives it.
    """

    __slots__ = ("_closed", "_idle", "backend", "guard", "key", "leases", "name")

    def __init__(self, name: str, key: str, backend: Backend, guard: Guard = UNGUARDED) -> None:
        self.name = name
        self.key = key
        self.backend = backend
        self.guard = guard
        self.leases = 0  # calls inside right now
        self._closed: str | None = None
        self._idle: asyncio.Event | None = None

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"{self.leases} calls"
        return f"<Running {self.name!r}, {state}>"

    async def call(self, call: Call) -> Outcome:
        self._enter()
        try:
            return await self.guard.call(call, self.backend.call)
        finally:
            self._leave()

    async def query(self, query: Query) -> Relayed:
        self._enter()
        try:
            return await self.guard.query(query, self.backend.query)
        finally:
            self._leave()

    async def retire(self, grace: float, why: str = RELOADED) -> None:
        """Give the calls inside `grace` seconds, then close; `why` is what later ones read."""
        with contextlib.suppress(TimeoutError):  # what is still inside then meets a closed backend
            async with asyncio.timeout(grace):
                await self._drained()
        self._closed = why
        await self.backend.aclose()

    def _enter(self) -> None:
        if self._closed is not None:
            hint = "search again: it may have come back changed"
            raise BackendUnavailable(f"server {self.name!r} was {self._closed}", hint=hint)
        self.leases += 1

    def _leave(self) -> None:
        self.leases -= 1
        if self._idle is not None and not self.leases:
            self._idle.set()

    async def _drained(self) -> None:
        self._idle = asyncio.Event()
        while self.leases:  # a late caller with an old snapshot may enter between two wake-ups
            self._idle.clear()
            await self._idle.wait()
