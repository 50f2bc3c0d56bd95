"""/health, /livez, /readyz and /metrics: how the gateway fares, as far as it concerns who asks.

Where callers are asked who they are, a stranger learns the status alone (I32), a caller what
becomes of the backends that it may see, and one of level `admin` everything.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from gateway.domain.identity import Identity, Level
from gateway.domain.issue import Issue, Severity
from gateway.domain.listing import Listing, Status
from gateway.failsafe.guard import UNGUARDED
from gateway.observe.ledger import Ledger
from gateway.observe.metrics import CONTENT_TYPE
from gateway.protocol.jsonrpc import encode
from gateway.runtime.snapshot import Current, Snapshot
from gateway.runtime.view import View
from gateway.server.reply import Later, Page, Reply, refusal, text
from gateway.version import __version__

METRICS = "/metrics"
CIRCUITS = {  # in the words of mcp-gateway's page
    "closed": "Closed",
    "open": "Open",
    "half_open": "HalfOpen",
    "disabled": "Disabled",
}
MOST_ISSUES = 100  # of one list: a large file may have tens of thousands
NOT_ADMIN = refusal(403, "this page needs a key of level admin, or a place in auth.public_paths")


def health(
    snapshot: Snapshot, ledger: Ledger, caller: Identity, *, stopping: bool
) -> dict[str, Any]:
    """`{status, version, backends, reload, audit}`; status is healthy, degraded or stopping."""
    listings = snapshot.catalog.backends
    poor = any(listing.health.status is Status.DOWN for listing in listings.values()) or any(
        issue.severity is Severity.ERROR for issue in snapshot.issues
    )
    audit = ledger.recorded
    poor |= audit is not None and audit.failing is not None
    found: dict[str, Any] = {
        "status": "stopping" if stopping else "degraded" if poor else "healthy"
    }
    if snapshot.access.required and caller.grant.level <= Level.DENY:
        return found
    found["version"] = __version__
    if is_admin(snapshot, caller):
        found["backends"] = {
            name: _backend(one, ledger, snapshot) for name, one in listings.items()
        }
        found["reload"] = _reload(ledger, snapshot.version, snapshot.issues)
        if audit is not None:
            found["audit"] = {
                "written": audit.written,
                "dropped": sum(audit.dropped.values()),
                "failing": audit.failing,
            }
    else:
        seen = _view(snapshot, caller).backends
        found["backends"] = {name: _outside(one, ledger, snapshot) for name, one in seen.items()}
    return found


def is_admin(snapshot: Snapshot, caller: Identity) -> bool:
    """Whether `caller` may see how the gateway fares: everybody, where nobody is asked. As which
    agent it acts does not matter: what scrapes metrics is none.
    """
    if not snapshot.access.required:
        return True
    level = _view(snapshot, caller).rights.level
    return min(caller.grant.level, level) >= Level.ADMIN


def _view(snapshot: Snapshot, caller: Identity) -> View:
    return View(snapshot, lambda _event: None, caller)


def _outside(listing: Listing, ledger: Ledger, snapshot: Snapshot) -> Mapping[str, Any]:
    """Without what names things that the caller may not see."""
    return {**_backend(listing, ledger, snapshot), "issues": []}


def _backend(listing: Listing, ledger: Ledger, snapshot: Snapshot) -> Mapping[str, Any]:
    guard = snapshot.guards.get(listing.name, UNGUARDED)
    return {
        "name": listing.name,
        "running": listing.health.status is not Status.DOWN,
        "status": str(listing.health.status),
        "reason": listing.health.reason,
        "transport": listing.transport,
        "era": listing.era,
        "circuit_state": CIRCUITS[guard.state],
        "tools_cached": len(listing.tools),
        "prompts_cached": len(listing.prompts),
        "resources_cached": len(listing.resources) + len(listing.templates),
        "request_count": ledger.calls[listing.name],
        "last_error": ledger.last_errors.get(listing.name),
        "issues": _issues(listing.health.issues),
    }


def _reload(ledger: Ledger, version: int, issues: tuple[Issue, ...]) -> Mapping[str, Any]:
    last = ledger.reload
    return {
        "version": version,
        "count": ledger.reloads,
        "changed": last.changed if last else (),
        "removed": last.removed if last else (),
        "files": ledger.files,
        "issues": _issues(issues),
    }


def _issues(issues: Sequence[Issue]) -> list[Mapping[str, Any]]:
    """The first of them: the log has all, and validate."""
    return [
        {
            "where": issue.where,
            "path": issue.path,
            "message": issue.message,
            "hint": issue.hint,
            "severity": str(issue.severity),
        }
        for issue in issues[:MOST_ISSUES]
    ]


def pages(
    current: Current,
    ledger: Ledger,
    metrics: Callable[[], bytes] | None,
    stopping: Callable[[], bool],
) -> Mapping[str, Page]:
    """The routes by path. `metrics` gives the exposition text of Prometheus; None: no such page."""

    def healthy(caller: Identity) -> Reply:
        return Reply(200, encode(health(current.get(), ledger, caller, stopping=stopping())))

    def ready(_caller: Identity) -> Reply:
        return text(503, "stopping") if stopping() else text(200, "ready")

    found: dict[str, Page] = {
        "/health": healthy,
        "/livez": lambda _caller: text(200, "alive"),
        "/readyz": ready,
    }
    if metrics is not None:
        found[METRICS] = partial(_metrics, current, metrics)
    return found


def _metrics(current: Current, metrics: Callable[[], bytes], caller: Identity) -> Reply | Later:
    snapshot = current.get()
    if METRICS in snapshot.access.public or is_admin(snapshot, caller):
        return lambda: Reply(200, metrics(), kind=CONTENT_TYPE)  # 25 ms for thousands of series
    return NOT_ADMIN
