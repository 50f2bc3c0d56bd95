"""/health, /livez, /readyz and /metrics."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway import __version__
from gateway.domain.issue import Issue, Severity
from gateway.domain.listing import Listing, Status
from gateway.observe.ledger import Ledger
from gateway.observe.metrics import CONTENT_TYPE
from gateway.protocol.jsonrpc import encode
from gateway.runtime.snapshot import Current
from gateway.server.reply import Reply, text


def health(current: Current, ledger: Ledger, stopping: Callable[[], bool]) -> dict[str, Any]:
    """`{status, version, backends, reload}`; status is healthy, degraded or stopping."""
    snapshot = current.get()
    listings = snapshot.catalog.backends
    poor = any(listing.health.status is Status.DOWN for listing in listings.values()) or any(
        issue.severity is Severity.ERROR for issue in snapshot.issues
    )
    status = "stopping" if stopping() else "degraded" if poor else "healthy"
    return {
        "status": status,
        "version": __version__,
        "backends": {name: _backend(listing, ledger) for name, listing in listings.items()},
        "reload": _reload(ledger, snapshot.version, snapshot.issues),
    }


def _backend(listing: Listing, ledger: Ledger) -> Mapping[str, Any]:
    return {
        "name": listing.name,
        "running": listing.health.status is not Status.DOWN,
        "status": str(listing.health.status),
        "reason": listing.health.reason,
        "transport": listing.transport,
        "era": listing.era,
        "tools_cached": len(listing.tools),
        "prompts_cached": len(listing.prompts),
        "resources_cached": len(listing.resources) + len(listing.templates),
        "request_count": ledger.calls[listing.name],
        "last_error": ledger.last_errors.get(listing.name),
        "issues": [_issue(issue) for issue in listing.health.issues],
    }


def _reload(ledger: Ledger, version: int, issues: tuple[Issue, ...]) -> Mapping[str, Any]:
    last = ledger.reload
    return {
        "version": version,
        "count": ledger.reloads,
        "changed": last.changed if last else (),
        "removed": last.removed if last else (),
        "issues": [_issue(issue) for issue in issues],
    }


def _issue(issue: Issue) -> Mapping[str, Any]:
    return {
        "where": issue.where,
        "path": issue.path,
        "message": issue.message,
        "hint": issue.hint,
        "severity": str(issue.severity),
    }


def pages(
    current: Current,
    ledger: Ledger,
    metrics: Callable[[], bytes] | None,
    stopping: Callable[[], bool],
) -> Mapping[str, Callable[[], Reply]]:
    """The routes by path. `metrics` gives the exposition text of Prometheus; None: no such page."""
    found = {
        "/health": lambda: Reply(200, encode(health(current, ledger, stopping))),
        "/livez": lambda: text(200, "alive"),
        "/readyz": lambda: text(503, "stopping") if stopping() else text(200, "ready"),
    }
    if metrics is not None:
        found["/metrics"] = lambda: Reply(200, metrics(), kind=CONTENT_TYPE)
    return found
