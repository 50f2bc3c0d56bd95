"""Answers kept for a while, and one request on the way for all who want the same one.

Keys hold who asks: nothing is ever shared between two callers. Time is monotonic.
"""

import asyncio
import functools
import hashlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from cachetools import LRUCache

from gateway.errors import GatewayError
from gateway.http.message import HttpRequest, HttpResponse

MOST_BYTES = 32 << 20
SHARE = 4  # one answer may fill this part of it
OVERHEAD = 512  # bytes an entry takes beside its body
NOT_MODIFIED = 304

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Kept:
    response: HttpResponse
    fresh_until: float

    @property
    def conditions(self) -> Pairs:
        """The headers that ask whether this answer still holds."""
        asked = (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified"))
        headers = self.response.headers
        return tuple((name, headers[source]) for name, source in asked if source in headers)


Fetch = Callable[
    [Pairs], Awaitable[tuple[HttpResponse, bool]]
]  # conditions → answer, worth keeping


@dataclass(slots=True)
class _Flight:
    """A fetch on the way, and how many wait for it."""

    task: asyncio.Task[HttpResponse | GatewayError]
    waiting: int = 0


def key_of(scope: tuple[str, ...], request: HttpRequest) -> bytes:
    """`scope` says whose answer it is, and of which version of which tool. Nothing can be read."""
    parts = (scope, request.method, request.url, request.headers, request.body)
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=20).digest()


class Cache:
    """Bounded by bytes; the least recently used goes first."""

    def __init__(
        self, most_bytes: int = MOST_BYTES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._kept: LRUCache[bytes, Kept] = LRUCache(most_bytes, getsizeof=_size)
        self._flights: dict[bytes, _Flight] = {}
        self._clock = clock

    async def get(self, key: bytes, ttl: float, fetch: Fetch, *, revalidate: bool) -> HttpResponse:
        """A fresh answer, or what `fetch` brings; asked for at most once at any time.

        `ttl` in seconds. `revalidate`: an answer past its time is asked after, not thrown away.
        Raises what `fetch` raises. The fetch goes on while anyone waits for it.
        """
        kept: Kept | None = self._kept.get(key)
        if kept is not None and kept.fresh_until > self._clock():
            return kept.response
        flight = self._flights.get(key)
        if flight is None:
            flight = self._begin(key, self._fetched(key, ttl, fetch, kept if revalidate else None))
        flight.waiting += 1
        try:
            outcome = await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                self._flights.pop(key, None)  # at once: nobody may join what is being cancelled
                flight.task.cancel()
            del flight  # it holds the error: see `_fetched`
        if isinstance(outcome, HttpResponse):
            return outcome
        try:
            raise outcome
        finally:
            del outcome

    def __repr__(self) -> str:
        return f"<Cache {len(self._kept)} answers, {self._kept.currsize:.0f} bytes>"

    def _begin(
        self, key: bytes, fetching: Coroutine[Any, Any, HttpResponse | GatewayError]
    ) -> _Flight:
        flight = self._flights[key] = _Flight(asyncio.ensure_future(fetching))
        flight.task.add_done_callback(functools.partial(self._landed, key))
        return flight

    async def _fetched(
        self, key: bytes, ttl: float, fetch: Fetch, stale: Kept | None
    ) -> HttpResponse | GatewayError:
        """An error of ours is given back, not raised, and without its traceback.

        That leads to frames which hold the answer and what was read of it; one of them that leads
        back to the error, or to the task that failed, would keep all of it until a full collection.
        """
        try:
            response, worth_keeping = await fetch(stale.conditions if stale else ())
        except GatewayError as error:
            return error.with_traceback(None)
        if stale is not None and response.status == NOT_MODIFIED:
            response, worth_keeping = stale.response, True
        if worth_keeping and not _forbidden(response):
            self._keep(key, Kept(response, self._clock() + ttl))
        else:
            self._kept.pop(key, None)
        return response

    def _keep(self, key: bytes, kept: Kept) -> None:
        if _size(kept) * SHARE <= self._kept.maxsize:
            self._kept[key] = kept

    def _landed(self, key: bytes, task: asyncio.Task[HttpResponse | GatewayError]) -> None:
        flight = self._flights.get(key)
        if flight is not None and flight.task is task:
            del self._flights[key]
        if not task.cancelled():
            task.exception()  # a fault: those who waited have been told


def _size(kept: Kept) -> int:
    headers = kept.response.headers
    return (
        OVERHEAD
        + len(kept.response.body)
        + sum(map(len, headers))
        + sum(map(len, headers.values()))
    )


def _forbidden(response: HttpResponse) -> bool:
    directives = response.headers.get("cache-control", "").lower().split(",")
    return any(directive.strip() == "no-store" for directive in directives)
