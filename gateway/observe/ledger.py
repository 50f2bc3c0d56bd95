"""What `/health` tells of calls, reloads and files: an observer that keeps the last of each."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gateway.domain.events import CallFinished, Event, FileRead, Reloaded
from gateway.observe.figures import Recorded

FINE = frozenset({"ok", "tool_error", "cancelled"})


@dataclass(frozen=True, slots=True)
class FileStatus:
    """How a file that is followed fared. Times are RFC 3339, in UTC, None where it never happened;
    `last_error` is None once what it says counts, `warnings` are those of the last attempt.
    """

    last_attempt: str
    last_success: str | None
    last_error: str | None
    attempt_count: int
    success_count: int
    warnings: tuple[str, ...]


class Writing(Recorded, Protocol):
    @property
    def failing(self) -> str | None:
        """Why nothing can be written just now."""
        ...


class Ledger:
    """Counts and last errors by backend; one that is removed is forgotten. `files` are those that
    were read, by name: any thread may tell of one. `recorded` is what an audit tells of itself,
    where there is one.
    """

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self.calls: Counter[str] = Counter()
        self.last_errors: dict[str, str] = {}
        self.reload: Reloaded | None = None
        self.reloads = 0
        self.files: dict[str, FileStatus] = {}
        self.recorded: Writing | None = None

    def __call__(self, event: Event) -> None:
        if type(event) is CallFinished and event.known:
            self.calls[event.backend] += 1
            if event.outcome not in FINE:
                self.last_errors[event.backend] = event.outcome
        elif type(event) is Reloaded:
            self.reload = event
            self.reloads += 1
            for name in event.removed:
                self.calls.pop(name, None)
                self.last_errors.pop(name, None)
        elif type(event) is FileRead:
            before = self.files.get(event.file)
            self.files = {**self.files, event.file: _status(before, event, _when(self._wall()))}


def _status(before: FileStatus | None, event: FileRead, now: str) -> FileStatus:
    good = event.error is None
    successes, last_success = (before.success_count, before.last_success) if before else (0, None)
    return FileStatus(
        last_attempt=now,
        last_success=now if good else last_success,
        last_error=event.error,
        attempt_count=(before.attempt_count if before else 0) + 1,
        success_count=successes + good,
        warnings=event.warnings,
    )


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
