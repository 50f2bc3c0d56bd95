"""What happened, as numbers: an observer of events whose state `/metrics` shows.

Counting is ours; the text format is prometheus-client's. Loading that library takes 60 ms, so it
waits until metrics are first asked for, and nothing counted before is lost. Labels are bounded: a
method that the protocol does not know is `other`, and so is whoever calls after the first hundred.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gateway.domain.catalog import Catalog
from gateway.domain.events import (
    CallFinished,
    CircuitChanged,
    Event,
    Limited,
    MetaFinished,
    Queried,
    Refused,
    Reloaded,
    RequestAnswered,
    Searched,
)
from gateway.domain.issue import Issue, Severity
from gateway.observe.figures import OTHER, Figures, Gauges, Labels, Names, Recorded
from gateway.protocol import mcp

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset(
    {
        *(mcp.INITIALIZE, mcp.PING, mcp.DISCOVER, mcp.LISTEN, mcp.TOOLS_LIST, mcp.TOOLS_CALL),
        *(mcp.PROMPTS_LIST, mcp.PROMPTS_GET, mcp.RESOURCES_LIST, mcp.RESOURCES_READ),
        *(mcp.TEMPLATES_LIST, mcp.SUBSCRIBE, mcp.UNSUBSCRIBE, mcp.COMPLETE, mcp.SET_LEVEL),
        *(mcp.TASKS_LIST, mcp.TASKS_GET, mcp.TASKS_RESULT, mcp.TASKS_CANCEL, mcp.TASKS_UPDATE),
    }
)
MOST_CALLERS = 100  # names of callers, and of agents, that are told apart
OWN_LIMITS = frozenset({"backend", "tool", "concurrency"})  # whose subjects are names of ours


class Metrics:
    """Call it with events, tell it what is `offered`, and `render` when asked."""

    def __init__(self, *, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._figures = Figures()
        self._callers = Names(MOST_CALLERS)
        self._agents = Names(MOST_CALLERS)
        self._by_kind: Mapping[type, Callable[[Any], None]] = {
            CallFinished: self._called,
            RequestAnswered: self._answered,
            Queried: self._queried,
            MetaFinished: self._meta,
            Searched: self._searched,
            Reloaded: self._reloaded,
            CircuitChanged: self._turned,
            Limited: self._limited,
            Refused: self._refused,
        }

    def __call__(self, event: Event) -> None:
        count = self._by_kind.get(type(event))
        if count is not None:
            count(event)

    def offered(self, catalog: Catalog, issues: Iterable[Issue]) -> None:
        """What the newest snapshot holds: for the gauges of backends, tools and issues."""
        self._figures.catalog = catalog
        self._figures.issues = tuple(issues)

    def watch(self, gauges: Gauges) -> None:
        """Show these too: they are asked when somebody looks."""
        self._figures.gauges = {**self._figures.gauges, **gauges}

    def audited(self, recorded: Recorded) -> None:
        """Show what is told of the audit too."""
        self._figures.audit = recorded

    def render(self) -> bytes:
        """The text for `/metrics`, of `CONTENT_TYPE`. Safe in a thread, and best off there."""
        from gateway.observe.exposition import expose  # noqa: PLC0415 - 60 ms at start-up saved

        return expose(self._figures)

    def _called(self, event: CallFinished) -> None:
        figures, outcome, agent = self._figures, event.outcome, event.who.agent
        agent = self._agents.of(agent) if agent else ""
        names = (event.backend, event.tool) if event.known else (OTHER, OTHER)
        figures.calls.add((*names, agent, outcome), event.seconds)
        figures.callers.add((self._callers.of(event.caller), outcome))

    def _answered(self, event: RequestAnswered) -> None:
        method = event.method if event.method in METHODS else OTHER
        self._figures.requests.add((method, event.era, event.outcome), event.seconds)

    def _queried(self, event: Queried) -> None:
        backend = event.backend if event.known else OTHER
        method = event.method if event.method in METHODS else OTHER
        self._figures.queries.add((backend, method, event.outcome), event.seconds)

    def _meta(self, event: MetaFinished) -> None:
        self._figures.metas.add((event.tool, event.outcome), event.seconds)

    def _searched(self, event: Searched) -> None:
        outcome = "found" if event.total else "nothing"
        self._figures.searches.add((outcome,), event.seconds)

    def _turned(self, event: CircuitChanged) -> None:
        figures = self._figures
        figures.circuit_changes.add((event.backend, event.state))
        figures.circuits[event.backend] = event.state

    def _limited(self, event: Limited) -> None:
        own = event.limit in OWN_LIMITS
        subject = event.subject if own else self._callers.of(event.subject)
        self._figures.limited.add((event.limit, subject))

    def _refused(self, event: Refused) -> None:
        self._figures.refused.add((event.reason,))

    def _reloaded(self, event: Reloaded) -> None:
        figures = self._figures
        failed = any(issue.severity is Severity.ERROR for issue in event.issues)
        figures.reloads.add(("failed" if failed else "ok",), event.seconds)
        figures.last_reload = self._wall()
        if not failed:
            figures.last_success = figures.last_reload
        if event.removed:
            self._forget(frozenset(event.removed))

    def _forget(self, gone: frozenset[str]) -> None:
        """Drop what is counted of these backends."""
        figures = self._figures
        figures.calls.forget(gone)
        figures.queries.forget(gone)
        figures.circuit_changes.forget(lambda labels: labels[0] in gone)
        figures.circuits = {key: one for key, one in figures.circuits.items() if key not in gone}

        def of_them(labels: Labels) -> bool:
            return labels[0] in OWN_LIMITS and labels[1].partition(":")[0] in gone

        figures.limited.forget(of_them)
