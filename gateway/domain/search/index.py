"""The search index: who matches a request, best first. Immutable.

Rare words name the candidates; common ones only rank them. How rare a word is, is asked of the whole index
at the time of the search, so an index reached by any road of updates answers as one made at once.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from heapq import nlargest, nsmallest
from typing import NamedTuple

from gateway.domain.search.query import Lexicon, interpret
from gateway.domain.search.store import Posting, Store
from gateway.domain.search.words import is_stem
from gateway.domain.tool import Tool, ToolRef

MOST_TERMS = 32  # terms of a request that are looked up
COMMON = 0.03  # share of all tools beyond which a term names no candidates …
COMMON_FROM = 256  # … unless no more tools than this use it
REFINED = 400  # candidates that common terms rank
SHORTLIST = 100  # candidates whose coverage is looked at
NAME_COVERAGE = 0.5  # gained when the request holds every word of the tool's name
REQUEST_COVERAGE = 0.5  # gained when the tool holds every word of the request

Allowed = Callable[[ToolRef], bool]
Sieve = Callable[[Posting], Posting]


@dataclass(frozen=True, slots=True)
class Match:
    tool: Tool
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """The best matches, best first. `total` tools hold a telling word of the request."""

    matches: tuple[Match, ...]
    total: int


class _Asked(NamedTuple):
    """A term of the request. `share` is its part of the request times its rarity."""

    share: float
    term: str
    posting: Posting


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
        """The best `limit` tools for `query`; of `backend` only, when given. What is not `allowed` is not there."""
        asked = self._asked(query)
        scores, common = self._candidates(asked, self._sieve(backend, allowed), max(limit, 1))
        total = len(scores)
        if common:
            scores = self._best(scores, max(REFINED, limit))
            _refine(scores, common)
        shortlist = self._best(scores, max(SHORTLIST, limit))
        ranked = sorted(self._rescored(shortlist, asked), key=_order)
        return Found(tuple(ranked[: max(limit, 0)]), total)

    def _asked(self, query: str) -> list[_Asked]:
        """What is looked up, rarest first."""
        postings = self._store.postings
        asked = [
            _Asked(weight * self._rarity(term), term, postings[term])
            for term, weight in interpret(query, self._lexicon).items()
        ]
        return sorted(nlargest(MOST_TERMS, asked), key=lambda one: (len(one.posting), one.term))

    def _rarity(self, term: str) -> float:
        """BM25's idf, in the form that is never negative."""
        using = len(self._store.postings[term])
        return math.log1p((len(self) - using + 0.5) / (using + 0.5))

    def _sieve(self, backend: str | None, allowed: Allowed | None) -> Sieve:
        """Leaves of a posting what may be found. `allowed` is asked once for a tool."""
        entries = self._store.entries
        members = None if backend is None else self._store.members.get(backend, frozenset())
        visible = cache(lambda number: allowed is None or allowed(entries[number].tool.ref))

        def sift(posting: Posting) -> Posting:
            if members is not None:
                posting = {number: posting[number] for number in posting.keys() & members}
            if allowed is not None:
                posting = {number: weight for number, weight in posting.items() if visible(number)}
            return posting

        return sift

    def _candidates(
        self, asked: Sequence[_Asked], sift: Sieve, enough: int
    ) -> tuple[dict[int, float], Sequence[_Asked]]:
        """Number -> score by rare terms, and by common ones until there are enough; the terms left."""
        most = max(COMMON_FROM, COMMON * len(self))
        scores: dict[int, float] = {}
        for position, (share, _, posting) in enumerate(asked):
            if len(posting) > most and len(scores) >= enough:
                return scores, asked[position:]
            for number, weight in sift(posting).items():
                scores[number] = scores.get(number, 0.0) + share * weight
        return scores, ()

    def _best(self, scores: dict[int, float], most: int) -> dict[int, float]:
        """The `most` best. Among equal scores the names decide, not the order of arrival."""
        if len(scores) <= most:
            return scores
        least = nlargest(most, scores.values())[-1]
        best = {number: score for number, score in scores.items() if score > least}
        tied = (number for number, score in scores.items() if score == least)
        entries = self._store.entries
        kept = nsmallest(most - len(best), tied, key=lambda number: entries[number].tool.ref)
        return best | dict.fromkeys(kept, least)

    def _rescored(self, scores: Mapping[int, float], asked: Sequence[_Asked]) -> Iterator[Match]:
        """Raise what the request names in full, and what answers all of the request."""
        stems = [one for one in asked if is_stem(one.term)]
        named = {one.term for one in stems}
        whole = sum(one.share for one in stems) or 1.0
        rarity = cache(self._rarity)
        for number, score in scores.items():
            entry = self._store.entries[number]
            name = sum(map(rarity, entry.name)) or 1.0
            said = sum(rarity(term) for term in entry.name if term in named) / name
            answered = sum(one.share for one in stems if number in one.posting) / whole
            factor = (1 + NAME_COVERAGE * said) * (1 + REQUEST_COVERAGE * answered)
            yield Match(entry.tool, score * factor)


def _refine(scores: dict[int, float], common: Iterable[_Asked]) -> None:
    for share, _, posting in common:
        for number in scores.keys() & posting.keys():
            scores[number] += share * posting[number]


def _order(match: Match) -> tuple[float, ToolRef]:
    return -match.score, match.tool.ref
