"""Whether to try again, and when."""

import math

from gateway.failsafe.retry import Again, Rule, Stop

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
