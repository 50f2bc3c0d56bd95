"""How failure of one backend is contained: what `failsafe:` of gateway.yaml comes to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.failsafe.breaker import Limits
from gateway.failsafe.retry import Rule


def _none() -> Mapping[str, float]:
    return {}


@dataclass(frozen=True, slots=True)
class Rate:
    """`tools`: glob → requests a second of each tool it matches; the first that does counts."""

    per_second: float
    burst: int
    tools: Mapping[str, float] = field(default_factory=_none)


@dataclass(frozen=True, slots=True)
class Retries:
    """`rule` for requests to MCP servers. Globs of tools that may be sent twice, or may not,
    whatever their server says of them.
    """

    rule: Rule
    idempotent: tuple[str, ...] = ()
    not_idempotent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Crowd:
    """Requests at a backend at once, and those that wait."""

    most: int
    queued: int


@dataclass(frozen=True, slots=True)
class Settings:
    """None: there is no such bound. With `extend` progress begins the time of a call anew, up to
    so many seconds.
    """

    breaker: Limits | None = None
    retries: Retries | None = None
    rate: Rate | None = None
    crowd: Crowd | None = None
    extend: float | None = None


@dataclass(frozen=True, slots=True)
class HealthChecks:
    """Of MCP servers of which nothing is heard. `interval` None: there are none, unless a server
    has its own. Both in seconds.
    """

    interval: float | None = 30.0
    timeout: float = 5.0
