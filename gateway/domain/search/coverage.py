"""What sums do not see: is all of a tool's name asked for, is all of the request answered?"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from gateway.domain.search.store import Entry, Posting
from gateway.domain.search.words import is_stem

OF_NAME = 0.5  # gained when the request holds every word of the tool's name
OF_REQUEST = 0.5  # gained when the tool holds every word of the request


class Asked(NamedTuple):
    """A term of a request. `share` is its part of the request times its rarity, `using` how many
    of the tools that may be found use it; `posting` may know of others.
    """

    share: float
    term: str
    posting: Posting
    using: int = 0


class Coverage:
    """Made for one request; `rarity` is the idf of a term."""

    def __init__(self, asked: Iterable[Asked], rarity: Callable[[str], float]) -> None:
        stems = [one for one in asked if is_stem(one.term)]
        self._stems = [(one.share, one.posting) for one in stems]
        self._terms = {one.term for one in stems}
        self._whole = sum(one.share for one in stems) or 1.0
        self._rarity = rarity
        self._rarities: dict[str, float] = {}

    def factor(self, number: int, entry: Entry) -> float:
        return (1 + OF_NAME * self._of_name(entry)) * (1 + OF_REQUEST * self._of_request(number))

    def _of_name(self, entry: Entry) -> float:
        """0 to 1: the part of the name that is asked for, where rare words count more."""
        whole = said = 0.0
        for term in entry.name:
            rarity = self._rarities.get(term)
            if rarity is None:
                rarity = self._rarities[term] = self._rarity(term)
            whole += rarity
            if term in self._terms:
                said += rarity
        return said / whole if whole else 0.0

    def _of_request(self, number: int) -> float:
        """0 to 1: the part of the request whose words this tool holds."""
        held = 0.0
        for share, posting in self._stems:
            if number in posting:
                held += share
        return held / self._whole
