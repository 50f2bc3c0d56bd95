"""What happened, as numbers: an observer of events whose state `/metrics` shows.

Counting is ours; the text format is prometheus-client's. Loading that library takes 60 ms, so it
waits until metrics are first asked for, and nothing counted before is lost. Labels are bounded: a
method that the protocol does not know is `other`.
"""

import time
from collections.abc import Callable, Iterable

from gateway.domain.catalog import Catalog
from gateway.domain.events import CallFinished, Event, Reloaded, RequestAnswered, Searched
from gateway.domain.issue import Issue, Severity
from gateway.observe.figures import OTHER, Figures
from gateway.protocol import mcp

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset(
    {
        *(mcp.INITIALIZE, mcp.PING, mcp.DISCOVER, mcp.LISTEN, mcp.TOOLS_LIST, mcp.TOOLS_CALL),
        *(mcp.PROMPTS_LIST, mcp.PROMPTS_GET, mcp.RESOURCES_LIST, mcp.RESOURCES_READ),
        mcp.TEMPLATES_LIST,
    }
)


class Metrics:
    """Call it with events, tell it what is `offered`, and `render` when asked."""

    def __init__(self, *, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._figures = Figures()

    def __call__(self, event: Event) -> None:
        figures = self._figures
        match event:
            case CallFinished():
                names = (event.backend, event.tool) if event.known else (OTHER, OTHER)
                figures.calls.add((*names, event.outcome), event.seconds)
            case RequestAnswered():
                method = event.method if event.method in METHODS else OTHER
                figures.requests.add((method, event.era, event.outcome), event.seconds)
            case Searched():
                figures.searches.add(("found" if event.total else "nothing",), event.seconds)
            case Reloaded():
                self._reloaded(event)
            case _:
                pass

    def offered(self, catalog: Catalog, issues: Iterable[Issue]) -> None:
        """What the newest snapshot holds: for the gauges of backends, tools and issues."""
        self._figures.catalog = catalog
        self._figures.issues = tuple(issues)

    def render(self) -> bytes:
        """The text for `/metrics`, of `CONTENT_TYPE`. Safe in a thread, and best off there."""
        from gateway.observe.exposition import expose  # noqa: PLC0415 - 60 ms at start-up saved

        return expose(self._figures)

    def _reloaded(self, event: Reloaded) -> None:
        figures = self._figures
        failed = any(issue.severity is Severity.ERROR for issue in event.issues)
        figures.reloads.add(("failed" if failed else "ok",), event.seconds)
        figures.last_reload = self._wall()
        if not failed:
            figures.last_success = figures.last_reload
        if event.removed:
            figures.calls.forget(event.removed)
