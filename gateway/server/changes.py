"""Tells those who watch a surface that the tools they see have changed; nobody else."""

import asyncio
from collections.abc import Callable

from gateway.domain.events import Observer
from gateway.domain.identity import Identity
from gateway.runtime.snapshot import Current, Snapshot
from gateway.runtime.view import View
from gateway.server.surface import Surface

APART = 1.0  # seconds between two notices to the same watcher, at least (F8)

Notify = Callable[[], None]


class Watcher:
    """Told at most once in `apart` seconds; changes in between are one notice at the end."""

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
    """Watchers by what they see, so that a thousand of the same kind cost one comparison a swap."""

    def __init__(self, current: Current, observe: Observer, apart: float = APART) -> None:
        self._observe = observe
        self._apart = apart
        self._watchers: dict[tuple[Surface, Identity], set[Watcher]] = {}
        self._unsubscribe = current.subscribe(self._swapped)

    def watch(self, surface: Surface, caller: Identity, notify: Notify) -> Callable[[], None]:
        """Call `notify` whenever the caller's list changes, until what is returned is called."""
        watcher = Watcher(notify, self._apart)
        self._watchers.setdefault((surface, caller), set()).add(watcher)

        def stop() -> None:
            watcher.stop()
            alike = self._watchers.get((surface, caller), set())
            alike.discard(watcher)
            if not alike:
                self._watchers.pop((surface, caller), None)

        return stop

    def close(self) -> None:
        """Tell nobody any more. Closing twice does nothing."""
        unsubscribe, self._unsubscribe = self._unsubscribe, _nothing
        unsubscribe()

    def _swapped(self, before: Snapshot, after: Snapshot) -> None:
        for (surface, caller), watchers in tuple(self._watchers.items()):
            old = surface.definitions(View(before, self._observe, caller))
            new = surface.definitions(View(after, self._observe, caller))
            if list(old) != list(new):
                for watcher in tuple(watchers):
                    watcher.ring()
