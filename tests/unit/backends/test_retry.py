"""Whether to try again, and when."""

import math
from email.utils import formatdate

import pytest

from gateway.backends.retry import Again, Rule, Stop, asked_wait

RULE = Rule(most=2, max_wait=20)
NOW = 1_800_000_000.0


def decide(
    attempt: int = 0, asked: float | None = None, left: float = math.inf, roll: float = 0.5
) -> Again | Stop:
    return RULE.decide(attempt, asked, left, lambda: roll)


def test_without_a_wish_the_wait_is_jitter_that_grows() -> None:
    assert [decide(attempt) for attempt in range(2)] == [Again(0.125), Again(0.25)]
    assert decide(roll=0.0) == Again(0.0)


def test_the_jitter_never_exceeds_the_longest_wait() -> None:
    patient = Rule(most=10_000, max_wait=20)
    assert patient.decide(9_999, None, math.inf, lambda: 1.0) == Again(20)


def test_after_the_last_retry_it_stops_and_says_when_to_come_back() -> None:
    assert decide(2) == Stop(None)
    assert decide(2, asked=3) == Stop(3)


def test_the_apis_wish_is_granted_up_to_the_longest_wait() -> None:
    assert decide(asked=20) == Again(20)
    assert decide(asked=20.5) == Stop(20.5)
    assert decide(asked=0) == Again(0)


def test_a_wait_that_the_call_will_not_live_to_see_stops_now() -> None:
    assert decide(asked=5, left=5) == Stop(5)
    assert decide(asked=5, left=5.1) == Again(5)
    assert decide(left=0.1) == Stop(None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("47", 47),
        (" 3 ", 3),
        ("0", 0),
        ("-5", 0),
        ("999999999", 86_400),
        ("9" * 400, None),
        (formatdate(NOW + 30, usegmt=True), 30),
        (formatdate(NOW - 30, usegmt=True), 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("Sun, 06 Nov 1994 08:49:37 -0000", 0),
        ("soon", None),
        ("1e3", None),
        ("NaN", None),
        ("+7", None),
        ("٣", None),
        ("--3", None),
        ("", None),
    ],
)
def test_retry_after_is_clamped_to_a_day_or_ignored(text: str, seconds: float | None) -> None:
    """I63."""
    assert asked_wait({"retry-after": text}, NOW) == seconds


def test_rate_limit_reset_is_seconds_or_a_date() -> None:
    assert asked_wait({"ratelimit-reset": "12"}, NOW) == 12
    assert asked_wait({"ratelimit-reset": str(int(NOW) + 12)}, NOW) == 12
    assert asked_wait({"ratelimit-reset": str(int(NOW) - 12)}, NOW) == 0


def test_retry_after_goes_before_rate_limit_reset() -> None:
    assert asked_wait({"retry-after": "1", "ratelimit-reset": "2"}, NOW) == 1
    assert asked_wait({}, NOW) is None
