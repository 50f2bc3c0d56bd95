"""Ends the sessions and streams of callers who are no longer let in, or see their server no more.

After each reload that concerns callers, and by the clock where some are let in for a time only.
Requests in flight end as they would have: the next one is refused at the door (I36).
"""

import asyncio
from functools import partial

from gateway.auth.access import Access
from gateway.domain.identity import Identity
from gateway.runtime.snapshot import Current, Snapshot
from gateway.runtime.view import View
from gateway.server.listen import Subscriptions
from gateway.server.sessions import Sessions
from gateway.server.surface import Surface

OFTEN = 1.0  # seconds between two looks


def _nothing() -> None:
    pass


class Leaving:
    """One for the front over HTTP; on the running loop."""

    def __init__(self, current: Current, sessions: Sessions, subscriptions: Subscriptions) -> None:
        self._current = current
        self._sessions = sessions
        self._subscriptions = subscriptions
        self._unsubscribe = current.subscribe(self._swapped)
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Look by the clock from now on, while that may find anything."""
        if self._timer is None and self._current.get().access.expires:
            self._timer = asyncio.get_running_loop().call_later(OFTEN, self._tick)

    def close(self) -> None:
        """Twice is once."""
        unsubscribe, self._unsubscribe = self._unsubscribe, _nothing
        unsubscribe()
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        self._timer = None
        self._look(self._current.get().access)
        self.start()

    def _swapped(self, before: Snapshot, after: Snapshot) -> None:
        if (before.access, before.policy) != (after.access, after.policy):
            self._look(before.access)
            self.start()

    def _look(self, before: Access) -> None:
        gone = partial(self._gone, before)
        self._sessions.end_where(gone)
        self._subscriptions.finish_where(gone)

    def _gone(self, before: Access, caller: Identity, surface: Surface) -> bool:
        snapshot = self._current.get()
        if not snapshot.access.holds(caller, before):
            return True
        name = surface.name
        if name not in snapshot.catalog.backends:
            return False  # the meta surface, or a server that may come back
        return name not in View(snapshot, lambda _event: None, caller).backends
