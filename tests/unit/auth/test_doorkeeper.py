import math
import random
import statistics
import time
from dataclasses import replace

import pytest

from gateway.auth.access import OPEN, NotLetIn, Why
from gateway.auth.doorkeeper import Doorkeeper
from gateway.auth.keys import Keys, digest
from gateway.domain.identity import Grant, Identity

KEY = "kF3-2mZ~9._+/bQxV7nW1pLs8dHcJ4tR0aYgUeOiKqM="
ANN = Identity("ann", grant=Grant(agents=("r*",)))


def door() -> Doorkeeper:
    return Doorkeeper(Keys([(digest(KEY), ANN)]), None, frozenset({"/health"}))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
@pytest.mark.parametrize("spaces", [" ", "   "])
async def test_a_key_follows_the_scheme_in_any_case_and_one_space_or_more(
    scheme: str, spaces: str
) -> None:
    """RFC 9110 section 11.1, RFC 6750 section 2.1."""
    assert await door().identify(f"{scheme}{spaces}{KEY}") == ANN


@pytest.mark.parametrize(
    ("shown", "why"),
    [
        (None, Why.NOTHING),
        ("", Why.INVALID),
        ("Bearer", Why.INVALID),
        ("Bearer ", Why.INVALID),
        (f"Bearer\t{KEY}", Why.INVALID),
        (f"Bearer {KEY}, Bearer {KEY}", Why.INVALID),  # two headers
        (f"Bearer {KEY} ", Why.INVALID),
        (f" Bearer {KEY}", Why.INVALID),
        (f"Bearer{KEY}", Why.INVALID),
        (f"Basic {KEY}", Why.INVALID),
        (KEY, Why.INVALID),
        ("Bearer " + KEY * 100_000, Why.INVALID),
        ("Bearer ключ", Why.INVALID),
        ("Bearer \ud800", Why.INVALID),
        (f"Bearer {KEY[:-1]}", Why.INVALID),
        ("Bearer a.b.c", Why.INVALID),
    ],
)
async def test_everything_else_is_refused_in_the_same_words(shown: str | None, why: Why) -> None:
    """I28."""
    with pytest.raises(NotLetIn) as caught:
        await door().identify(shown)
    assert caught.value.why is why
    assert str(caught.value) == str(NotLetIn(Why.NOTHING))


def test_who_was_let_in_is_while_the_key_says_the_same() -> None:
    before = door()
    for now in (before, door()):
        assert now.holds(ANN, before)
        assert now.holds(replace(ANN, agent="researcher"), before)
        assert not now.holds(Identity("bob"), before)
        assert not now.holds(replace(ANN, grant=Grant(denied_tools=("x",))), before)


def test_a_key_that_was_exchanged_for_another_is_taken_away_though_its_name_stays() -> None:
    """I36. It was lost, most likely."""
    other = Doorkeeper(Keys([(digest(KEY[::-1]), ANN)]), None, frozenset())
    assert not other.holds(ANN, door())
    assert other.holds(ANN, other)
    assert not other.holds(ANN, OPEN)


async def test_the_time_of_a_refusal_says_nothing_of_how_much_was_right() -> None:
    """I29: Welch's t-test over 10,000 tries of each kind, in turn; the slowest tenth is the
    machine's.
    """
    one_bit = KEY[:-2] + chr(ord(KEY[-2]) ^ 1) + KEY[-1]
    kinds = {"far": "x" * len(KEY), "near": one_bit}
    doorkeeper, dice = door(), random.Random(7)
    smallest = 0.0
    for _ in range(3):  # noise can fail one round; a leak fails them all
        taken: dict[str, list[int]] = {name: [] for name in kinds}
        for _ in range(10_000):
            for name in dice.sample(sorted(kinds), 2):
                taken[name].append(await timed(doorkeeper, f"Bearer {kinds[name]}"))
        smallest = max(smallest, welch(*(trimmed(taken[name]) for name in kinds)))
        if smallest > 0.01:
            break
    assert smallest > 0.01


async def test_all_refusals_take_about_as_long() -> None:
    """I28: within 2 ms; they are some microseconds apart."""
    doorkeeper = door()
    medians = []
    for shown in (None, "Bearer", f"Bearer\t{KEY}", "Bearer " + "x" * 1_000_000, "Bearer é"):
        tries = [await timed(doorkeeper, shown) for _ in range(301)]
        medians.append(statistics.median(tries) / 1e6)
    assert max(medians) - min(medians) < 2


async def timed(doorkeeper: Doorkeeper, shown: str | None) -> int:
    began = time.perf_counter_ns()
    try:
        await doorkeeper.identify(shown)
    except NotLetIn:
        return time.perf_counter_ns() - began
    raise AssertionError(shown)


def trimmed(taken: list[int]) -> list[int]:
    return sorted(taken)[: len(taken) * 9 // 10]


def welch(one: list[int], other: list[int]) -> float:
    """The two-sided p of equal means; of so many, t is as good as normal."""
    spread = statistics.variance(one) / len(one) + statistics.variance(other) / len(other)
    t = (statistics.fmean(one) - statistics.fmean(other)) / math.sqrt(spread)
    return math.erfc(abs(t) / math.sqrt(2))
