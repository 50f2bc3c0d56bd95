"""All our figures in Prometheus' text format; the only module that knows prometheus-client."""

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum

from prometheus_client import (
    CollectorRegistry,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from gateway.domain.issue import Severity
from gateway.domain.listing import Status
from gateway.observe.figures import Counts, Figures, Recorded
from gateway.observe.tallied import lines
from gateway.version import __version__

NO_CALL = "Meta-tools that called no tool"
CIRCUITS = {"closed": 0, "half_open": 1, "open": 2}
OPEN = {
    "connections": "HTTP connections of clients that are open.",
    "sessions": "Sessions of legacy clients.",
    "streams": "Subscriptions of modern clients.",
}


def expose(figures: Figures) -> bytes:
    """Everything, from a registry of its own: the process-wide default one stays untouched."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    registry.register(_Ours(figures))
    return generate_latest(registry) + "".join(_tallied(figures)).encode("utf-8", "replace")


def _tallied(shown: Figures) -> Iterator[str]:
    for name, noun, what, labels, family in (
        ("requests", "request", "MCP requests", ("method", "era", "outcome"), shown.requests),
        ("calls", "call", "Tool calls", ("backend", "tool", "agent", "outcome"), shown.calls),
        ("queries", "query", "Other requests", ("backend", "method", "outcome"), shown.queries),
        ("meta_calls", "meta_call", NO_CALL, ("tool", "outcome"), shown.metas),
        ("searches", "search", "Searches for tools", ("outcome",), shown.searches),
        ("reloads", "reload", "Reloads of files", ("outcome",), shown.reloads),
    ):
        yield lines(name, noun, what, labels, family)


class _Ours(Collector):
    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("capgate", "What runs.", {"version": __version__})
        shown = self._figures
        yield from _trust(shown)
        yield from _audit(shown.audit)
        yield from _open(shown)
        yield from _state(shown)


def _trust(figures: Figures) -> Iterator[Metric]:
    """Who called, who was refused or slowed down, and how circuit breakers stand."""
    what = "Tool calls, by who made them."
    yield _counted("caller_calls", what, ("caller", "outcome"), figures.callers)
    yield _counted("refused", "Requests of nobody we know.", ("reason",), figures.refused)
    what = "Requests that were refused for a limit."
    yield _counted("rate_limited", what, ("limit", "subject"), figures.limited)
    what = "Turns of circuit breakers."
    yield _counted("circuit_changes", what, ("backend", "state"), figures.circuit_changes)
    what = "Circuit breakers: 0 closed, 1 half open, 2 open."
    states = GaugeMetricFamily("capgate_circuit_state", what, labels=("backend",))
    for backend, state in list(figures.circuits.items()):
        states.add_metric((backend,), CIRCUITS.get(state, 0))
    yield states


def _counted(name: str, what: str, labels: tuple[str, ...], counts: Counts) -> Metric:
    family = CounterMetricFamily(f"capgate_{name}", what, labels=labels)
    for values, count in list(counts.counts.items()):
        family.add_metric(values, count)
    return family


def _audit(recorded: Recorded | None) -> Iterator[Metric]:
    what = "Lines of the audit"
    written = 0 if recorded is None else recorded.written
    yield CounterMetricFamily("capgate_audit_lines", f"{what} that were written.", written)
    dropped = CounterMetricFamily(
        "capgate_audit_dropped", f"{what} that are lost.", labels=("reason",)
    )
    for reason, count in {} if recorded is None else dict(recorded.dropped).items():
        dropped.add_metric((reason,), count)
    yield dropped


def _open(figures: Figures) -> Iterator[Metric]:
    """What clients hold open; 0 where there is no HTTP."""
    for name, what in OPEN.items():
        count = figures.gauges.get(name)
        yield GaugeMetricFamily(f"capgate_{name}", what, 0 if count is None else count())


def _state(figures: Figures) -> Iterator[Metric]:
    fares = Counter(str(one.health.status) for one in figures.catalog.backends.values())
    yield _gauge("backends", "Backends on offer, by how they fare.", "status", (fares, Status))
    found = Counter(str(issue.severity) for issue in figures.issues)
    yield _gauge("issues", "Findings about the files.", "severity", (found, Severity))
    yield GaugeMetricFamily("capgate_tools", "Tools on offer.", len(figures.catalog))
    when = "Unix time of the last reload"
    yield GaugeMetricFamily(
        "capgate_last_reload_timestamp_seconds", f"{when}.", figures.last_reload
    )
    yield GaugeMetricFamily(
        "capgate_last_good_reload_timestamp_seconds",
        f"{when} that left no error standing.",
        figures.last_success,
    )


def _gauge(name: str, text: str, label: str, counted: tuple[Counter[str], type[StrEnum]]) -> Metric:
    """One value for each member, also where nothing was counted."""
    counts, members = counted
    family = GaugeMetricFamily(f"capgate_{name}", text, labels=(label,))
    for member in members:
        family.add_metric((str(member),), counts[str(member)])
    return family
