"""Which resources somebody wants to hear about, counted, so that a server hears of each once."""

import asyncio
from collections import Counter

from gateway.domain.text import shown
from gateway.errors import Busy
from gateway.session.session import Session

MOST = 10_000  # resources of one server


class Subscribed:
    """By caller and URI: nobody can end what another began."""

    def __init__(self) -> None:
        self._held: Counter[tuple[str, str]] = Counter()
        self._turn = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._held)

    @property
    def uris(self) -> frozenset[str]:
        return frozenset(uri for _, uri in self._held)

    async def subscribe(self, session: Session | None, caller: str, uri: str) -> None:
        """Without a session it counts when there is one. Raises GatewayError; then it is undone."""
        if len(self._held) >= MOST:
            raise Busy(f"too many resources are subscribed to already; not to {shown(uri)}")
        self._held[caller, uri] += 1
        try:
            await self.restore(session)
        except BaseException:
            self._release(caller, uri)
            raise

    async def unsubscribe(self, session: Session | None, caller: str, uri: str) -> None:
        """Of what was never subscribed to, too. Raises GatewayError; it is done all the same."""
        if (caller, uri) in self._held:
            self._release(caller, uri)
            await self.restore(session)

    async def restore(self, session: Session | None) -> None:
        """Let the server know what is wanted by now."""
        async with self._turn:
            if session is not None:
                await session.watch(self.uris)

    def _release(self, caller: str, uri: str) -> None:
        self._held[caller, uri] -= 1
        if self._held[caller, uri] <= 0:
            del self._held[caller, uri]
