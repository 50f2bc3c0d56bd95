"""What one identity sees of a snapshot, worked out once for the two of them.

What it may not see is, here, not there: lists, searches, hints and names are made of this alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from gateway.domain.catalog import Catalog
from gateway.domain.identity import Identity
from gateway.domain.listing import Listing
from gateway.domain.policy import Kind, Policy, Rights
from gateway.domain.tool import Tool, ToolRef

MOST_KEPT = 1_024  # identities


class Sight:
    """`allowed` tells a search what it may find; None: everything."""

    __slots__ = ("_refs", "allowed", "backends", "rights")

    def __init__(self, catalog: Catalog, rights: Rights) -> None:
        self.rights = rights
        self.allowed: Callable[[ToolRef], bool] | None = None
        self.backends: Mapping[str, Listing] = catalog.backends
        self._refs: Callable[[ToolRef], Tool | None] = catalog.find
        if not rights.whole:
            seen = (_seen(listing, rights) for listing in catalog.backends.values())
            found = {listing.name: listing for listing in seen if listing is not None}
            tools = {tool.ref: tool for listing in found.values() for tool in listing.tools}
            self.backends = MappingProxyType(found)
            self.allowed = tools.__contains__
            self._refs = tools.get

    def find(self, ref: ToolRef) -> Tool | None:
        return self._refs(ref)


class Sights:
    """Of one snapshot; it ends with it."""

    def __init__(self) -> None:
        self._kept: dict[Identity, Sight] = {}

    def of(self, catalog: Catalog, policy: Policy, who: Identity) -> Sight:
        found = self._kept.get(who)
        if found is None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            found = self._kept[who] = Sight(catalog, policy.of(who))
        return found


def _seen(listing: Listing, rights: Rights) -> Listing | None:
    """The backend with what may be seen of it; None where it is hidden itself."""
    name = listing.name
    if not rights.backend(name).visible:
        return None

    def visible(kind: Kind, own: object) -> bool:
        return rights.decide(kind, name, str(own)).visible

    return replace(
        listing,
        tools=tuple(tool for tool in listing.tools if visible(Kind.TOOL, tool.ref.name)),
        prompts=tuple(one for one in listing.prompts if visible(Kind.PROMPT, one.get("name"))),
        resources=tuple(one for one in listing.resources if visible(Kind.RESOURCE, one.get("uri"))),
        templates=tuple(
            one for one in listing.templates if visible(Kind.RESOURCE, one.get("uriTemplate"))
        ),
    )
