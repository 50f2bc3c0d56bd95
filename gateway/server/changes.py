"""Tells those who watch a surface that a list they see has changed; nobody else."""

import asyncio
from collections.abc import Callable

from gateway.domain.events import Observer
from gateway.domain.identity import Identity
from gateway.protocol import mcp
from gateway.runtime.snapshot import Current, Snapshot
from gateway.runtime.view import View
from gateway.server.surface import Surface

APART = 1.0  # seconds between two notices to the same one, at least (F8)

Notify = Callable[[], None]


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

    def __init__(self, current: Current, observe: Observer, apart: float = APART) -> None:
        self._observe = observe
        self._apart = apart
        self._bells: dict[tuple[Surface, Identity, str], set[Bell]] = {}
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

    def _swapped(self, before: Snapshot, after: Snapshot) -> None:
        for (surface, caller, changed), bells in tuple(self._bells.items()):
            old = surface.seen(View(before, self._observe, caller), changed)
            new = surface.seen(View(after, self._observe, caller), changed)
            if old != new:
                for bell in tuple(bells):
                    bell.ring()
