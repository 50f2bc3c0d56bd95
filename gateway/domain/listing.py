"""A backend as it is offered: its name, its tools, how it fares."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.issue import Issue
from gateway.domain.tool import Tool


class Status(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"  # calls fail, or the newest file is broken and the last good one serves
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Health:
    """`reason` is one line for people and models; None when all is well. `issues` go to /health."""

    status: Status = Status.OK
    reason: str | None = None
    issues: tuple[Issue, ...] = ()

    def __str__(self) -> str:
        return f"{self.status} ({self.reason})" if self.reason else str(self.status)


@dataclass(frozen=True, slots=True)
class Listing:
    """One backend inside a snapshot. `transport` is `rest`; `mock` where nothing is sent."""

    name: str
    description: str
    tools: tuple[Tool, ...]
    health: Health = Health()
    transport: str = "rest"
