"""The circuit breaker of one backend at work: what counts as a failure, and what is told of it.

A failure is what says that the backend fares badly: it cannot be reached, does not answer in time,
or answers with a server's fault. A refusal is none, nor is a call that was cancelled, or had less
time than the backend is due. An answer of any other kind is a success.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import replace

from gateway.domain.call import Call, Outcome, Query
from gateway.domain.events import CircuitChanged, Observer
from gateway.domain.listing import Health, Listing, Status
from gateway.domain.tool import ToolResult
from gateway.errors import CircuitOpen, DeadlineExceeded, GatewayError, Reached
from gateway.failsafe.breaker import Breaker, Circuit, Limits

OFF = "disabled"
SOON = 1.0  # seconds until the one request that is let through may have ended


class Watch:
    """Each request asks for a ticket, and then tells one of `answered`, `ended` and `stopped`."""

    __slots__ = ("_cut", "_name", "_observe", "_on", "_why", "breaker", "clock", "on_change")

    def __init__(self, name: str, observe: Observer, clock: Callable[[], float]) -> None:
        self._name = name
        self._observe = observe
        self._on = False
        self._why = ""  # the code of the last failure
        self._cut: int | None = None  # the ticket of what was cancelled last
        self.breaker = Breaker(Limits())
        self.clock = clock
        self.on_change: Callable[[], None] = _nobody

    def configure(self, limits: Limits | None) -> None:
        """From now on; None turns it off, and only that closes what is open."""
        self._on = limits is not None
        if limits is not None:
            self.breaker.limits = limits
        elif self.breaker.circuit is not Circuit.CLOSED:
            was, self.breaker = self.breaker.circuit, Breaker(Limits())
            self._turned(was)

    # -- requests -------------------------------------------------------------------------------

    def ticket(self) -> int:
        """Raises CircuitOpen."""
        breaker, was = self.breaker, self.breaker.circuit
        if was is Circuit.CLOSED:
            return breaker.era
        now = self.clock()
        ticket = breaker.admit(now)
        if breaker.circuit is not was:
            self._turned(was)
        if ticket is None:
            text = f"backend {self._name!r} keeps failing"
            raise CircuitOpen(text, max(breaker.after(now), SOON))
        return ticket

    def answered(self, ticket: int, answer: Outcome) -> None:
        """What was kept from before says nothing of how the backend fares now."""
        if isinstance(answer, ToolResult) and not answer.asked:
            self.breaker.abandoned(ticket)
        else:
            self._succeeded(ticket)

    def ended(self, ticket: int, error: GatewayError, request: Call | Query) -> None:
        """With an error."""
        if error.unwell and not _hurried(error, request):
            if error.counted:
                self.breaker.abandoned(ticket)
            else:
                error.counted = True
                self._failed(ticket, error.code)
        elif error.reached is Reached.COMPLETED:
            self._succeeded(ticket)
        else:
            self.breaker.abandoned(ticket)

    def stopped(self, ticket: int, error: BaseException) -> None:
        """It was cancelled, of which `late` may say more, or is a fault of ours."""
        self.breaker.abandoned(ticket)
        self._cut = ticket if isinstance(error, asyncio.CancelledError) else None

    def late(self) -> None:
        ticket, self._cut = self._cut, None
        if ticket is not None:
            self._failed(ticket, DeadlineExceeded.code)

    def _failed(self, ticket: int, why: str) -> None:
        if not self._on:
            return
        breaker, was = self.breaker, self.breaker.circuit
        if ticket == breaker.era:
            self._why = why
        breaker.failed(ticket, self.clock())
        if breaker.circuit is not was:
            self._turned(was)

    def _succeeded(self, ticket: int) -> None:
        breaker, was = self.breaker, self.breaker.circuit
        breaker.succeeded(ticket, self.clock())
        if breaker.circuit is not was:
            self._turned(was)

    def _turned(self, was: Circuit) -> None:
        self._observe(CircuitChanged(self._name, was, self.breaker.circuit))
        self.on_change()

    # -- how the backend fares ------------------------------------------------------------------

    @property
    def state(self) -> str:
        return self.breaker.circuit if self._on else OFF

    @property
    def still(self) -> bool:
        """Whether every request is let through."""
        return self.breaker.circuit is Circuit.CLOSED

    @property
    def after(self) -> float:
        return self.breaker.after(self.clock())

    def shown(self, listing: Listing) -> Listing:
        if self.breaker.circuit is Circuit.CLOSED:
            return listing
        return replace(listing, health=self._health(listing.health, ""))

    def health(self, health: Health) -> Health:
        if self.breaker.circuit is not Circuit.OPEN:
            return health
        after = self.after
        when = f"retry in {math.ceil(after)} s" if after > 0 else "the next call tries it again"
        return self._health(health, f", {when}")

    def _health(self, own: Health, when: str) -> Health:
        """A backend that is down for a reason of its own stays down for that."""
        reason = f"it keeps failing: {self._why}"
        if own.status is Status.DOWN and not (own.reason or "").startswith(reason):
            return own
        if self.breaker.circuit is Circuit.OPEN:
            return Health(Status.DOWN, f"{reason}{when}", own.issues)
        return Health(Status.DEGRADED, f"{reason}; it is being tried again", own.issues)


def _hurried(error: GatewayError, request: Call | Query) -> bool:
    """Whether its time was up because the caller had given it less than the backend is due."""
    return isinstance(error, DeadlineExceeded) and isinstance(request, Call) and request.hurried


def _nobody() -> None:
    """Nothing stands behind it yet."""
