"""A backend that the files describe wrongly: listed, with the reason, and never called."""

from collections.abc import Callable, Sequence

from gateway.backends.base import Notify
from gateway.domain.call import Call, Outcome, Query, Relayed
from gateway.domain.issue import Issue
from gateway.domain.listing import Health, Listing, Status
from gateway.errors import IN_VAIN, BackendUnavailable, Unequipped


class Unusable:
    """`issues`, at least one, say what is wrong."""

    def __init__(self, name: str, transport: str, issues: Sequence[Issue]) -> None:
        self._name = name
        self._reason = f"{issues[0].where} {issues[0].message}"
        health = Health(Status.DOWN, self._reason, tuple(issues))
        self.listing = Listing(name, "", (), health, transport)

    async def start(self, on_change: Callable[[], None], notify: Notify) -> None:
        """Nothing here ever changes."""

    async def call(self, call: Call) -> Outcome:
        raise self._error()

    async def query(self, query: Query) -> Relayed:
        raise self._error()

    async def aclose(self) -> None:
        """There is nothing to close."""

    def _error(self) -> BackendUnavailable:
        text = f"server {self._name!r} cannot be used: {self._reason}"
        return Unequipped(text, hint=IN_VAIN)
