"""A backend as it is offered: its name, its tools, how it fares."""

from dataclasses import dataclass, field
from enum import StrEnum

from gateway.domain.client import nothing
from gateway.domain.issue import Issue, Severity
from gateway.domain.tool import JsonObject, Tool

OF_FILES = frozenset({"rest", "mock"})  # transports of what a capability file says all of


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

    @property
    def wrong(self) -> bool:
        """Whether the operator's files are, so that time alone mends nothing."""
        return any(issue.severity is Severity.ERROR for issue in self.issues)

    def __str__(self) -> str:
        return f"{self.status} ({self.reason})" if self.reason else str(self.status)


@dataclass(frozen=True, slots=True)
class Listing:
    """One backend inside a snapshot.

    `transport` is `rest`, `mock`, or how an MCP server is reached: `stdio`, `http`, `sse`,
    `websocket`. The rest is what such a server told of itself, unknown fields included: MCP Prompt,
    Resource and ResourceTemplate objects, its ServerCapabilities (empty for REST) and instructions.
    `era` is `modern` or `legacy` once known. `settled` is False while its first connection is under
    way: what it offers is not known yet. `timeout` bounds each request to it, in seconds; None:
    as the gateway's own. `sealed`: no tool but the listed ones may be called, known or not yet.
    """

    name: str
    description: str
    tools: tuple[Tool, ...]
    health: Health = Health()
    transport: str = "rest"
    prompts: tuple[JsonObject, ...] = ()
    resources: tuple[JsonObject, ...] = ()
    templates: tuple[JsonObject, ...] = ()
    capabilities: JsonObject = field(default_factory=nothing)
    instructions: str = ""
    era: str | None = None
    timeout: float | None = None
    settled: bool = True
    sealed: bool = False
