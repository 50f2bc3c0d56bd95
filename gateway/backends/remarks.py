"""What is odd about the things one MCP server lists, as a bounded number of issues."""

from gateway.domain.issue import Issue, Severity
from gateway.domain.text import counted

MOST = 50  # of one kind; the rest is counted


class Remarks:
    """About items of one kind; `noun` is what one of them is called."""

    def __init__(self, backend: str, noun: str) -> None:
        self._backend = backend
        self._noun = noun
        self._issues: list[Issue] = []
        self._more = 0

    def add(self, item: str, message: str, hint: str | None = None) -> None:
        """`item` as it may be shown; empty when it is about all of them."""
        if len(self._issues) < MOST:
            self._issues.append(self._issue(item, message, hint))
        else:
            self._more += 1

    @property
    def issues(self) -> tuple[Issue, ...]:
        if not self._more:
            return tuple(self._issues)
        return (*self._issues, self._issue("", counted(self._more, "more finding")))

    def _issue(self, item: str, message: str, hint: str | None = None) -> Issue:
        path = f"{self._noun} {item}" if item else f"{self._noun}s"
        return Issue(self._backend, message, path=path, hint=hint, severity=Severity.WARNING)
