"""Desired minus actual: which backends to start, keep and stop. Pure; `reconcile.py` acts on it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from gateway.auth.access import OPEN, Access
from gateway.backends.base import Backend
from gateway.domain.catalog import Catalog
from gateway.domain.issue import Issue
from gateway.domain.listing import Listing
from gateway.domain.policy import NO_POLICY, Policy


@dataclass(frozen=True, slots=True)
class Wanted:
    """One backend as the files ask for it.

    Equal `key` means the same backend: it is kept running, with its caches and counters. `stale`
    says why the version served is not the one on disk; empty when it is.
    """

    name: str
    key: str
    build: Callable[[], Backend] = field(compare=False, repr=False)
    stale: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class Desired:
    """Everything the files ask for: backends by name, and all findings about the files.

    `aliases` are other names of backends → their own. `policy` says who may do what, `access` who
    is let in, `admit` what of a backend's definitions is offered. `unmet` finds what can only be
    said of all that is on offer.
    """

    backends: Mapping[str, Wanted]
    issues: tuple[Issue, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    policy: Policy = NO_POLICY
    access: Access = OPEN
    admit: Callable[[Listing], Listing] = field(default=lambda listing: listing)
    unmet: Callable[[Catalog], Iterable[Issue]] = field(default=lambda _: (), compare=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """Names, sorted. One whose key changed is in `start` and in `stop`: the new, then the old."""

    start: tuple[str, ...]
    keep: tuple[str, ...]
    stop: tuple[str, ...]


class Keyed(Protocol):
    """What runs, as far as a plan cares."""

    @property
    def key(self) -> str: ...


def plan(desired: Mapping[str, Wanted], actual: Mapping[str, Keyed]) -> Plan:
    """From what runs now, by name, to what is wanted."""
    keep = {
        name for name, one in actual.items() if name in desired and desired[name].key == one.key
    }
    return Plan(
        start=tuple(sorted(desired.keys() - keep)),
        keep=tuple(sorted(keep)),
        stop=tuple(sorted(actual.keys() - keep)),
    )
