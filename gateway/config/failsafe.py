"""`failsafe:` of gateway.yaml as frozen values: how failure is contained.

Names and defaults are those users bring from mcp-gateway. The text below a field is what an editor
shows.
"""

from typing import Annotated

from msgspec import Meta, field

from gateway.capability.file.model import Duration, Strict
from gateway.config.backends import ServerName

Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Rate = Annotated[float, Meta(gt=0, le=1_000_000)]
Text = Annotated[str, Meta(min_length=1)]
Named = Annotated[str, Meta(pattern=r"\S")]


class CircuitBreaker(Strict, frozen=True):
    """Leaves a backend alone that fails again and again. A 429 and a cancelled call are no
    failures.
    """

    enabled: bool = True
    """Off, every call is tried."""
    failure_threshold: Count = 5
    """So many failures in a row open it."""
    success_threshold: Count = 3
    """So many successes in a row, one at a time, close it again."""
    reset_timeout: Duration = "30s"
    """So long it stays open before one call is let through to see."""


class Retry(Strict, frozen=True):
    """Tries again what was not sent, or may be repeated without harm. A capability file says it for
    its own API: this is for MCP servers.
    """

    enabled: bool = True
    """Off, nothing is tried twice; capability files included."""
    max_attempts: Annotated[int, Meta(ge=1, le=10)] = 3
    """Attempts in all, the first included."""
    initial_backoff: Duration = "100ms"
    """The most to wait before the second."""
    max_backoff: Duration = "10s"
    """The most ever to wait."""
    multiplier: Annotated[float, Meta(ge=1, le=10)] = 2.0
    """How the most grows from one attempt to the next; the wait is a random part of it."""
    idempotent: tuple[Text, ...] = ()
    """Globs of tools that may be repeated without harm, whatever the server says of them."""
    not_idempotent: tuple[Text, ...] = ()
    """Globs of tools that may not, whatever the server says of them."""


class RateLimit(Strict, frozen=True):
    """How many requests a backend is sent."""

    enabled: bool = True
    """Off, as many as come."""
    requests_per_second: Rate = 100.0
    """Of all callers together, to one backend."""
    burst_size: Count = 50
    """So many may come at once."""
    tools: dict[Named, Rate] = field(default_factory=dict)
    """Glob of a tool → requests a second of its own, within those of the backend."""


class Concurrency(Strict, frozen=True):
    """How many requests are at a backend at once. An MCP server's own `concurrency` and `queue`
    count for it.
    """

    enabled: bool = True
    """Off, as many as come."""
    max_concurrent: Count = 64
    """At once."""
    max_queued: Annotated[int, Meta(ge=0, le=100_000)] = 256
    """Waiting for their turn; beyond that callers are told that it is busy."""


class HealthCheck(Strict, frozen=True):
    """Asks MCP servers of which nothing was heard whether they are well."""

    enabled: bool = True
    """Off, a server that hangs is found out by the calls it costs."""
    interval: Duration = "30s"
    """How often; a server's own `health_interval` counts for it."""
    timeout: Duration = "5s"
    """How long the answer may take."""


class Deadline(Strict, frozen=True):
    """How long calls may take in all is `server.request_timeout`, or the backend's `timeout`."""

    extend_on_progress: bool = False
    """Begin the time anew whenever the server tells of progress …"""
    most: Duration = "10m"
    """… but never let a call take longer than this."""


class Failsafe(Strict, frozen=True):
    """Of one backend; what is not said is as for all."""

    circuit_breaker: CircuitBreaker | None = None
    """Leaves a backend alone that fails again and again."""
    retry: Retry | None = None
    """Tries again what may be tried again."""
    rate_limit: RateLimit | None = None
    """How many requests a backend is sent."""
    concurrency: Concurrency | None = None
    """How many requests are at a backend at once."""
    deadline: Deadline | None = None
    """How long calls may take."""


class Failsafes(Strict, frozen=True):
    """How failure is contained, for each backend by itself."""

    circuit_breaker: CircuitBreaker = CircuitBreaker()
    """Leaves a backend alone that fails again and again."""
    retry: Retry = Retry()
    """Tries again what may be tried again."""
    rate_limit: RateLimit = RateLimit()
    """How many requests a backend is sent."""
    concurrency: Concurrency = Concurrency()
    """How many requests are at a backend at once."""
    deadline: Deadline = Deadline()
    """How long calls may take."""
    health_check: HealthCheck = HealthCheck()
    """Asks MCP servers whether they are well."""
    backends: dict[ServerName, Failsafe] = field(default_factory=dict)
    """A backend, MCP server or capability file, by its name → what is otherwise for it."""
