"""The newest snapshot as a caller sees it: the one place where a request takes it."""

from gateway.domain.client import NO_CONTEXT, Context
from gateway.domain.events import Observer
from gateway.domain.identity import Identity
from gateway.runtime.snapshot import Current
from gateway.runtime.view import View
from gateway.runtime.waiting import settled

PATIENCE = 20.0  # seconds that a client waits for a server that is only just starting


class Views:
    """One for the process."""

    def __init__(self, current: Current, observe: Observer) -> None:
        self._current = current
        self._observe = observe

    def view(self, caller: Identity, context: Context = NO_CONTEXT) -> View:
        """For one request with that context; taken once, at its door."""
        return View(self._current.get(), self._observe, caller, context)

    async def settled(self, backend: str) -> None:
        """Return when it is known what the backend offers, or it takes too long.

        A client that comes while the backend is starting would else learn of no capability, and
        that for the whole of its session.
        """
        found = self._current.get().catalog.backends.get(backend)
        if found is not None and not found.settled:
            await settled(self._current, PATIENCE, backend)
