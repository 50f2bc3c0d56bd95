"""The prompts and resources of many backends as one list, and whose each of them is.

Nothing but names and contested URIs is changed in what a backend tells of them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from gateway.domain.listing import Listing
from gateway.domain.naming import SCHEME, Owned, merged_names, namespaced, owner_named
from gateway.domain.tool import JsonObject
from gateway.domain.uri_template import UriTemplate, parse

Items = tuple[JsonObject, ...]
Sources = tuple[tuple[str, Items], ...]


class Merged:
    """Of the backends in `listings`, in their order. Immutable."""

    def __init__(self, listings: Mapping[str, Listing]) -> None:
        self._backends = frozenset(listings)
        offering = [its.name for its in listings.values() if "resources" in its.capabilities]
        self._only = offering if len(offering) == 1 else []
        prompts = [(its.name, item) for its in listings.values() for item in its.prompts]
        resources = [(its.name, item) for its in listings.values() for item in its.resources]
        templates = [(its.name, item) for its in listings.values() for item in its.templates]
        self._prompts, self.prompts = _named(prompts)
        self._resources, self.resources = _addressed(resources, "uri")
        self._templates, self.templates = _addressed(templates, "uriTemplate")
        self._patterns = _patterns(self._templates)

    def prompt(self, name: str) -> Owned | None:
        """The prompt listed under that name."""
        return self._prompts.get(name)

    def resource(self, uri: str) -> Sequence[Owned]:
        """Whose resource `uri` may be: one is the answer, none and several are not.

        Asked in turn: what the URI says itself, who lists it, whose template it fits, whose it
        resembles, and who is the only one to offer resources at all.
        """
        said = self._said(uri)
        if said is not None:
            return (said,)
        listed = self._resources.get(uri)
        if listed:
            return [Owned(backend, uri) for backend in listed]
        fitting = self._fitting(uri, UriTemplate.matches) or self._fitting(uri, _resembles)
        return [Owned(backend, uri) for backend in fitting or self._only]

    def template(self, uri: str) -> Sequence[Owned]:
        """The same for what a completion refers to: a template as it is listed, or a resource."""
        said = self._said(uri)
        if said is not None:
            return (said,)
        listed = self._templates.get(uri)
        return [Owned(backend, uri) for backend in listed] if listed else self.resource(uri)

    def _said(self, uri: str) -> Owned | None:
        said = owner_named(uri)
        return said if said is not None and said.backend in self._backends else None

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


def _named(items: Sequence[tuple[str, JsonObject]]) -> tuple[Mapping[str, Owned], Items]:
    """Owners by merged name, and the items under it."""
    names = merged_names(_owned(items))
    listed = {names[own]: {**item, "name": names[own]} for own, (_, item) in _first(items).items()}
    return {name: own for own, name in names.items()}, tuple(listed.values())


def _first(items: Iterable[tuple[str, JsonObject]]) -> Mapping[Owned, tuple[str, JsonObject]]:
    """By owner and name, where a backend lists one name twice its first."""
    found: dict[Owned, tuple[str, JsonObject]] = {}
    for backend, item in items:
        found.setdefault(Owned(backend, _text(item, "name")), (backend, item))
    return found


def _owned(items: Iterable[tuple[str, JsonObject]]) -> Iterable[Owned]:
    return [Owned(backend, _text(item, "name")) for backend, item in items]


def _addressed(
    items: Sequence[tuple[str, JsonObject]], key: str
) -> tuple[Mapping[str, Sequence[str]], Items]:
    """Backends by the URI they list, and the items, each under a URI that only it has.

    `key` is where an item has its URI.
    """
    owners: defaultdict[str, list[str]] = defaultdict(list)
    for backend, item in items:
        if backend not in owners[uri := _text(item, key)]:
            owners[uri].append(backend)
    names = merged_names(_owned(items))

    def shown(backend: str, item: JsonObject) -> dict[str, Any]:
        uri = _text(item, key)
        contested = len(owners[uri]) > 1 or uri.startswith(SCHEME)
        address = namespaced(backend, uri) if contested else uri
        return {**item, "name": names[Owned(backend, _text(item, "name"))], key: address}

    return owners, tuple(shown(backend, item) for backend, item in items)


def _patterns(templates: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[UriTemplate]]:
    found: defaultdict[str, list[UriTemplate]] = defaultdict(list)
    for text, backends in templates.items():
        pattern = parse(text)
        for backend in backends:
            found[backend].append(pattern)
    return found


def _text(item: JsonObject, key: str) -> str:
    return str(item.get(key, ""))
