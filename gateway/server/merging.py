"""What all backends offer as one list, merged anew only when a list in it has changed."""

from collections.abc import Mapping, Sequence

from gateway.domain.identity import Identity
from gateway.domain.listing import Listing
from gateway.domain.merged import Merged, prompt_sources, resource_sources
from gateway.domain.tool import JsonObject
from gateway.protocol import mcp
from gateway.runtime.view import View

MOST_KEPT = 256  # callers who see different things


class Merging:
    """The newest merged list of each caller."""

    def __init__(self) -> None:
        self._kept: dict[Identity, tuple[object, Merged]] = {}

    def of(self, view: View) -> Merged:
        sources = _sources(view.backends)
        kept = self._kept.get(view.beholder)
        if kept is not None and kept[0] == sources:
            return kept[1]
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        merged = Merged(view.backends)
        self._kept[view.beholder] = (sources, merged)
        return merged


def _sources(backends: Mapping[str, Listing]) -> object:
    """All that a merged list depends on."""
    offering = tuple((its.name, "resources" in its.capabilities) for its in backends.values())
    return offering, prompt_sources(backends), resource_sources(backends)


def listed(merged: Merged | Listing, method: str) -> Sequence[JsonObject]:
    """What `method` lists of prompts, resources or templates."""
    if method == mcp.PROMPTS_LIST:
        return merged.prompts
    return merged.resources if method == mcp.RESOURCES_LIST else merged.templates
