"""When to look at the files again: as the system tells, or by the clock where it cannot.

Only *that* something happened is taken from the system; *what* changed is found by looking. So
lost, doubled or misleading events do no harm, and a look every few seconds finds what was never
told (network file systems).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from pathlib import PurePath

from watchfiles import Change, awatch

from gateway.config.folder import Place
from gateway.runtime.reload import Seen
from gateway.runtime.settling import QUIET

log = logging.getLogger(__name__)

DEBOUNCE = 50  # milliseconds of quiet that end a burst
LONGEST = 250  # milliseconds after which a burst that goes on is looked at
UNTOLD = 10.0  # seconds after which to look although nothing was told
POLL = 0.4  # seconds between looks where the system tells nothing
TRY_AGAIN = 60.0  # seconds after which the system is asked anew
SHARE = 20  # looking by the clock takes at most this part of the time

Tell = Callable[[frozenset[Place]], AsyncIterator[object]]  # yields once for each burst


async def told(places: frozenset[Place]) -> AsyncIterator[object]:
    """By the system. Raises OSError or RuntimeError when it cannot (inotify has its limits)."""
    paths = sorted({place.path for place in places})
    changes = awatch(
        *paths,
        watch_filter=relevant(places),
        debounce=LONGEST,
        step=DEBOUNCE,
        recursive=False,  # every directory is a place of its own: one that is replaced is noticed
    )
    async with aclosing(changes):
        async for burst in changes:
            yield burst


def relevant(places: frozenset[Place]) -> Callable[[Change, str], bool]:
    """Whether a change at a path matters: in a directory of ours, or of a name we wait for."""
    ours = {place.path for place in places if not place.child}
    named = {str(PurePath(place.path, place.child)) for place in places if place.child}

    def matters(_change: Change, path: str) -> bool:
        return path in named or path in ours or path.rpartition("/")[0] in ours

    return matters


class Watcher:
    """`poll` gives the seconds between looks, or None to be told. `run` until cancelled."""

    def __init__(
        self,
        reload: Callable[[], Awaitable[Seen]],
        poll: Callable[[], float | None] = lambda: None,
        *,
        tell: Tell = told,
    ) -> None:
        self._reload = reload
        self._poll = poll
        self._tell = tell
        self._deaf_until = float("-inf")

    async def run(self) -> None:
        now = asyncio.get_running_loop().time
        seen = await self._reload()
        while True:
            if self._poll() is not None or now() < self._deaf_until:
                seen = await self._by_clock(seen)
            else:
                seen = await self._by_telling(seen)

    async def _by_clock(self, seen: Seen) -> Seen:
        now = asyncio.get_running_loop().time
        interval = self._poll() or POLL
        while self._poll() is not None or now() < self._deaf_until:
            await asyncio.sleep(QUIET if seen.again else interval)
            began = now()
            seen = await self._reload()
            interval = max(self._poll() or POLL, SHARE * (now() - began))
        return seen

    async def _by_telling(self, seen: Seen) -> Seen:
        """Until the places to watch are others, or telling fails."""
        places = seen.places
        news = asyncio.Event()
        teller = asyncio.create_task(self._ring(places, news), name="watch files")
        await asyncio.sleep(0)  # it watches now; one look for what happened before that
        try:
            while True:
                seen = await self._reload()
                if seen.places != places or teller.done() or self._poll() is not None:
                    return seen
                with suppress(TimeoutError):
                    async with asyncio.timeout(QUIET if seen.again else UNTOLD):
                        await news.wait()
                news.clear()
        finally:
            teller.cancel()
            [outcome] = await asyncio.gather(teller, return_exceptions=True)
            if isinstance(outcome, Exception) and seen.places == places:
                self._deaf(outcome)

    async def _ring(self, places: frozenset[Place], news: asyncio.Event) -> None:
        try:
            async for _ in self._tell(places):
                news.set()
        finally:
            news.set()

    def _deaf(self, reason: Exception) -> None:
        self._deaf_until = asyncio.get_running_loop().time() + TRY_AGAIN
        text = f"{type(reason).__name__}: {reason}"
        log.warning("watch_failed", extra={"reason": text, "instead": f"a look every {POLL:g} s"})
