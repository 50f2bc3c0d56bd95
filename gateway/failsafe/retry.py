"""Whether to try again, and when: decided on plain values, carried out elsewhere. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

FIRST_WAIT = 0.25  # seconds
MOST_GROWTH = 64  # doublings and the like


@dataclass(frozen=True, slots=True)
class Again:
    """Wait so many seconds, then try again."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Give up. `after` is when the backend wants to be asked again, in seconds, if it said so."""

    after: float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """`most` retries after the first attempt; no wait longer than `max_wait` seconds.

    `first` seconds bound the jitter before the first of them; the bound grows by `factor` each
    time.
    """

    most: int
    max_wait: float
    first: float = FIRST_WAIT
    factor: float = 2.0

    def decide(
        self, attempt: int, asked: float | None, left: float, rng: Callable[[], float]
    ) -> Again | Stop:
        """After attempt number `attempt` (from 0) failed in a way that may pass.

        `asked` is the wait that the backend asked for, `left` the time the call still has, both in
        seconds; `rng` gives numbers in [0, 1). Without a wish the wait is full jitter.
        """
        if attempt >= self.most:
            return Stop(asked)
        bound = min(self.max_wait, self.first * self.factor ** min(attempt, MOST_GROWTH))
        wait = rng() * bound if asked is None else asked
        return Stop(asked) if wait > self.max_wait or wait >= left else Again(wait)
