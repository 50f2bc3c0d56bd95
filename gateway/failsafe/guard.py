"""What stands around every request to one backend, outermost first: its rate, how many at once,
attempts, the circuit breaker. It outlives reloads, and with it all that it has counted.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from gateway.domain.call import Call, Handler, Outcome, Query, QueryHandler, Relayed
from gateway.domain.listing import Health, Listing


class Guard(Protocol):
    """Of one backend, by its name."""

    def call(self, call: Call, proceed: Handler) -> Awaitable[Outcome]: ...

    def query(self, query: Query, proceed: QueryHandler) -> Awaitable[Relayed]: ...

    def late(self) -> None:
        """The request that was cancelled just now, in this very step of the loop, had had all the
        time that the backend is given.
        """
        ...

    def shown(self, listing: Listing) -> Listing:
        """`listing`, with the health that an open circuit leaves it: nothing that counts on."""
        ...

    def health(self, health: Health) -> Health:
        """That of what `shown` gave, with what counts on: when it is tried again."""
        ...

    @property
    def state(self) -> str:
        """Of the circuit breaker: `closed`, `open`, `half_open`; `disabled` where it is off."""
        ...

    @property
    def after(self) -> float:
        """Seconds until an open circuit is tried again; 0 where none is open."""
        ...

    @property
    def most(self) -> float:
        """Seconds up to which progress begins the time of a call anew; 0: it does not."""
        ...


class Unguarded:
    """Nothing stands around it."""

    state = "disabled"
    after = 0.0
    most = 0.0

    def call(self, call: Call, proceed: Handler) -> Awaitable[Outcome]:
        return proceed(call)

    def query(self, query: Query, proceed: QueryHandler) -> Awaitable[Relayed]:
        return proceed(query)

    def late(self) -> None:
        """Nobody counts."""

    def shown(self, listing: Listing) -> Listing:
        return listing

    def health(self, health: Health) -> Health:
        return health


class Guards(Protocol):
    """All of them; `of` makes one at first. `transport` is as in a listing. `on_change` of a guard
    fires on the loop whenever what it shows differs from before.
    """

    def of(self, backend: str, transport: str, on_change: Callable[[], None]) -> Guard: ...

    def forget(self, backend: str) -> None:
        """The backend is no more."""
        ...


class NoGuards:
    def of(self, backend: str, transport: str, on_change: Callable[[], None]) -> Guard:
        return UNGUARDED

    def forget(self, backend: str) -> None:
        """Nothing was kept."""


UNGUARDED: Guard = Unguarded()
NO_GUARDS: Guards = NoGuards()
