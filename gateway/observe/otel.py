"""Calls as spans, sent by OpenTelemetry; the only module that knows it. It is an extra.

The rule: names and codes leave here, never arguments, results, URIs, session ids or texts of
errors. Names follow OpenTelemetry's conventions for MCP (open-telemetry/semantic-conventions-genai,
docs/gen-ai/mcp.md, "Server"); what these have no name for is `capgate.*`.
"""

import contextlib
import io
import logging
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import requests
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)
from opentelemetry.trace import Span as Begun

from gateway.domain.text import cut
from gateway.domain.tracing import LONGEST_STATE, Trace
from gateway.observe.traces import Settings
from gateway.protocol import mcp
from gateway.version import __version__

log = logging.getLogger(__name__)

LONGEST = 128  # characters of what a client chose
MOVED, UNTAKEN, UNWELL = range(300, 400), 400, 503  # HTTP statuses
FINE = frozenset({"ok", "cancelled"})
TARGETS = {mcp.TOOLS_CALL: "gen_ai.tool.name", mcp.PROMPTS_GET: "gen_ai.prompt.name"}
OURS = {"backend": "backend", "call_id": "call_id", "caller": "caller"}
NOISY = ("opentelemetry", "urllib3")  # they log URLs and what collectors answer


class Sent:
    """One span."""

    __slots__ = ("_span", "trace")

    def __init__(self, span: Begun) -> None:
        self._span = span
        self.trace = _told(span.get_span_context())

    def end(self, outcome: str, facts: Mapping[str, str]) -> None:
        span = self._span
        if span.is_recording():
            span.set_attribute("capgate.outcome", outcome)
            for name, value in facts.items():
                if value:
                    span.set_attribute(f"capgate.{name}", value)
            if outcome not in FINE:
                span.set_attribute("error.type", outcome)
                span.set_status(Status(StatusCode.ERROR))
        span.end()


class Sending:
    """A tracer, and the thread that sends what it traced."""

    def __init__(self, settings: Settings) -> None:
        for name in NOISY:
            logger = logging.getLogger(name)
            if logger.level == logging.NOTSET:
                logger.setLevel(logging.CRITICAL + 1)
        about = {"service.name": settings.service_name, "service.version": __version__}
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(settings.sample)),
            resource=Resource.create(about),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(Told(settings)))
        self._tracer = self._provider.get_tracer("capgate", __version__)

    def begin(self, facts: Mapping[str, str], trace: Trace | None) -> Sent:
        method, target = facts["method"], TARGETS.get(facts["method"])
        attributes = {f"capgate.{name}": facts[key] for key, name in OURS.items()}
        attributes["mcp.method.name"] = method
        name = method
        if target is not None:
            attributes[target] = facts["name"]
            name = f"{method} {facts['name']}"
        if method == mcp.TOOLS_CALL:
            attributes["gen_ai.operation.name"] = "execute_tool"
        if facts["agent"]:
            attributes["gen_ai.agent.name"] = facts["agent"]
        if facts["request"]:
            attributes["jsonrpc.request.id"] = cut(facts["request"], LONGEST)
        above = Context() if trace is None else _above(trace)
        return Sent(self._tracer.start_span(name, above, SpanKind.SERVER, attributes))

    def close(self) -> None:
        """Send what is left; blocks for as long as that takes."""
        self._provider.shutdown()

    def close_soon(self, done: Callable[[], object]) -> None:
        """The same in a thread for which no process waits; it calls `done`, if somebody still
        listens.
        """

        def closing() -> None:
            self.close()
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                done()

        threading.Thread(target=closing, name="traces", daemon=True).start()


class Curt(requests.Session):
    """Looks at the status of answers alone: whatever else a collector says nobody reads, and it
    may be endless. One that leads elsewhere has taken nothing; one that is not there is unwell.
    """

    def request(self, *args: Any, **more: Any) -> requests.Response:
        told = requests.Response()
        told.status_code, told.raw = UNWELL, io.BytesIO()
        more |= {"stream": True, "allow_redirects": False}
        try:
            with super().request(*args, **more) as answer:
                moved = answer.status_code in MOVED
                told.status_code = UNTAKEN if moved else answer.status_code
                told.reason, told.headers = answer.reason, answer.headers
        except requests.RequestException as error:
            _let_go(error)
        return told


def _let_go(error: BaseException | None) -> None:
    """Of what its frames hold: a batch, in a cycle. A reload sets aside what lives at the moment
    (`runtime/heap.py`), and no collector finds such a cycle ever after.
    """
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


class Told(SpanExporter):
    """Says once that traces are lost, and once that they are not any more."""

    def __init__(self, settings: Settings) -> None:
        self._to = urlsplit(settings.endpoint).hostname
        self._failing = False
        self._exporter = OTLPSpanExporter(
            endpoint=settings.endpoint,
            headers=dict(settings.headers),
            timeout=settings.timeout,
            session=Curt(),
        )

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        failed = result is not SpanExportResult.SUCCESS
        if failed and not self._failing:
            log.warning("traces_lost", extra={"collector": self._to, "spans": len(spans)})
        elif self._failing and not failed:
            log.info("traces_sent_again", extra={"collector": self._to})
        self._failing = failed
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()  # type: ignore[no-untyped-call]


def _above(trace: Trace) -> Context:
    _, trace_id, span_id, flags = trace.parent.split("-")
    state = TraceState.from_header([trace.state]) if trace.state else None
    found = SpanContext(
        int(trace_id, 16), int(span_id, 16), True, TraceFlags(int(flags, 16)), state
    )
    return set_span_in_context(NonRecordingSpan(found), Context())


def _told(at: SpanContext) -> Trace:
    state = at.trace_state.to_header()
    parent = f"00-{at.trace_id:032x}-{at.span_id:016x}-{at.trace_flags:02x}"
    return Trace(parent, state if len(state) <= LONGEST_STATE else "")
