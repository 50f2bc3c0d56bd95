"""`.mcp-gateway-rules.json` → the rules of agents, or every reason why not."""

from collections.abc import Iterator

from gateway.domain.agents import Agents
from gateway.domain.catalog import Catalog
from gateway.domain.issue import Issue


def understand(data: bytes, file: str) -> tuple[Agents | None, tuple[Issue, ...]]:
    """The content of `file`."""
    return None, (Issue(file, "rules for agents are not supported by this version yet"),)


def unmet(agents: Agents, file: str, catalog: Catalog) -> Iterator[Issue]:
    """Warnings about servers that rules name and nobody offers."""
    yield from ()
