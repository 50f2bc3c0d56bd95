"""Where a call belongs in somebody's trace: W3C Trace Context, as it is handed from hop to hop.

Source: W3C Trace Context (level 2) §3; MCP 2026-07-28, basic, `_meta` keys `traceparent`,
`tracestate` and `baggage` (SEP-414). Baggage is no part of it: to MCP servers it passes with the
rest of `_meta`, to REST APIs never, for it may say anything about a person.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple, Protocol

PARENT, STATE = "traceparent", "tracestate"  # as headers and in `_meta`
LONGEST_STATE = 512  # characters; §3.3.1.5: what everybody has to hand on

_PARENT = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})"
    r"(?P<rest>-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})(?P<more>-.*)?"
)


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

    def end(self, outcome: str, facts: Mapping[str, str]) -> None:
        """`outcome` and `facts` (`rule`, `reached`) as in an event."""
        ...


class Tracer(Protocol):
    def begin(self, facts: Mapping[str, str], trace: Trace | None) -> Span:
        """`facts` are the MCP `method`, `backend`, `name` (of what is asked for), `call_id`,
        `caller`, `agent` and `request` (the id of the JSON-RPC request), empty where there is none.
        `trace` is what the caller told. Never blocks or raises.
        """
        ...


def read(parent: object, state: object = None) -> Trace | None:
    """What a caller told; None where that is no Trace Context. Of a version to come what version 00
    has is handed on (§3.2.2).
    """
    found = _PARENT.fullmatch(parent) if isinstance(parent, str) else None
    if found is None or (found["more"] and found["version"] == "00"):
        return None
    kept = state if isinstance(state, str) and len(state) <= LONGEST_STATE else ""
    sendable = kept.isascii() and kept.isprintable()
    return Trace(f"00{found['rest']}", kept if sendable else "")


def pairs(trace: Trace) -> tuple[tuple[str, str], ...]:
    """As headers, or members of `_meta`."""
    parent = (PARENT, trace.parent)
    return (parent, (STATE, trace.state)) if trace.state else (parent,)
