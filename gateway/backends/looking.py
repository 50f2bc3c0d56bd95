"""Whether a capability file's backend has all it needs, secrets and certificates: seen and told.

While something is missing, it is looked for again and again; nothing has to be restarted.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from gateway.capability.compiled import CompiledCapability
from gateway.domain.listing import Health, Listing, Status
from gateway.http.own_tls import Files, OwnTls

LOOK_AGAIN = 2.0  # seconds between two looks for what is missing


class Looking:
    """`listing` is what the backend offers, with the health of the last look.

    `tls` are the file's own certificates, if it has any.
    """

    def __init__(self, compiled: CompiledCapability) -> None:
        self._compiled = compiled
        given = compiled.tls
        self.tls = OwnTls(Files(given.ca, given.cert, given.key), self.look) if given else None
        self.listing: Listing = compiled.listing("rest", self._health())
        self._on_change: Callable[[], None] | None = None
        self._next: asyncio.TimerHandle | None = None
        self._reading: asyncio.Task[None] | None = None

    async def start(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        if self.tls is not None:
            await self.tls.look()
        self.look()

    def look(self) -> None:
        """See what came or went."""
        health = self._health()
        if health != self.listing.health:
            self.listing = replace(self.listing, health=health)
            if self._on_change is not None:
                self._on_change()
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if health.status is not Status.OK and self._on_change is not None:
            self._next = asyncio.get_running_loop().call_later(LOOK_AGAIN, self._again)

    def stop(self) -> None:
        self._on_change = None
        if self._next is not None:
            self._next.cancel()
        if self._reading is not None:
            self._reading.cancel()

    def _again(self) -> None:
        if self.tls is None:
            self.look()
        else:
            self._reading = asyncio.ensure_future(self._read(self.tls))

    async def _read(self, tls: OwnTls) -> None:
        await tls.look()
        self.look()

    def _health(self) -> Health:
        health = self._compiled.health()
        fault = self.tls.fault if self.tls is not None else None
        if fault is None:
            return health
        reason = fault if health.reason is None else f"{health.reason}; {fault}"
        return replace(health, status=Status.DEGRADED, reason=reason)
