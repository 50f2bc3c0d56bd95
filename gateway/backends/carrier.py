"""Carries out one request: send, read, and try again where the plan and the clock allow it."""

import asyncio
import functools
import gc
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from gateway.backends.streaming import Listener
from gateway.capability.compiled import Plan, TryAgain
from gateway.capability.flow import Read, Reader, Tell
from gateway.credentials.base import Credential
from gateway.domain import tracing
from gateway.domain.client import NOTHING
from gateway.domain.tracing import Trace
from gateway.errors import LATER, BackendError, BackendUnavailable, Reached, UpstreamFailed
from gateway.failsafe.retry import Again, Rule, Stop
from gateway.http.message import HttpRequest, HttpResponse
from gateway.http.outgoing import Outgoing
from gateway.http.waits import asked_wait

log = logging.getLogger(__name__)

LARGE = 256 << 10  # bytes of a body
CLOSED = "the version of the file that this call began on is closed"
REFUSED = 400  # and above: statuses that may be about our credential


class BackendClosed(BackendUnavailable):
    """Another attempt would find it closed as well."""

    retryable = False
    default_unwell = False


def unheard(_: Tell) -> None:
    """For requests that tell nothing."""


@dataclass(frozen=True, slots=True)
class Chance:
    """Where waiting, dice and dates come from."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    roll: Callable[[], float] = random.random  # in [0, 1)
    wall: Callable[[], float] = time.time


class Errand(NamedTuple):
    """One request to carry out, and what is to be made of its answer. A tuple is made fastest.

    `deadline` is on the loop's clock: no wait is begun that would end after it. `inbound` are the
    headers that its credential may look at. With a `reader` the body of a success is read while it
    comes; `tell` hears what that gives. `trace` is what the API is told that it belongs to.
    `again`: it may be tried again, as its plan says.
    """

    request: HttpRequest
    plan: Plan
    read: Read
    deadline: float
    inbound: Mapping[str, str] = NOTHING
    reader: Callable[[HttpResponse], Reader] | None = None
    tell: Callable[[Tell], None] = unheard
    trace: Trace | None = None
    again: bool = True


@dataclass(frozen=True, slots=True)
class _Failed:
    """One attempt's error; whether it may pass; how long the API wants to be left alone."""

    error: BackendError
    may_pass: bool
    asked: float | None = None


class Carrier:
    """For the requests of one backend. `private`: addresses that are not public may be reached."""

    def __init__(
        self,
        outgoing: Outgoing,
        chance: Chance,
        *,
        private: bool,
    ) -> None:
        self._send = outgoing.send
        self._chance = chance
        self._private = private
        self.credential: Credential | None = None
        self.closed = False
        self._large = asyncio.Semaphore(1)

    async def carry(self, errand: Errand) -> tuple[HttpResponse, Any]:
        """The API's answer, and what `errand.read` makes of it. Raises GatewayError."""
        attempt, unknown = 0, False
        while True:
            outcome = await self._attempt(errand)
            if not isinstance(outcome, _Failed):
                return outcome
            unknown = unknown or outcome.error.reached is Reached.SENT_UNKNOWN
            wait = self._wait(attempt, errand, outcome)
            if wait is None:
                if unknown and outcome.error.reached is Reached.NOT_SENT:
                    outcome.error.reached = Reached.SENT_UNKNOWN  # an attempt before it was sent
                try:
                    raise outcome.error
                finally:
                    del outcome  # else the error's traceback leads to this frame, and back to it
            facts = {"reason": outcome.error.code, "attempt": attempt + 1, "seconds": wait}
            log.debug("http_retry", extra=facts)
            await self._chance.sleep(wait)
            attempt += 1

    async def read(self, response: HttpResponse, read: Read, held: int = 0) -> Any | TryAgain:
        """A large answer is read in a thread, one at a time, so that the loop stays free (F4).

        `held` are bytes of it that `read` has already, not in `response`.
        """
        size = len(response.body) + held
        if size < LARGE:
            return read(response)
        return await self.work(size, functools.partial(read, response))

    async def work(self, size: int, do: Callable[[], Any]) -> Any:
        """`do()` on `size` bytes, in a thread like the reading of as large an answer."""
        if size < LARGE:
            return do()
        async with self._large:
            return await asyncio.to_thread(_without_collector, do)

    async def send_own(self, request: HttpRequest, *, seconds: float, cap: int) -> HttpResponse:
        """A request of the credential's own: see `credentials.opening.SendOwn`."""
        return await self._send(
            request, seconds=seconds, cap=cap, private=self._private, follow=False
        )

    async def _attempt(self, errand: Errand) -> tuple[HttpResponse, Any] | _Failed:
        """What is kept of an error is without its traceback: that holds the answer and all that was
        read of it, in a circle which only the collector would find.
        """
        plan, read = errand.plan, errand.read
        listener = Listener(errand.reader, errand.tell) if errand.reader else None
        try:
            response = await self._answered(errand, listener)
        except BackendError as lost:
            told = listener is not None and listener.heard
            safe = not told and (plan.idempotent or lost.reached is Reached.NOT_SENT)
            return _Failed(lost.with_traceback(None), may_pass=safe and lost.retryable)
        held = 0
        if listener is not None:
            read, held = listener.read(read), listener.held
        try:
            result = await self.read(response, read, held)
        except UpstreamFailed as failure:
            error = failure.with_traceback(None)
            may_pass = plan.idempotent and response.status in plan.retry_on
        else:
            if not isinstance(result, TryAgain):
                return response, result
            error, may_pass = result.error, plan.idempotent
        return _Failed(error, may_pass, asked_wait(response.headers, self._chance.wall()))

    async def _answered(self, errand: Errand, listener: Listener | None) -> HttpResponse:
        """The answer, with our credential on the request, and with a new one if it was refused.

        A call that outlives its backend sends no more: never a request without its credential.
        """
        if self.closed:
            raise BackendClosed(CLOSED, hint="call the tool again")
        credential = self.credential
        if credential is None:
            return await self._sent(errand.request, errand, listener)
        request = await credential.apply(errand.request, errand.inbound)
        response = await self._sent(request, errand, listener)
        if response.status < REFUSED or not await credential.challenged(request, response):
            return response
        request = await credential.apply(errand.request, errand.inbound)
        return await self._sent(request, errand, listener)

    def _sent(
        self, request: HttpRequest, errand: Errand, listener: Listener | None
    ) -> Awaitable[HttpResponse]:
        """Signed already, so that a signature is of what the file says alone."""
        plan, private = errand.plan, self._private
        seconds, cap = plan.timeout, plan.transfer
        if errand.trace is not None:
            request = _traced(request, errand.trace)
        return self._send(request, seconds=seconds, cap=cap, private=private, hearer=listener)

    def _wait(self, attempt: int, errand: Errand, failed: _Failed) -> float | None:
        """Seconds before the next attempt; None when there is none, which the error then tells."""
        verdict: Again | Stop = Stop(failed.asked)
        if failed.may_pass and errand.again:
            left = errand.deadline - asyncio.get_running_loop().time()
            rule = Rule(errand.plan.retries, errand.plan.max_wait)
            verdict = rule.decide(attempt, failed.asked, left, self._chance.roll)
        if isinstance(verdict, Again):
            return verdict.seconds
        _tell(failed.error, verdict.after)
        return None


def _traced(request: HttpRequest, trace: Trace) -> HttpRequest:
    """With the headers of W3C Trace Context, unless the file has its own."""
    if any(name.lower() in (tracing.PARENT, tracing.STATE) for name, _ in request.headers):
        return request
    return replace(request, headers=(*request.headers, *tracing.pairs(trace)))


def _without_collector(do: Callable[[], Any]) -> Any:
    """Decoding makes objects by the hundred thousand, none of them garbage: the cyclic collector
    would make it take four times as long.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return do()
    finally:
        if collecting:
            gc.enable()


def _tell(error: BackendError, after: float | None) -> None:
    """Put into the hint when to come back."""
    if after is not None:
        wish = f"retry after {max(1, math.ceil(after))} s"
        error.hint = f"{wish}; {error.hint}" if error.hint and error.hint != LATER else wish
