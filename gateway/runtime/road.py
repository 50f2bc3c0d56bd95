"""What every call passes beside the policy, before it comes to a backend. One for the process."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.domain.identity import Identity
from gateway.domain.tracing import Tracer


def _unlimited(_who: Identity, _limit: int) -> None:
    """Nobody is counted."""


def _recorded() -> None:
    """Nothing is to be written down, or it can be."""


@dataclass(frozen=True, slots=True)
class Road:
    """`throttle` raises RateLimited for a caller who asks too often; it is given what policies
    leave it beside what its key does, in requests a minute. `recorded` raises AuditUnavailable
    while nothing may be done, for it could not be written down.
    """

    throttle: Callable[[Identity, int], None] = _unlimited
    recorded: Callable[[], None] = _recorded
    tracer: Tracer | None = None


FREE = Road()
