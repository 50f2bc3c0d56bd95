"""The newest snapshot as a caller sees it: the one place where a request takes it."""

from gateway.domain.client import NO_CONTEXT, Context
from gateway.domain.events import Observer
from gateway.domain.identity import Identity
from gateway.runtime.snapshot import Current
from gateway.runtime.view import View


class Views:
    """One for the process."""

    def __init__(self, current: Current, observe: Observer) -> None:
        self._current = current
        self._observe = observe

    def view(self, caller: Identity, context: Context = NO_CONTEXT) -> View:
        """For one request with that context; taken once, at its door."""
        return View(self._current.get(), self._observe, caller, context)
