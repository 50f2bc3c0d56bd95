"""What stands around every request to one backend, outermost first: its rate, how many at once,
attempts, the circuit breaker. It outlives reloads, and with it all that it has counted.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from gateway.domain.call import Call, Handler, Outcome, Query, QueryHandler, Relayed
from gateway.domain.listing import Listing


class Guard(Protocol):
    """Of one backend, by its name."""

    async def call(self, call: Call, proceed: Handler) -> Outcome: ...

    async def query(self, query: Query, proceed: QueryHandler) -> Relayed: ...

    def shown(self, listing: Listing) -> Listing:
        """`listing`, with the health that an open circuit leaves it."""
        ...

    @property
    def state(self) -> str:
        """Of the circuit breaker: `closed`, `open`, `half_open`; `disabled` where it is off."""
        ...

    @property
    def after(self) -> float:
        """Seconds until an open circuit is tried again; 0 where none is open."""
        ...


class Unguarded:
    """Nothing stands around it."""

    state = "disabled"
    after = 0.0

    def call(self, call: Call, proceed: Handler) -> Awaitable[Outcome]:
        return proceed(call)

    def query(self, query: Query, proceed: QueryHandler) -> Awaitable[Relayed]:
        return proceed(query)

    def shown(self, listing: Listing) -> Listing:
        return listing


class Guards(Protocol):
    """All of them; `of` makes one at first. `on_change` of a guard fires on the loop whenever what
    it shows differs from before.
    """

    def of(self, backend: str, on_change: Callable[[], None]) -> Guard: ...

    def forget(self, backend: str) -> None:
        """The backend is no more."""
        ...


class NoGuards:
    def of(self, backend: str, on_change: Callable[[], None]) -> Guard:
        return UNGUARDED

    def forget(self, backend: str) -> None:
        """Nothing was kept."""


UNGUARDED: Guard = Unguarded()  # type: ignore[assignment]  # a coroutine or what it awaits: the same
NO_GUARDS: Guards = NoGuards()
