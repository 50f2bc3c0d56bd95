"""Keyword search over tools: BM25F, in process, the same answer every time."""

from gateway.domain.search.index import Found, Index, Match
from gateway.domain.search.scope import Part

__all__ = ["Found", "Index", "Match", "Part"]
