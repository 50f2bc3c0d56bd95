"""When a backend is left alone, because it fails again and again: a circuit breaker, as a table.

    closed    → open       so many failures in a row
    open      → half_open  it was left alone for long enough
    half_open → closed     so many successes in a row, one request at a time
    half_open → open       a failure

The rule: nothing here waits or reads a clock. What is admitted has a ticket, and gives it back with
how it ended, once; tickets of an era before the last turn say nothing any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Circuit(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Turn(StrEnum):
    """What can happen to it."""

    FAILED = "failed"
    RESTED = "rested"
    RECOVERED = "recovered"


TURNS: Mapping[tuple[Circuit, Turn], Circuit] = {
    (Circuit.CLOSED, Turn.FAILED): Circuit.OPEN,
    (Circuit.OPEN, Turn.RESTED): Circuit.HALF_OPEN,
    (Circuit.HALF_OPEN, Turn.FAILED): Circuit.OPEN,
    (Circuit.HALF_OPEN, Turn.RECOVERED): Circuit.CLOSED,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """`failures` in a row open it, `successes` in a row close it; `rest` is in seconds."""

    failures: int = 5
    successes: int = 3
    rest: float = 30.0


class Breaker:
    """`circuit` is its state; `clean`: it is closed, and the last request did not fail. `now` is on
    a monotonic clock, in seconds.
    """

    __slots__ = ("_in_a_row", "_probing", "_since", "circuit", "clean", "era", "limits")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.circuit = Circuit.CLOSED
        self.clean = True
        self.era = 0  # the ticket of what is admitted now
        self._in_a_row = 0  # failures while it is closed, successes while it is half open
        self._probing = False
        self._since = 0.0

    def __repr__(self) -> str:
        return f"<Breaker {self.circuit}, {self._in_a_row} in a row>"

    def admit(self, now: float) -> int | None:
        """A ticket; None for what is not to be sent."""
        if self.circuit is Circuit.OPEN and self.after(now) <= 0:
            self._turn(Turn.RESTED, now)
        if self.circuit is Circuit.CLOSED:
            return self.era
        if self.circuit is Circuit.OPEN or self._probing:
            return None
        self._probing = True
        return self.era

    def succeeded(self, ticket: int, now: float) -> None:
        """The backend answered."""
        if ticket != self.era:
            return
        if self.circuit is Circuit.CLOSED:
            self._in_a_row, self.clean = 0, True
            return
        self._probing = False
        self._in_a_row += 1
        if self._in_a_row >= self.limits.successes:
            self._turn(Turn.RECOVERED, now)

    def failed(self, ticket: int, now: float) -> None:
        """The backend fares badly."""
        if ticket != self.era:
            return
        self.clean = False
        if self.circuit is Circuit.CLOSED:
            self._in_a_row += 1
            if self._in_a_row < self.limits.failures:
                return
        self._turn(Turn.FAILED, now)

    def abandoned(self, ticket: int) -> None:
        """It says nothing of the backend: a cancelled request, a fault of the caller's."""
        if ticket == self.era:
            self._probing = False

    def after(self, now: float) -> float:
        """Seconds until it is tried again; 0 where it can be."""
        if self.circuit is not Circuit.OPEN:
            return 0.0
        return max(0.0, self._since + self.limits.rest - now)

    def _turn(self, turn: Turn, now: float) -> None:
        found = TURNS.get((self.circuit, turn))
        if found is not None:
            self.circuit, self._since = found, now
            self.era += 1
            self._in_a_row, self._probing = 0, False
            self.clean = found is Circuit.CLOSED
