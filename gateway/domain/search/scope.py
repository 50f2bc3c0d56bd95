"""Which tools a search may find: those of one backend, those its caller may see."""

from collections.abc import Callable

from gateway.domain.search.store import Posting, Store
from gateway.domain.tool import ToolRef

Allowed = Callable[[ToolRef], bool]


class Scope:
    """Made for one search; asks `allowed` at most once for each tool."""

    def __init__(self, store: Store, backend: str | None, allowed: Allowed | None) -> None:
        self._entries = store.entries
        self._members = None if backend is None else store.members.get(backend, frozenset())
        self._allowed = allowed
        self._shown: set[int] = set()
        self._judged: set[int] = set()

    def within(self, posting: Posting) -> Posting:
        """What is in the backend."""
        if self._members is None:
            return posting
        return {number: posting[number] for number in posting.keys() & self._members}

    def visible(self, scores: dict[int, float]) -> dict[int, float]:
        """What the caller may see."""
        allowed = self._allowed
        if allowed is None:
            return scores
        fresh = scores.keys() - self._judged
        entries, shown = self._entries, self._shown
        self._judged |= fresh
        shown |= {number for number in fresh if allowed(entries[number].tool.ref)}
        return {number: score for number, score in scores.items() if number in shown}
