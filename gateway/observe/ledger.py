"""What `/health` tells of calls and reloads: an observer that keeps the last of each."""

from collections import Counter

from gateway.domain.events import CallFinished, Event, Reloaded

FINE = frozenset({"ok", "tool_error", "cancelled"})


class Ledger:
    """Counts and last errors by backend; one that is removed is forgotten."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.last_errors: dict[str, str] = {}
        self.reload: Reloaded | None = None
        self.reloads = 0

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
