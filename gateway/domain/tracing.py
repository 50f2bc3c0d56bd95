"""Where a call belongs in somebody's trace: W3C Trace Context, as it is handed from hop to hop.

Source: W3C Trace Context (level 2); MCP 2026-07-28, basic, `_meta` keys `traceparent`,
`tracestate` and `baggage`.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple, Protocol

_PARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
LONGEST_STATE = 512


class Trace(NamedTuple):
    """`parent` is a `traceparent`, `state` a `tracestate`, empty where there is none."""

    parent: str
    state: str = ""


class Span(Protocol):
    """One call being traced."""

    @property
    def trace(self) -> Trace:
        """What those behind are told."""
        ...

    def end(self, outcome: str, facts: Mapping[str, str | int]) -> None: ...


class Tracer(Protocol):
    def begin(self, name: str, facts: Mapping[str, str], trace: Trace | None) -> Span:
        """`trace` is what the caller told."""
        ...


def read(parent: object, state: object = None) -> Trace | None:
    """What a caller told; None where that is no Trace Context."""
    if not isinstance(parent, str) or not _PARENT.fullmatch(parent):
        return None
    kept = isinstance(state, str) and len(state) <= LONGEST_STATE and state.isprintable()
    return Trace(parent, state if kept and isinstance(state, str) else "")
