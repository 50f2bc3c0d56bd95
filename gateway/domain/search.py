"""Keyword search over tools (placeholder signature; see the search slice)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway.domain.tool import Tool, ToolRef


@dataclass(frozen=True, slots=True)
class Match:
    tool: Tool
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """The best matches, best first, and how many tools matched at all."""

    matches: tuple[Match, ...]
    total: int


class Index:
    """Immutable."""

    @classmethod
    def empty(cls) -> "Index":
        return cls()

    def updated(self, removed: Iterable[ToolRef], added: Iterable[Tool]) -> "Index":
        raise NotImplementedError

    def search(
        self,
        query: str,
        limit: int = 5,
        *,
        backend: str | None = None,
        allowed: Callable[[ToolRef], bool] | None = None,
    ) -> Found:
        raise NotImplementedError
