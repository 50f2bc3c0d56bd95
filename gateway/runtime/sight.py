"""What one identity sees of a snapshot, worked out once for the two of them, backend by backend.

What it may not see is, here, not there: lists, searches, hints and names are made of this alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import compress
from typing import NamedTuple

from gateway.domain.catalog import Catalog
from gateway.domain.identity import Identity
from gateway.domain.listing import Listing
from gateway.domain.policy import Kind, Policy, Rights
from gateway.domain.search import Index, Part
from gateway.domain.tool import JsonObject, Tool, ToolRef

MOST_KEPT = 1_024  # identities …
MOST_PARTS = 64  # … of whom what they may search is kept: half a megabyte for 10,000 tools


class Shown(NamedTuple):
    """A listing, and what is seen of it; None where it is hidden itself."""

    listing: Listing
    seen: Listing | None


class Eyes:
    """Of one identity under one policy. They outlive a snapshot: what a backend offers is looked at
    again only when it is another.
    """

    __slots__ = ("_kept", "rights")

    def __init__(self, rights: Rights) -> None:
        self.rights = rights
        self._kept: dict[str, Shown] = {}

    @property
    def fresh(self) -> bool:
        """Whether they have looked at nothing yet."""
        return not self._kept

    def seen(self, listing: Listing) -> Listing | None:
        """What may be seen of it."""
        kept = self._kept.get(listing.name)
        if kept is not None and kept.listing is listing:
            return kept.seen
        if kept is not None and _offers_the_same(kept.listing, listing):
            seen = _again(kept, listing)
        else:
            seen = _seen(listing, self.rights)
        self._kept[listing.name] = Shown(listing, seen)
        return seen


class Seen(Mapping[str, Listing]):
    """The backends that may be seen, by name. Each is looked at when it is first asked for."""

    __slots__ = ("_all", "_eyes", "_known")

    def __init__(self, backends: Mapping[str, Listing], eyes: Eyes) -> None:
        self._all = backends
        self._eyes = eyes
        self._known: dict[str, Listing | None] = {}

    def get(self, name: str, default: Listing | None = None) -> Listing | None:  # type: ignore[override]
        try:
            found = self._known[name]
        except KeyError:
            found = self._look(name)
        return default if found is None else found

    def __getitem__(self, name: str) -> Listing:
        found = self.get(name)
        if found is None:
            raise KeyError(name)
        return found

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._all if self.get(name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _look(self, name: str) -> Listing | None:
        listing = self._all.get(name)
        if listing is None:  # anybody may ask for any name: that is not kept
            return None
        found = self._known[name] = self._eyes.seen(listing)
        return found


class Sight:
    """`whole`: everything is seen."""

    __slots__ = ("_catalog", "_eyes", "backends", "rights", "whole")

    def __init__(self, catalog: Catalog, eyes: Eyes) -> None:
        self.rights = eyes.rights
        self.whole = eyes.rights.whole
        self.backends: Mapping[str, Listing] = catalog.backends
        self._catalog = catalog
        self._eyes = eyes
        if not self.whole:
            self.backends = Seen(catalog.backends, eyes)

    def find(self, ref: ToolRef) -> Tool | None:
        found = self._catalog.find(ref)
        if found is None or self.whole or self._visible(ref):
            return found
        return None

    @property
    def fresh(self) -> bool:
        """Whether what is seen has still to be worked out."""
        return not self.whole and self._eyes.fresh

    def part(self, index: Index) -> Part:
        """What of it is seen: all of most backends, so that few tools are looked at one by one."""
        everything, some = self._catalog.backends, self.backends
        whole = [name for name, seen in some.items() if seen is everything[name]]
        parts = [seen for name, seen in some.items() if seen is not everything[name]]
        return index.part(whole, (tool.ref for seen in parts for tool in seen.tools))

    def _visible(self, ref: ToolRef) -> bool:
        return self.rights.decide(Kind.TOOL, *ref).visible


class Sights:
    """Of one snapshot; it ends with it."""

    def __init__(self) -> None:
        self._kept: dict[Identity, Sight] = {}
        self._parts: dict[Identity, Part] = {}
        self.eyes: dict[Identity, Eyes] = {}

    def of(self, catalog: Catalog, policy: Policy, who: Identity) -> Sight:
        found = self._kept.get(who)
        if found is None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            found = Sight(catalog, self._looking(policy, who))
            if _to_keep(who, found.rights):
                self._kept[who] = found
        return found

    def part(self, index: Index, who: Identity, sight: Sight) -> Part | None:
        """What of the snapshot's index `who` may search; None: everything."""
        if sight.whole:
            return None
        found = self._parts.get(who)
        if found is None:
            if len(self._parts) >= MOST_PARTS:
                self._parts.clear()
            found = self._parts[who] = sight.part(index)
        return found

    def follow(self, before: "Sights") -> None:
        """Go on with what was known under the same policy."""
        self.eyes = before.eyes.copy()

    def _looking(self, policy: Policy, who: Identity) -> Eyes:
        found = self.eyes.get(who)
        if found is None:
            if len(self.eyes) >= MOST_KEPT:
                self.eyes.clear()
            found = Eyes(policy.of(who))
            if _to_keep(who, found.rights):
                self.eyes[who] = found
        return found


def _to_keep(who: Identity, rights: Rights) -> bool:
    """Anybody may claim to be any agent: who is none pushes out nobody who is."""
    return who.agent is None or rights.refusal is None


def _seen(listing: Listing, rights: Rights) -> Listing | None:
    """The backend with what may be seen of it; None where that is nothing. One of which nobody
    knows yet what it offers is seen where something in it might be.
    """
    name = listing.name
    if not rights.backend(name).visible:
        return None

    def visible(items: tuple[JsonObject, ...], kind: Kind, key: str) -> tuple[JsonObject, ...]:
        return tuple(compress(items, rights.seen(kind, name, [str(one.get(key)) for one in items])))

    named = [tool.ref.name for tool in listing.tools]
    tools = tuple(compress(listing.tools, rights.seen(Kind.TOOL, name, named)))
    prompts = visible(listing.prompts, Kind.PROMPT, "name")
    resources = visible(listing.resources, Kind.RESOURCE, "uri")
    templates = visible(listing.templates, Kind.RESOURCE, "uriTemplate")
    shown, all_of_it = (tools, prompts, resources, templates), _offered(listing)
    if listing.settled and any(all_of_it) and not any(shown):
        return None
    if all(len(some) == len(whole) for some, whole in zip(shown, all_of_it, strict=True)):
        return listing
    return replace(listing, tools=tools, prompts=prompts, resources=resources, templates=templates)


def _offered(listing: Listing) -> tuple[tuple[object, ...], ...]:
    return listing.tools, listing.prompts, listing.resources, listing.templates


def _offers_the_same(before: Listing, now: Listing) -> bool:
    """To the very objects; it may fare otherwise."""
    return before.settled == now.settled and all(
        one is other for one, other in zip(_offered(before), _offered(now), strict=True)
    )


def _again(kept: Shown, listing: Listing) -> Listing | None:
    """The same of what is offered, as `listing` fares now."""
    seen = kept.seen
    if seen is None or seen is kept.listing:
        return listing if seen is not None else None
    return replace(
        listing,
        tools=seen.tools,
        prompts=seen.prompts,
        resources=seen.resources,
        templates=seen.templates,
    )
