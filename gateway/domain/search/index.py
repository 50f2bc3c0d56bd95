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
from gateway.domain.search.scope import Allowed, Scope
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

    def search(
        self,
        query: str,
        limit: int = 5,
        *,
        backend: str | None = None,
        allowed: Allowed | None = None,
    ) -> Found:
        """The best `limit` tools, of `backend` only when given, and none that is not `allowed`."""
        asked = self._asked(query)
        scores, common = self._candidates(asked, Scope(self._store, backend, allowed))
        total = len(scores)
        if common:
            scores = self._best(scores, max(REFINED, limit))
            _refine(scores, common)
        ranked = self._covered(self._best(scores, max(SHORTLIST, limit)), asked)[: max(limit, 0)]
        matches = (Match(self._store.entries[number].tool, -less) for less, _, number in ranked)
        return Found(tuple(matches), total)

    def _asked(self, query: str) -> list[Asked]:
        """What is looked up, rarest first."""
        postings = self._store.postings
        asked = [
            Asked(weight * self._rarity(term), term, postings[term])
            for term, weight in interpret(query, self._lexicon).items()
        ]
        return sorted(nlargest(MOST_TERMS, asked), key=lambda one: (len(one.posting), one.term))

    def _rarity(self, term: str) -> float:
        """BM25's idf, in the form that is never negative."""
        using = len(self._store.postings[term])
        return math.log1p((len(self) - using + 0.5) / (using + 0.5))

    def _candidates(
        self, asked: Sequence[Asked], scope: Scope
    ) -> tuple[dict[int, float], Sequence[Asked]]:
        """Number -> score by rare terms, by common ones until there are enough; the terms left."""
        most = max(COMMON_FROM, COMMON * len(self))
        scores: dict[int, float] = {}
        for position, (share, _, posting) in enumerate(asked):
            if len(posting) > most:
                scores = scope.visible(scores)
                if len(scores) >= ENOUGH:
                    return scores, asked[position:]
            for number, weight in scope.within(posting).items():
                scores[number] = scores.get(number, 0.0) + share * weight
        return scope.visible(scores), ()

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

    def _covered(self, scores: Mapping[int, float], asked: Sequence[Asked]) -> list[Ranked]:
        """Best first; among equals, backend and name decide."""
        coverage = Coverage(asked, self._rarity)
        entries = self._store.entries
        return sorted(
            (-score * coverage.factor(number, entries[number]), entries[number].tool.ref, number)
            for number, score in scores.items()
        )


def _refine(scores: dict[int, float], common: Iterable[Asked]) -> None:
    for share, _, posting in common:
        weight_in = posting.get
        for number in scores:
            if weight := weight_in(number):
                scores[number] += share * weight
