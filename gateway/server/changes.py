"""Tells those who watch a surface that a list they see has changed; nobody else."""

import asyncio
import time
from collections.abc import Callable

from gateway.domain.events import Observer
from gateway.domain.identity import Identity
from gateway.protocol import mcp
from gateway.runtime.snapshot import Current, Snapshot
from gateway.runtime.view import View
from gateway.server.surface import Surface

APART = 1.0  # seconds between two notices to the same one, at least (F8)

MOMENT = 0.005  # seconds of the loop that comparing takes at once

Notify = Callable[[], None]
Watched = tuple[Surface, Identity, str]  # by whom, and the notification that tells of it


class Bell:
    """Notifies at most once in `apart` seconds; what comes in between is one notice at the end."""

    def __init__(self, notify: Notify, apart: float) -> None:
        self._notify = notify
        self._apart = apart
        self._next = 0.0  # loop time from which a notice may go out
        self._waiting: asyncio.TimerHandle | None = None

    def ring(self) -> None:
        if self._waiting is not None:
            return
        loop = asyncio.get_running_loop()
        if loop.time() >= self._next:
            self._tell()
        else:
            self._waiting = loop.call_at(self._next, self._tell)

    def stop(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()

    def _tell(self) -> None:
        self._waiting = None
        self._next = asyncio.get_running_loop().time() + self._apart
        self._notify()


def _nothing() -> None:
    pass


class Changes:
    """Bells by what their owners see: a thousand of the same kind cost one comparison a swap."""

    def __init__(
        self,
        current: Current,
        observe: Observer,
        apart: float = APART,
        moment: float = MOMENT,
    ) -> None:
        self._observe = observe
        self._current = current
        self._apart = apart
        self._moment = moment
        self._due: dict[Watched, Snapshot] = {}  # to be compared, with what was seen before
        self._later: asyncio.Handle | None = None
        self._bells: dict[Watched, set[Bell]] = {}
        self._unsubscribe = current.subscribe(self._swapped)

    def watch(
        self, surface: Surface, caller: Identity, notify: Notify, changed: str = mcp.TOOLS_CHANGED
    ) -> Callable[[], None]:
        """Call `notify` whenever one of the caller's lists changes, until what is returned is
        called. `changed` is the notification that tells of it.
        """
        bell, key = Bell(notify, self._apart), (surface, caller, changed)
        self._bells.setdefault(key, set()).add(bell)

        def stop() -> None:
            bell.stop()
            alike = self._bells.get(key, set())
            alike.discard(bell)
            if not alike:
                self._bells.pop(key, None)

        return stop

    def close(self) -> None:
        """Tell nobody any more. Closing twice does nothing."""
        unsubscribe, self._unsubscribe = self._unsubscribe, _nothing
        unsubscribe()
        self._due.clear()

    def _swapped(self, before: Snapshot, after: Snapshot) -> None:
        for key in self._bells:
            self._due.setdefault(key, before)
        if self._later is None:
            self._compare()

    def _compare(self) -> None:
        """As many as fit into a moment, and the others in the next turns of the loop: what somebody
        sees may take milliseconds to be worked out.
        """
        self._later = None
        until = time.monotonic() + self._moment
        while self._due:
            key = next(iter(self._due))
            self._ring(key, self._due.pop(key))
            if self._due and time.monotonic() >= until:
                self._later = asyncio.get_running_loop().call_soon(self._compare)
                return

    def _ring(self, key: Watched, before: Snapshot) -> None:
        surface, caller, changed = key
        old = surface.seen(View(before, self._observe, caller), changed)
        new = surface.seen(View(self._current.get(), self._observe, caller), changed)
        if old != new:
            for bell in tuple(self._bells.get(key, ())):
                bell.ring()
