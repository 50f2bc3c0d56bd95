"""Our figures in Prometheus' text format; the only module that knows prometheus-client."""

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from itertools import accumulate
from math import inf

from prometheus_client import (
    CollectorRegistry,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from gateway import __version__
from gateway.domain.issue import Severity
from gateway.domain.listing import Status
from gateway.observe.figures import BOUNDS, Family, Figures

LIMITS = tuple(map(floatToGoString, (*BOUNDS, inf)))


def expose(figures: Figures) -> bytes:
    """Everything, from a registry of its own: the process-wide default one stays untouched."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    registry.register(_Ours(figures))
    return generate_latest(registry)


class _Ours(Collector):
    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("capgate", "What runs.", {"version": __version__})
        shown = self._figures
        yield from _both("request", "MCP requests", ("method", "era", "outcome"), shown.requests)
        yield from _both("call", "Tool calls", ("backend", "tool", "outcome"), shown.calls)
        yield from _both("search", "Searches for tools", ("outcome",), shown.searches)
        yield from _both("reload", "Reloads of files", ("outcome",), shown.reloads)
        yield from _state(shown)


def _both(noun: str, what: str, labels: tuple[str, ...], family: Family) -> Iterator[Metric]:
    """`capgate_NOUNs_total` by all labels and `capgate_NOUN_seconds` by all but the outcome.

    The lists are copies made in one step, for the loop counts on while a thread renders.
    """
    plural = f"{noun}es" if noun.endswith("ch") else f"{noun}s"
    total = CounterMetricFamily(f"capgate_{plural}", f"{what}.", labels=labels)
    for values, tally in list(family.tallies.items()):
        total.add_metric(values, tally.count)
    yield total
    seconds = HistogramMetricFamily(
        f"capgate_{noun}_seconds", f"{what}: how long they took.", labels=labels[:-1]
    )
    for values, timing in list(family.timings.items()):
        buckets = list(zip(LIMITS, accumulate(timing.counts), strict=True))
        seconds.add_metric(values, buckets, timing.seconds)
    yield seconds


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
