"""How long an answer asks to be left alone: seconds out of its headers. Pure."""

import math
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

LONGEST_ASKED = 86_400.0  # nobody means to be asked again in eleven days
EPOCH = 1_000_000_000  # RateLimit-Reset from here on is a date, not a number of seconds
DIGITS = 18


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
