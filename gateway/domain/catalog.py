"""All backends and tools of one snapshot. Immutable."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from gateway.domain.listing import Listing
from gateway.domain.tool import Tool, ToolRef


class Catalog:
    """Backends in the order of their names; tools in the order of their file."""

    def __init__(self, listings: Iterable[Listing] = ()) -> None:
        ordered = {item.name: item for item in sorted(listings, key=lambda item: item.name)}
        self.backends: Mapping[str, Listing] = MappingProxyType(ordered)
        self._tools = {tool.ref: tool for item in ordered.values() for tool in item.tools}

    def find(self, ref: ToolRef) -> Tool | None:
        return self._tools.get(ref)

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def __len__(self) -> int:
        return len(self._tools)

    def __repr__(self) -> str:
        return f"<Catalog {len(self.backends)} backends, {len(self)} tools>"
