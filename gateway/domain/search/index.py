"""The search index: who matches a request, best first. Immutable.

Rare words name the candidates; common ones only rank them. How rare a word is depends on what the
index holds now: an index reached by any road of updates answers as one made at once.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest, nsmallest

from gateway.domain.search.coverage import Asked, Coverage
from gateway.domain.search.query import Lexicon, interpret
from gateway.domain.search.scope import Part, within
from gateway.domain.search.store import Store
from gateway.domain.tool import Tool, ToolRef

MOST_TERMS = 32  # terms of a request that are looked up
COMMON = 0.03  # share of all tools beyond which a term names no candidates …
COMMON_FROM = 256  # … unless no more tools than this use it
ENOUGH = 10  # candidates, once there are, are named by no further common terms
REFINED = 200  # candidates that common terms rank
SHORTLIST = 50  # candidates whose coverage is looked at

Ranked = tuple[float, ToolRef, int]  # negative score, name, number


@dataclass(frozen=True, slots=True)
class Match:
    tool: Tool
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """The best matches, best first. `total` tools hold a telling word of the request."""

    matches: tuple[Match, ...]
    total: int


class Index:
    """Made by `empty` or `build`, then by `updated`; safe to read from any thread."""

    __slots__ = ("_lexicon", "_store")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lexicon = Lexicon(store.postings, store.stems)

    @classmethod
    def empty(cls) -> "Index":
        return cls(Store())

    @classmethod
    def build(cls, tools: Iterable[Tool]) -> "Index":
        return cls(Store().updated((), tools))

    def __len__(self) -> int:
        return len(self._store.entries)

    def __repr__(self) -> str:
        return f"<Index {len(self)} tools, {len(self._store.stems)} stems>"

    def updated(self, removed: Iterable[ToolRef], added: Iterable[Tool]) -> "Index":
        """Without `removed`, with `added`, which replace tools of the same name."""
        store = self._store.updated(removed, added)
        return self if store is self._store else Index(store)

    def part(self, whole: Iterable[str], refs: Iterable[ToolRef] = ()) -> Part:
        """All tools of the backends in `whole`, and `refs`: what a caller may see."""
        return Part(self._store, whole, refs)

    def search(
        self,
        query: str,
        limit: int = 5,
        *,
        backend: str | None = None,
        part: Part | None = None,
    ) -> Found:
        """The best `limit` tools, of `backend` only when given. In a `part` of this index, the
        answer is that of an index which holds nothing else.
        """
        asked = self._asked(query, part)
        scores, common = self._candidates(asked, backend, part)
        total = len(scores)
        if common:
            scores = self._best(scores, max(REFINED, limit))
            _refine(scores, common)
        best = self._best(scores, max(SHORTLIST, limit))
        ranked = self._covered(best, asked, part)[: max(limit, 0)]
        matches = (Match(self._store.entries[number].tool, -less) for less, _, number in ranked)
        return Found(tuple(matches), total)

    def _size(self, part: Part | None) -> int:
        return len(self) if part is None else len(part)

    def _asked(self, query: str, part: Part | None) -> list[Asked]:
        """What is looked up, rarest first."""
        lexicon, size = self._lexicon, self._size(part)
        if part is not None:
            lexicon = Lexicon(part, lexicon.ordered)
        asked = []
        for term, weight in interpret(query, lexicon).items():
            using = self._using(term, part)
            share = weight * _rarity(size, using)
            asked.append(Asked(share, term, self._store.postings[term], using))
        return sorted(nlargest(MOST_TERMS, asked), key=lambda one: (one.using, one.term))

    def _using(self, term: str, part: Part | None) -> int:
        return len(self._store.postings[term]) if part is None else part.using(term)

    def _numbers(self, backend: str | None, part: Part | None) -> frozenset[int] | None:
        """Of the tools that may be found; None: all."""
        if backend is None:
            return None if part is None else part.numbers
        members = self._store.members.get(backend, frozenset())
        return members if part is None else members & part.numbers

    def _candidates(
        self, asked: Sequence[Asked], backend: str | None, part: Part | None
    ) -> tuple[dict[int, float], Sequence[Asked]]:
        """Number -> score by rare terms, by common ones until there are enough; the terms left."""
        numbers = self._numbers(backend, part)
        most = max(COMMON_FROM, COMMON * self._size(part))
        scores: dict[int, float] = {}
        for position, (share, _, posting, using) in enumerate(asked):
            if using > most and len(scores) >= ENOUGH:
                return scores, asked[position:]
            among = posting if numbers is None else within(posting, numbers)
            for number, weight in among.items():
                scores[number] = scores.get(number, 0.0) + share * weight
        return scores, ()

    def _best(self, scores: dict[int, float], most: int) -> dict[int, float]:
        """The `most` best. Among equal scores the names decide, not the order of arrival."""
        if len(scores) <= most:
            return scores
        least = sorted(scores.values(), reverse=True)[most - 1]
        best = {number: score for number, score in scores.items() if score > least}
        tied = (number for number, score in scores.items() if score == least)
        entries = self._store.entries
        kept = nsmallest(most - len(best), tied, key=lambda number: entries[number].tool.ref)
        return best | dict.fromkeys(kept, least)

    def _covered(
        self, scores: Mapping[int, float], asked: Sequence[Asked], part: Part | None
    ) -> list[Ranked]:
        """Best first; among equals, backend and name decide."""
        size = self._size(part)
        coverage = Coverage(asked, lambda term: _rarity(size, self._using(term, part)))
        entries = self._store.entries
        return sorted(
            (-score * coverage.factor(number, entries[number]), entries[number].tool.ref, number)
            for number, score in scores.items()
        )


def _rarity(size: int, using: int) -> float:
    """BM25's idf, in the form that is never negative: `using` of `size` tools use the term."""
    return math.log1p((size - using + 0.5) / (using + 0.5))


def _refine(scores: dict[int, float], common: Iterable[Asked]) -> None:
    for share, _, posting, _ in common:
        weight_in = posting.get
        for number in scores:
            if weight := weight_in(number):
                scores[number] += share * weight
