"""The prompts and resources of many backends as one list, and whose each of them is.

Nothing but names and contested URIs is changed in what a backend tells of them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from gateway.domain.listing import Listing
from gateway.domain.naming import SCHEME, Owned, merged_names, namespaced, owner_named
from gateway.domain.tool import JsonObject
from gateway.domain.uri_template import UriTemplate, parse

Items = tuple[JsonObject, ...]
Sources = tuple[tuple[str, Items], ...]


class Merged:
    """Of the backends in `listings`, in their order. Each list is made when it is first wanted."""

    def __init__(self, listings: Mapping[str, Listing]) -> None:
        self._listings = listings
        offering = [its.name for its in listings.values() if "resources" in its.capabilities]
        self._only = offering if len(offering) == 1 else []

    @property
    def prompts(self) -> Items:
        return self._prompts[1]

    @property
    def resources(self) -> Items:
        return self._resources[1]

    @property
    def templates(self) -> Items:
        return self._templates[1]

    def prompt(self, name: str) -> Owned | None:
        """The prompt listed under that name."""
        return self._prompts[0].get(name)

    def resource(self, uri: str) -> Sequence[Owned]:
        """Whose resource `uri` may be: one is the answer, none and several are not.

        Asked in turn: what the URI says itself, who lists it, whose template it fits, whose it
        resembles, and who is the only one to offer resources at all.
        """
        said = self._said(uri)
        if said is not None:
            return (said,)
        listed = self._resources[0].get(uri)
        if listed:
            return [Owned(backend, uri) for backend in listed]
        fitting = self._fitting(uri, UriTemplate.matches) or self._fitting(uri, _resembles)
        return [Owned(backend, uri) for backend in fitting or self._only]

    def template(self, uri: str) -> Sequence[Owned]:
        """The same for what a completion refers to: a template as it is listed, or a resource."""
        said = self._said(uri)
        if said is not None:
            return (said,)
        listed = self._templates[0].get(uri)
        return [Owned(backend, uri) for backend in listed] if listed else self.resource(uri)

    @cached_property
    def _prompts(self) -> tuple[Mapping[str, Owned], Items]:
        return _named((its.name, its.prompts) for its in self._listings.values())

    @cached_property
    def _resources(self) -> tuple[Mapping[str, Sequence[str]], Items]:
        return _addressed([(its.name, its.resources) for its in self._listings.values()], "uri")

    @cached_property
    def _templates(self) -> tuple[Mapping[str, Sequence[str]], Items]:
        offered = [(its.name, its.templates) for its in self._listings.values()]
        return _addressed(offered, "uriTemplate")

    @cached_property
    def _patterns(self) -> Mapping[str, Sequence[UriTemplate]]:
        return _patterns(self._templates[0])

    def _said(self, uri: str) -> Owned | None:
        said = owner_named(uri)
        return said if said is not None and said.backend in self._listings else None

    def _fitting(self, uri: str, fits: Callable[[UriTemplate, str], bool]) -> Sequence[str]:
        return [
            backend
            for backend, patterns in self._patterns.items()
            if any(fits(pattern, uri) for pattern in patterns)
        ]


def prompt_sources(listings: Mapping[str, Listing]) -> Sources:
    """All that the merged prompts depend on; cheap to compare with those of another snapshot."""
    return tuple((its.name, its.prompts) for its in listings.values() if its.prompts)


def resource_sources(listings: Mapping[str, Listing]) -> tuple[Sources, Sources]:
    """The same of resources and templates."""
    return (
        tuple((its.name, its.resources) for its in listings.values() if its.resources),
        tuple((its.name, its.templates) for its in listings.values() if its.templates),
    )


def _resembles(pattern: UriTemplate, uri: str) -> bool:
    return bool(pattern.head) and pattern.resembles(uri)


def _named(offered: Iterable[tuple[str, Items]]) -> tuple[Mapping[str, Owned], Items]:
    """Owners by merged name, and the items under it. Of one name listed twice the first counts."""
    items: dict[Owned, JsonObject] = {}
    for backend, listed in offered:
        for item in listed:
            items.setdefault(Owned(backend, _text(item, "name")), item)
    names = merged_names(items)
    shown = tuple({**item, "name": names[own]} for own, item in items.items())
    return {names[own]: own for own in items}, shown


def _addressed(
    offered: Sequence[tuple[str, Items]], key: str
) -> tuple[Mapping[str, Sequence[str]], Items]:
    """Backends by the URI they list, and the items, each under a URI that only it has.

    `key` is where an item has its URI.
    """
    owners: dict[str, list[str]] = {}
    items: list[tuple[Owned, str, JsonObject]] = []
    for backend, listed in offered:
        for item in listed:
            uri = _text(item, key)
            items.append((Owned(backend, _text(item, "name")), uri, item))
            known = owners.setdefault(uri, [])
            if backend not in known:
                known.append(backend)
    names = merged_names(own for own, _, _ in items)
    shown = []
    for own, uri, item in items:
        contested = len(owners[uri]) > 1 or uri.startswith(SCHEME)
        address = namespaced(own.backend, uri) if contested else uri
        shown.append({**item, "name": names[own], key: address})
    return owners, tuple(shown)


def _patterns(templates: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[UriTemplate]]:
    found: defaultdict[str, list[UriTemplate]] = defaultdict(list)
    for text, backends in templates.items():
        pattern = parse(text)
        for backend in backends:
            found[backend].append(pattern)
    return found


def _text(item: JsonObject, key: str) -> str:
    return str(item.get(key, ""))
