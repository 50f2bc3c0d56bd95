"""The guard of one backend at work: its rate, how many at once, attempts, the circuit breaker.

The rule: while all is well it costs a few comparisons; whatever else there is to decide is decided
when something has gone wrong.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from gateway.domain.call import Call, Handler, Outcome, Query, QueryHandler, Relayed
from gateway.domain.events import Limited, Observer
from gateway.domain.identity import OPERATOR, Identity
from gateway.domain.listing import Health, Listing
from gateway.errors import BackendError, Busy, GatewayError, RateLimited, Reached
from gateway.failsafe.gate import Gate
from gateway.failsafe.rates import Rates
from gateway.failsafe.repeating import by_operator, may_go_again
from gateway.failsafe.retry import Again
from gateway.failsafe.settings import Crowd, Rate, Retries, Settings
from gateway.failsafe.watch import Watch

log = logging.getLogger(__name__)

Answer = TypeVar("Answer", Outcome, Relayed)
Request = TypeVar("Request", Call, Query)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`clock` is monotonic, in seconds; `rng` gives numbers in [0, 1)."""

    observe: Observer
    clock: Callable[[], float]
    rng: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Guarded:
    """A `Guard`. Where its backend is a capability file, that says itself when to try again; an MCP
    server has a gate of its own.
    """

    def __init__(self, name: str, settings: Settings, around: Surroundings) -> None:
        self._name = name
        self._observe = around.observe
        self._around = around
        self._watch = Watch(name, around.observe, around.clock)
        self._rates: Rates | None = None
        self._gate: Gate | None = None
        self._left: Gate | None = None  # of another setting before; requests may still be in it
        self._retries: Retries | None = None
        self._repeat: Callable[[Call], Call] | None = None
        self._of_file = False
        self._settings = settings
        self.most = 0.0
        self.configure(settings)

    def __repr__(self) -> str:
        return f"<Guarded {self._name!r}, {self.state}>"

    def stand_around(self, on_change: Callable[[], None], *, of_file: bool) -> None:
        """A backend, maybe another than before, of the same name."""
        self._watch.on_change, self._of_file = on_change, of_file
        self.configure(self._settings)

    def configure(self, settings: Settings) -> None:
        """From now on. What was counted stays counted."""
        self._settings = settings
        self._watch.configure(settings.breaker)
        self._limit(settings.rate)
        self._bound(settings.crowd if self._of_file else None)
        self._retries = None if self._of_file else settings.retries
        own_rules = self._of_file and settings.retries is not None
        self._repeat = None if own_rules else by_operator(settings.retries)
        self.most = 0.0 if settings.extend is None else settings.extend

    def _limit(self, rate: Rate | None) -> None:
        if rate is not None and self._rates is not None:
            self._rates.resize(rate)
        else:
            self._rates = None if rate is None else Rates(rate)

    def _bound(self, crowd: Crowd | None) -> None:
        if crowd is None:
            self._left, self._gate = self._gate or self._left, None
            return
        self._gate = self._gate or self._left or Gate(self._name, crowd.most, crowd.queued)
        self._gate.resize(crowd.most, crowd.queued)

    @property
    def state(self) -> str:
        return self._watch.state

    @property
    def after(self) -> float:
        return self._watch.after

    def shown(self, listing: Listing) -> Listing:
        return self._watch.shown(listing)

    def health(self, health: Health) -> Health:
        return self._watch.health(health)

    def late(self) -> None:
        self._watch.late()

    # -- requests -------------------------------------------------------------------------------

    def call(self, call: Call, proceed: Handler) -> Coroutine[Any, Any, Outcome]:
        if self._rates is not None:
            self._count(self._rates, call.tool.ref.name, call.caller)
        if self._repeat is not None:
            call = self._repeat(call)
        if self._gate is not None:
            return self._inside(self._gate, call, proceed, call.deadline)
        return self._tried(call, proceed, call.deadline)

    def query(self, query: Query, proceed: QueryHandler) -> Coroutine[Any, Any, Relayed]:
        if self._rates is not None:
            self._count(self._rates, None, query.caller)
        if self._gate is not None:
            return self._inside(self._gate, query, proceed, math.inf)
        return self._tried(query, proceed, math.inf)

    def _count(self, rates: Rates, tool: str | None, caller: Identity) -> None:
        """Raises RateLimited. No rate holds whoever runs the command line."""
        wait, slow = rates.take(tool, self._around.clock())
        if wait <= 0.0 or caller == OPERATOR:
            return
        if slow is None:
            self._observe(Limited("backend", self._name))
            text = f"backend {self._name!r} is asked too often"
        else:
            self._observe(Limited("tool", f"{self._name}:{slow}"))
            text = f"tool {slow!r} of backend {self._name!r} is called too often"
        raise RateLimited(text, wait)

    async def _inside(
        self,
        gate: Gate,
        request: Request,
        proceed: Callable[[Request], Awaitable[Answer]],
        deadline: float,
    ) -> Answer:
        if gate.inside < gate.most:
            gate.inside += 1
        else:
            try:
                await gate.wait(deadline)
            except GatewayError:
                self._observe(Limited("concurrency", self._name))
                raise
        try:
            return await self._tried(request, proceed, deadline)
        finally:
            gate.leave()

    async def _tried(
        self, request: Request, proceed: Callable[[Request], Awaitable[Answer]], deadline: float
    ) -> Answer:
        """Each attempt, and the next where there may be one. However the last of them ended, an
        error tells how far any of them came.
        """
        attempt, unknown = 0, False
        while True:
            try:
                return await self._attempt(request, proceed)
            except GatewayError as error:
                unknown = unknown or error.reached is Reached.SENT_UNKNOWN
                wait = self._wait(request, error, attempt, deadline)
                if wait is None:
                    if unknown and error.reached is Reached.NOT_SENT:
                        error.reached = Reached.SENT_UNKNOWN
                    raise
            await self._around.sleep(wait)
            attempt += 1

    async def _attempt(
        self, request: Request, proceed: Callable[[Request], Awaitable[Answer]]
    ) -> Answer:
        watch = self._watch
        ticket = watch.ticket()
        try:
            answer = await proceed(request)
        except GatewayError as error:
            self._ended(ticket, error, request)
            raise
        except BaseException as error:
            watch.stopped(ticket, error)
            raise
        if not watch.breaker.clean:
            watch.answered(ticket, answer)
        return answer

    def _ended(self, ticket: int, error: GatewayError, request: Call | Query) -> None:
        if isinstance(error, Busy):
            self._observe(Limited("concurrency", self._name))
        self._watch.ended(ticket, error, request)

    def _wait(
        self, request: Call | Query, error: GatewayError, attempt: int, deadline: float
    ) -> float | None:
        """Seconds before the next attempt; None when there is none."""
        if self._retries is None or not may_go_again(error, request) or not self._watch.still:
            return None
        wish = error.after if isinstance(error, BackendError) else None
        left = deadline - asyncio.get_running_loop().time()
        verdict = self._retries.rule.decide(attempt, wish, left, self._around.rng)
        if not isinstance(verdict, Again):
            return None
        facts = {"backend": self._name, "reason": error.code, "attempt": attempt + 1}
        log.debug("call_retried", extra={**facts, "seconds": verdict.seconds})
        return verdict.seconds
