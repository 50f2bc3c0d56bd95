"""How often something may happen, and each caller and tool by itself."""

import pytest

from gateway.domain.events import Event, Limited
from gateway.domain.identity import OPERATOR, Grant, Identity
from gateway.errors import RateLimited
from gateway.failsafe import throttle
from gateway.failsafe.bucket import Bucket
from gateway.failsafe.rates import Rates
from gateway.failsafe.settings import Rate
from gateway.failsafe.throttle import Throttle


class Time:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_at_once_and_the_next_waits_for_its_share() -> None:
    bucket = Bucket(10, 3)
    assert [bucket.take(5.0) for _ in range(3)] == [0, 0, 0]
    assert bucket.take(5.0) == pytest.approx(0.1)
    assert bucket.take(5.1) == 0


def test_what_was_taken_stays_taken_when_the_rate_is_another() -> None:
    bucket = Bucket(1, 10)
    assert [bucket.take(5.0) for _ in range(10)] == [0] * 10
    bucket.resize(2, 10)
    assert bucket.take(5.0) > 0


def test_a_tool_has_a_rate_of_its_own_within_that_of_the_backend() -> None:
    rates = Rates(Rate(100, 10, {"export_*": 1}))
    assert rates.take("export_all", 5.0) == (0.0, None)
    wait, slow = rates.take("export_all", 5.0)
    assert (round(wait, 3), slow) == (1.0, "export_all")
    assert rates.take("export_some", 5.0) == (0.0, None), "each that the glob matches has its own"
    assert [rates.take("get", 5.0)[0] for _ in range(8)] == [0.0] * 8
    wait, slow = rates.take("get", 5.0)
    assert wait > 0
    assert slow is None, "the backend's"


def test_an_edit_of_one_rate_forgets_no_other() -> None:
    rates = Rates(Rate(100, 10, {"export": 1}))
    rates.take("export", 5.0)
    rates.resize(Rate(100, 10, {"export": 1, "get": 5}))
    assert rates.take("export", 5.0)[1] == "export"
    rates.resize(Rate(100, 10))
    assert rates.take("export", 5.0) == (0.0, None)


def test_a_hundred_callers_do_not_feel_each_other() -> None:  # I35
    time, told = Time(), list[Event]()
    limit = Throttle(told.append, time)
    callers = [Identity(f"k{number}", grant=Grant(rate_limit=60)) for number in range(100)]
    for _ in range(60):
        for each in callers:
            limit(each)
    for each in callers:
        with pytest.raises(RateLimited) as caught:
            limit(each)
        assert caught.value.after == pytest.approx(1.0)
        assert str(caught.value.hint) == "try again in 1.0 s"
    assert told == [Limited("key", each.name) for each in callers]
    time.now += 1.0
    for each in callers:
        limit(each)


def test_the_least_of_a_keys_own_limit_and_its_policies_counts() -> None:
    limit = Throttle(lambda _: None, Time())
    who = Identity("ci", grant=Grant(rate_limit=10))
    for _ in range(2):
        limit(who, 2)
    with pytest.raises(RateLimited):
        limit(who, 2)
    free = Identity("dev")
    for _ in range(1_000):
        limit(free)
        limit(OPERATOR, 1)


def test_callers_that_come_and_go_take_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MOST_KEPT", 10)
    time = Time()
    limit = Throttle(lambda _: None, time)
    busy = Identity("busy", grant=Grant(rate_limit=1))
    limit(busy)
    for number in range(1_000):
        time.now += 0.01
        limit(Identity(f"k{number}", grant=Grant(rate_limit=6_000)))
    assert repr(limit) in {f"<Throttle of {number} callers>" for number in range(11)}
    with pytest.raises(RateLimited):
        limit(busy)
