"""Everything a request reads, frozen; and the one mutable cell that holds the newest."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from gateway.auth.access import OPEN, Access
from gateway.domain.call import Handler, QueryHandler
from gateway.domain.catalog import Catalog
from gateway.domain.identity import Identity
from gateway.domain.issue import Issue
from gateway.domain.policy import NO_POLICY, Policy
from gateway.domain.search import Index
from gateway.failsafe.guard import Guard
from gateway.runtime.road import FREE, Road
from gateway.runtime.sight import Sight, Sights


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`routes` and `queries`: backend name → what carries out its calls, and its other requests.

    `issues`: all findings of the files. `aliases`: other names of backends → their own.
    `request_timeout`, in seconds, bounds every call that its backend does not bound itself.
    `policy` and `access` are whom the newest files let in, and to what; `road` is the same in all
    snapshots of a process. `guards`: backend name → what stands around it.
    """

    version: int = 0
    catalog: Catalog = field(default_factory=Catalog)
    index: Index = field(default_factory=Index.empty)
    routes: Mapping[str, Handler] = field(default_factory=lambda: MappingProxyType({}))
    queries: Mapping[str, QueryHandler] = field(default_factory=lambda: MappingProxyType({}))
    aliases: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    issues: tuple[Issue, ...] = ()
    request_timeout: float = math.inf
    policy: Policy = NO_POLICY
    access: Access = OPEN
    road: Road = FREE
    guards: Mapping[str, Guard] = field(default_factory=lambda: MappingProxyType({}))
    sights: Sights = field(default_factory=Sights, init=False, repr=False, compare=False)

    def follow(self, before: "Snapshot") -> None:
        """Go on with what is known of who sees what, where the same policy decides."""
        if self.policy is before.policy:
            self.sights.follow(before.sights)

    def sight(self, who: Identity) -> Sight:
        """What `who` sees of it: worked out once."""
        return self.sights.of(self.catalog, self.policy, who)


Listener = Callable[[Snapshot, Snapshot], None]  # (before, after), on the loop; must not block


class Current:
    """`swap` is called by `runtime/reconcile.py` only: the single writer."""

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        self._snapshot = snapshot or Snapshot()
        self._listeners: list[Listener] = []

    def get(self) -> Snapshot:
        return self._snapshot

    def swap(self, new: Snapshot) -> None:
        before, self._snapshot = self._snapshot, new
        for listener in tuple(self._listeners):
            listener(before, new)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Be told of every swap; call what is returned to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)
