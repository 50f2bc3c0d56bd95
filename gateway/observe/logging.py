"""Changes of state as log lines: reloads, how backends fare, and each finding about a file once.

Calls are not logged here: at `info` a log tells what changed, not what was done.
"""

import logging

from gateway.domain.events import BackendChanged, CircuitChanged, Event, Reloaded
from gateway.domain.issue import Issue, Severity
from gateway.domain.listing import Status

log = logging.getLogger(__name__)

NAMED = 10  # backends that a reload's line names before it only counts


class StateLog:
    """An observer. It remembers which issues stand: each is told when it comes and when it goes.

    Without `warnings`, what a file loads with is for `validate` to tell.
    """

    def __init__(self, *, warnings: bool = True) -> None:
        self._standing: frozenset[Issue] = frozenset()
        self._warnings = warnings

    def __call__(self, event: Event) -> None:
        match event:
            case Reloaded():
                self._reloaded(event)
            case BackendChanged():
                _changed(event)
            case CircuitChanged():
                _turned(event)
            case _:
                pass

    def _reloaded(self, event: Reloaded) -> None:
        for issue in event.issues:
            told = self._warnings or issue.severity is not Severity.WARNING
            if told and issue not in self._standing:
                level = logging.ERROR if issue.severity is Severity.ERROR else logging.WARNING
                log.log(level, "issue_found", extra=_facts(issue))
        found = frozenset(event.issues)
        for issue in sorted(self._standing - found, key=lambda issue: issue.where):
            log.info("issue_gone", extra=_facts(issue))
        self._standing = found
        facts = {
            "version": event.version,
            "changed": _names(event.changed),
            "removed": _names(event.removed),
            "issues": len(event.issues),
            "ms": round(event.seconds * 1000),
        }
        log.info("reloaded", extra=facts)


def _changed(event: BackendChanged) -> None:
    """One that is well and stays well has other findings only: they are told for themselves."""
    health = event.health
    fine = health.status is Status.OK
    if fine and event.was is Status.OK:
        return
    facts = {"backend": event.backend, "was": event.was, "status": health.status}
    if health.reason:
        facts["reason"] = health.reason
    log.log(logging.INFO if fine else logging.WARNING, "backend_changed", extra=facts)


def _turned(event: CircuitChanged) -> None:
    """That it is tried again is no news before it is known what comes of it."""
    facts = {"backend": event.backend, "was": event.was}
    if event.state == "open":
        log.warning("circuit_opened", extra=facts)
    elif event.state == "closed":
        log.info("circuit_closed", extra=facts)


def _facts(issue: Issue) -> dict[str, str | None]:
    """Where it is leads, so that a terminal makes a link of it; the offending line is not shown."""
    facts = {"where": issue.where, "path": issue.path, "problem": issue.message, "hint": issue.hint}
    return {key: value for key, value in facts.items() if value}


def _names(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"
