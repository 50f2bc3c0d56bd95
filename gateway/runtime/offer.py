"""The next snapshot, from what running backends offer. Pure: much of it may run in a thread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from gateway.backends.base import Backend
from gateway.domain.catalog import Catalog
from gateway.domain.events import BackendChanged
from gateway.domain.issue import Issue
from gateway.domain.listing import Health, Listing, Status
from gateway.domain.tool import Tool, ToolRef
from gateway.runtime.plan import Desired
from gateway.runtime.running import Running
from gateway.runtime.snapshot import Snapshot

Listings = Mapping[str, Listing]


@dataclass(frozen=True, slots=True)
class Draft:
    """A snapshot that nobody reads yet; which backends fare otherwise in it than before.

    `differs`: some backend's listing is not what it was.
    """

    snapshot: Snapshot
    turns: tuple[BackendChanged, ...]
    differs: bool


def draft(before: Snapshot, running: Mapping[str, Running], desired: Desired) -> Draft:
    """What `running` offers, under what `desired` says of it."""
    catalog = Catalog(
        desired.admit(item.guard.shown(listing_of(item.backend, desired.backends[name].stale)))
        for name, item in running.items()
    )
    old, new = before.catalog.backends, catalog.backends
    removed, added = difference(old, new)
    snapshot = replace(
        before,
        version=before.version + 1,
        catalog=catalog,
        index=before.index.updated(removed, added) if removed or added else before.index,
        routes=MappingProxyType({name: item.call for name, item in running.items()}),
        queries=MappingProxyType({name: item.query for name, item in running.items()}),
        aliases=desired.aliases,
        policy=desired.policy,
        access=desired.access,
        guards=MappingProxyType({name: item.guard for name, item in running.items()}),
        issues=(*desired.issues, *desired.unmet(catalog)),
    )
    snapshot.follow(before)
    snapshot.policy.expect(tool.ref.name for tool in catalog)
    return Draft(snapshot, turns(old, new), differs=old != new)


def listing_of(backend: Backend, stale: Sequence[Issue]) -> Listing:
    """The backend's own listing; degraded, with the reason, when its file is newer than it."""
    listing = backend.listing
    if not stale:
        return listing
    own = listing.health
    reason = f"stale: {stale[0].where} {stale[0].message}"
    if own.reason:
        reason = f"{own.reason}; {reason}"
    status = Status.DOWN if own.status is Status.DOWN else Status.DEGRADED
    return replace(listing, health=Health(status, reason, (*own.issues, *stale)))


def difference(before: Listings, after: Listings) -> tuple[list[ToolRef], list[Tool]]:
    """Tools to take out of the index and tools to put in; a changed tool is in both."""
    removed: list[ToolRef] = []
    added: list[Tool] = []
    for name in sorted(before.keys() | after.keys()):
        old = before[name].tools if name in before else ()
        new = after[name].tools if name in after else ()
        if old is new:
            continue
        kept = {tool.ref: tool for tool in old}
        added += [tool for tool in new if kept.get(tool.ref) != tool]
        staying = {tool.ref: tool for tool in new}
        removed += [tool.ref for tool in old if staying.get(tool.ref) != tool]
    return removed, added


def turns(before: Listings, after: Listings) -> tuple[BackendChanged, ...]:
    """Backends on offer before and after whose health is another."""
    return tuple(
        BackendChanged(name, before[name].health.status, listing.health)
        for name, listing in after.items()
        if name in before and before[name].health != listing.health
    )
