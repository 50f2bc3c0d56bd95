"""Which tools a search may find: those of one backend, those its caller may see."""

from collections.abc import Iterable

from gateway.domain.search.store import Posting, Store
from gateway.domain.tool import ToolRef


class Part:
    """What of an index one caller may see, made once for the two of them. What is not in it adds to
    no sum and makes no word known: else answers would tell of it.
    """

    __slots__ = ("_store", "_using", "numbers")

    def __init__(self, store: Store, whole: Iterable[str], refs: Iterable[ToolRef]) -> None:
        """Of all tools of the backends in `whole`, and of `refs`."""
        members, numbers = store.members, store.numbers
        found = {number for ref in refs if (number := numbers.get(ref)) is not None}
        self.numbers = frozenset(found).union(*(members.get(name, ()) for name in whole))
        self._store = store
        self._using: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.numbers)

    def __contains__(self, term: object) -> bool:
        """Whether a tool in it uses that term."""
        posting = self._store.postings.get(term)  # type: ignore[call-overload]
        return posting is not None and not posting.keys().isdisjoint(self.numbers)

    def using(self, term: str) -> int:
        """How many tools in it use that term."""
        found = self._using.get(term)
        if found is None:
            found = len(self._store.postings[term].keys() & self.numbers)
            self._using[term] = found
        return found


def within(posting: Posting, numbers: frozenset[int]) -> Posting:
    """Of these tools alone."""
    if len(posting) > len(numbers):
        return {number: posting[number] for number in posting.keys() & numbers}
    return {number: weight for number, weight in posting.items() if number in numbers}
