"""`failsafe:` of gateway.yaml as frozen values: how failure is contained, and what that comes to.

Names and defaults are those users bring from mcp-gateway. The text below a field is what an editor
shows.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct, field, structs

from gateway.capability.file.model import Duration, Named, Strict, Text
from gateway.capability.file.units import seconds
from gateway.config.backends import ServerName
from gateway.failsafe import settings as plain
from gateway.failsafe.breaker import Limits
from gateway.failsafe.retry import Rule

Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Rate = Annotated[float, Meta(gt=0, le=1_000_000)]


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
    max_concurrent: Count = 100
    """At once."""
    max_queued: Annotated[int, Meta(ge=0, le=100_000)] = 1_000
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


SECTIONS = Failsafe.__struct_fields__
SHORTEST = {"reset_timeout": 0.01, "interval": 0.1, "timeout": 0.05, "most": 0.1}  # seconds


def inherited(tree: Any) -> Any:
    """The tree of gateway.yaml with what sections of single backends leave out, as for all."""
    whole = tree.get("failsafe") if isinstance(tree, dict) else None
    backends = whole.get("backends") if isinstance(whole, dict) else None
    if not isinstance(whole, dict) or not isinstance(backends, dict):
        return tree
    filled = {name: _filled(one, whole) for name, one in backends.items()}
    return {**tree, "failsafe": {**whole, "backends": filled}}


def _filled(own: Any, whole: Mapping[str, Any]) -> Any:
    if not isinstance(own, dict):
        return own
    return {
        section: {**common, **said} if isinstance(said, dict) and isinstance(common, dict) else said
        for section, said in own.items()
        for common in (whole.get(section),)
    }


def problems(failsafes: Failsafes) -> Iterator[tuple[tuple[str, ...], str]]:
    """Place below `failsafe` and message, of what no type shows. Without any it can be used."""
    yield from _durations((), failsafes)
    for name, one in failsafes.backends.items():
        yield from _durations(("backends", name), one)


def _durations(place: tuple[str, ...], of: Struct) -> Iterator[tuple[tuple[str, ...], str]]:
    for part in structs.fields(of):
        section = getattr(of, part.name)
        if not isinstance(section, Struct):
            continue
        for one in structs.fields(section):
            if one.name in DURATIONS:
                text = _wrong(one.name, getattr(section, one.name))
                if text is not None:
                    yield (*place, part.name, one.name), text


DURATIONS = {*SHORTEST, "initial_backoff", "max_backoff"}


def _wrong(key: str, value: str | float) -> str | None:
    try:
        found = seconds(value)
    except ValueError as error:
        return str(error)
    least = SHORTEST.get(key, 0.0)
    return f"{value!r} is shorter than {least:g} s" if found < least else None


def settings(failsafes: Failsafes) -> Callable[[str], plain.Settings]:
    """What holds for a backend, by its name."""
    usual = _plain(Failsafe(), failsafes)
    others = {name: _plain(one, failsafes) for name, one in failsafes.backends.items()}
    return lambda backend: others.get(backend, usual)


def health_checks(failsafes: Failsafes) -> plain.HealthChecks:
    check = failsafes.health_check
    interval = seconds(check.interval) if check.enabled else None
    return plain.HealthChecks(interval, seconds(check.timeout))


def _plain(own: Failsafe, whole: Failsafes) -> plain.Settings:
    breaker = own.circuit_breaker or whole.circuit_breaker
    retry, rate = own.retry or whole.retry, own.rate_limit or whole.rate_limit
    crowd, deadline = own.concurrency or whole.concurrency, own.deadline or whole.deadline
    return plain.Settings(
        breaker=_limits(breaker) if breaker.enabled else None,
        retries=_retries(retry) if retry.enabled else None,
        rate=_rate(rate) if rate.enabled else None,
        crowd=plain.Crowd(crowd.max_concurrent, crowd.max_queued) if crowd.enabled else None,
        extend=seconds(deadline.most) if deadline.extend_on_progress else None,
    )


def _limits(breaker: CircuitBreaker) -> Limits:
    rest = seconds(breaker.reset_timeout)
    return Limits(breaker.failure_threshold, breaker.success_threshold, rest)


def _retries(retry: Retry) -> plain.Retries:
    first, longest = seconds(retry.initial_backoff), seconds(retry.max_backoff)
    rule = Rule(retry.max_attempts - 1, longest, first, retry.multiplier)
    return plain.Retries(rule, retry.idempotent, retry.not_idempotent)


def _rate(rate: RateLimit) -> plain.Rate:
    return plain.Rate(rate.requests_per_second, rate.burst_size, rate.tools)
