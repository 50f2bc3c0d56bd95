"""Keyword search over tools: BM25F, in process, the same answer every time."""

from gateway.domain.search.index import Found, Index, Match

__all__ = ["Found", "Index", "Match"]
