"""One request on its way through a view: its id, what let it pass, how it fares; and what is told
of it in the end.
"""

import itertools
import time

from gateway.domain.call import Outcome, Relayed
from gateway.domain.client import Context
from gateway.domain.events import CallFinished, MetaFinished, Queried
from gateway.domain.identity import Identity
from gateway.domain.text import cut
from gateway.domain.tool import JsonObject, ToolRef
from gateway.domain.tracing import Span, Trace, Tracer
from gateway.errors import GatewayError
from gateway.log import going
from gateway.protocol import mcp

_numbers = itertools.count(1)

LONGEST_NAME = 128  # characters of what somebody asked for, in an event


class Passage:
    """Begun when made; one of `call`, `query` and `meta` ends it, whatever became of it.

    `known`: what was asked for is a name of ours. `rule` is the one that let it pass or, `denied`,
    did not.
    What is logged meanwhile says what it belongs to.
    """

    __slots__ = (
        *("_about", "_context", "_log", "_span", "_started", "_who"),
        *("denied", "id", "known", "outcome", "reached", "result", "rule"),
    )

    def __init__(self, who: Identity, context: Context) -> None:
        self.id = f"{next(_numbers):x}"
        self.denied = self.known = False
        self.outcome = "cancelled"
        self.reached = ""
        self.rule = ""
        self.result: Outcome | None = None
        self._who = who
        self._context = context
        self._span: Span | None = None
        self._about: tuple[str, str, str] = ("", "", "")
        self._log = going.set((self.id, who.name, who.agent or ""))
        self._started = time.perf_counter()  # a loop's clock may count in milliseconds

    def to(self, method: str, backend: str, name: str) -> None:
        """It is known by now where it leads; `name` is that of a tool, prompt or resource there."""
        self.known = True
        self._about = (method, backend, name)
        self._logged(self._context.trace)

    def _logged(self, trace: Trace | None) -> None:
        method, backend, name = self._about
        tool = name if method == mcp.TOOLS_CALL else ""
        who, trace_id = self._who, trace.parent[3:35] if trace else ""
        going.set((self.id, who.name, who.agent or "", backend, tool, method, trace_id))

    def traced(self, tracer: Tracer) -> Trace:
        """Begin a span where the caller's trace is; gives what those behind are told."""
        method, backend, name = self._about
        who, request = self._who, self._context.id
        facts = {
            "method": method,
            "backend": backend,
            "name": name,
            "call_id": self.id,
            "caller": who.name,
            "agent": who.agent or "",
            "request": "" if request is None else str(request),
        }
        span = self._span = tracer.begin(facts, self._context.trace)
        self._logged(span.trace)
        return span.trace

    def acting(self, who: Identity) -> None:
        self._who = who

    def done(self, result: Outcome) -> None:
        self.result = result
        self.outcome = "tool_error" if result.is_error else "ok"

    def failed(self, error: BaseException) -> None:
        if isinstance(error, GatewayError):
            self.outcome, self.reached = error.code, error.reached
            if error.rule:
                self.rule, self.denied = error.rule, True
        elif isinstance(error, Exception):
            self.outcome = GatewayError.code

    def call(self, ref: ToolRef, arguments: JsonObject) -> CallFinished:
        seconds, who, context = self._end(), self._who, self._context
        known = self.known
        return CallFinished(
            self.id,
            ref.backend if known else cut(ref.backend, LONGEST_NAME),
            ref.name if known else cut(ref.name, LONGEST_NAME),
            who.name,
            self.outcome,
            seconds,
            who,
            self.rule,
            self.reached,
            known,
            arguments,
            context.id,
            context.size,
            _weight(self.result),
            self.denied,
        )

    def query(self, backend: str, method: str, about: str) -> Queried:
        seconds, who, context = self._end(), self._who, self._context
        return Queried(
            self.id,
            backend if self.known else cut(backend, LONGEST_NAME),
            method,
            who.name,
            self.outcome,
            seconds,
            who,
            self.rule,
            self.reached,
            self.known,
            cut(about, LONGEST_NAME),
            context.id,
            context.size,
            _weight(self.result),
            self.denied,
        )

    def meta(self, tool: str, arguments: JsonObject) -> MetaFinished:
        seconds, who, context = self._end(), self._who, self._context
        return MetaFinished(
            self.id,
            tool,
            who.name,
            self.outcome,
            seconds,
            who,
            self.rule,
            arguments,
            context.id,
            context.size,
            _weight(self.result),
        )

    def _end(self) -> float:
        """Gives the seconds it took."""
        going.reset(self._log)
        if self._span is not None:
            self._span.end(self.outcome, {"rule": self.rule, "reached": self.reached})
        return time.perf_counter() - self._started


def _weight(outcome: Outcome | None) -> int:
    """The bytes of a result as it came from a server; of ours the letters of its texts."""
    if outcome is None:
        return 0
    if isinstance(outcome, Relayed):
        return len(outcome.raw)
    size = len(outcome.structured or b"")
    for block in outcome.content:
        said = block.get("text") or block.get("data")
        size += len(said) if isinstance(said, str) else 0
    return size
