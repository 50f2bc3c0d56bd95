"""Looks after a connected server: whether it still answers, and whether anybody needs it.

The rule: as long as a server is heard of, nothing is asked of it; while it is at work, silence
means nothing, unless somebody gave up waiting.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from gateway.errors import GatewayError, RemoteError
from gateway.failsafe.settings import HealthChecks
from gateway.session.session import Session

SOON = 2.0  # seconds after a health check that failed
MISSES = 2  # failed health checks in a row that make a server lost
LOOK = 1.0  # seconds between two looks: whether a server is needed, or to be checked

SILENT = f"it did not answer {MISSES} health checks"


@dataclass(slots=True)
class Pulse:
    """Signs of life, counted where they occur. `used` is when a request last ended, where that
    matters.
    """

    heard: int = 0  # answers and notifications of the server
    abandoned: int = 0  # requests that were given up
    used: float = 0.0


class Tended(Protocol):
    """What there is to know about a server."""

    pulse: Pulse

    @property
    def busy(self) -> bool:
        """Whether requests are at the server."""
        ...

    @property
    def needed(self) -> bool:
        """Whether it may not be put to sleep."""
        ...


@dataclass(slots=True)
class Checking:
    """How servers are checked that do not say it themselves: as the newest settings have it."""

    checks: HealthChecks = field(default_factory=HealthChecks)

    def interval(self, own: float | None) -> float | None:
        """Seconds between two checks; None: there are none for now."""
        return self.checks.interval if own is None else own


async def silence(
    session: Session,
    tended: Tended,
    own: float | None,
    checking: Checking,
    rng: Callable[[], float],
) -> None:
    """Returns when the server does not answer any more. Health checks pass by every queue. `own` is
    its own interval, in seconds.
    """
    pulse = tended.pulse
    misses, heard, abandoned = 0, -1, pulse.abandoned
    while misses < MISSES:
        interval = checking.interval(own)
        if interval is None:
            await asyncio.sleep(LOOK)
            continue
        await asyncio.sleep(min(SOON, interval) if misses else interval * (0.9 + 0.2 * rng()))
        if pulse.heard != heard:
            misses, heard, abandoned = 0, pulse.heard, pulse.abandoned
        elif not tended.busy or pulse.abandoned != abandoned:
            within = min(checking.checks.timeout, 2 * interval)
            misses = 0 if await _answers(session, within) else misses + 1


async def _answers(session: Session, within: float) -> bool:
    try:
        async with asyncio.timeout(within):
            await session.ping()
    except RemoteError:  # it is there
        return True
    except (GatewayError, TimeoutError):
        return False
    return True


async def idleness(tended: Tended, after: float, clock: Callable[[], float]) -> None:
    """Returns when nobody has needed the server for `after` seconds."""
    while True:
        left = tended.pulse.used + after - clock()
        if tended.busy or tended.needed:
            left = min(after, LOOK)
        elif left <= 0:
            return
        await asyncio.sleep(left)
