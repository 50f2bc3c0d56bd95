"""Whether to try again, and when: decided on plain values, carried out elsewhere. Pure."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

FIRST_WAIT = 0.25  # seconds; the bound of the jitter before the first retry, doubled each time
LONGEST_ASKED = 86_400.0  # nobody means to be asked again in eleven days
EPOCH = 1_000_000_000  # RateLimit-Reset from here on is a date, not a number of seconds
DIGITS = 18


@dataclass(frozen=True, slots=True)
class Again:
    """Wait so many seconds, then try again."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Give up. `after` is when the API wants to be asked again, in seconds, if it said so."""

    after: float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """`most` retries after the first attempt; no wait longer than `max_wait` seconds."""

    most: int
    max_wait: float

    def decide(
        self, attempt: int, asked: float | None, left: float, rng: Callable[[], float]
    ) -> Again | Stop:
        """After attempt number `attempt` (from 0) failed in a way that may pass.

        `asked` is the wait the API asked for, `left` the time the call still has, both in seconds;
        `rng` gives numbers in [0, 1). Without a wish of the API's the wait is full jitter.
        """
        if attempt >= self.most:
            return Stop(asked)
        bound = min(self.max_wait, FIRST_WAIT * 2 ** min(attempt, 16))
        wait = rng() * bound if asked is None else asked
        return Stop(asked) if wait > self.max_wait or wait >= left else Again(wait)


def asked_wait(headers: Mapping[str, str], now: float) -> float | None:
    """The seconds an answer asks us to wait: Retry-After, else RateLimit-Reset, within a day (I63).

    `now` is the wall clock, for dates. None when it says nothing that can be understood.
    """
    after = headers.get("retry-after")
    if after is not None:
        wait = _seconds(after)
        return _within_a_day(_until_date(after, now) if wait is None else wait)
    reset = headers.get("ratelimit-reset")
    if reset is None:
        return None
    wait = _seconds(reset)
    return _within_a_day(wait - now if wait is not None and wait >= EPOCH else wait)


def _seconds(text: str) -> float | None:
    text = text.strip()
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > DIGITS:
        return None
    return float(text)


def _until_date(text: str, now: float) -> float | None:
    try:
        when = parsedate_to_datetime(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - now
    except (ValueError, OverflowError, TypeError):
        return None


def _within_a_day(seconds: float | None) -> float | None:
    if seconds is None or math.isnan(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST_ASKED)
