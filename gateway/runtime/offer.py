"""What running backends offer, and what changed in it since the last snapshot. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gateway.backends.base import Backend
from gateway.domain.issue import Issue
from gateway.domain.listing import Health, Listing, Status
from gateway.domain.search import Index
from gateway.domain.tool import Tool, ToolRef


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


def renewed(index: Index, before: Mapping[str, Listing], after: Mapping[str, Listing]) -> Index:
    """The search index brought up to date; the same one when no tool changed."""
    removed, added = difference(before, after)
    return index.updated(removed, added) if removed or added else index


def difference(
    before: Mapping[str, Listing], after: Mapping[str, Listing]
) -> tuple[list[ToolRef], list[Tool]]:
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
