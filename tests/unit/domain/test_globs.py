"""Globs: what they fit, and that nobody makes them slow (I34)."""

import random
import time
from fnmatch import fnmatchcase

import pytest

from gateway.domain.globs import LONGEST, LONGEST_COMPOSED, Globs, any_of, glob, normal

COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"


@pytest.mark.parametrize(
    ("pattern", "fits", "not_"),
    [
        ("*", ("", "a", "a\nb"), ()),
        ("a*", ("a", "ab"), ("ba", "A")),
        ("*a", ("a", "ba"), ("ab",)),
        ("?", ("a", "*"), ("", "ab")),
        ("[", ("[",), ("", "a")),
        ("a[", ("a[",), ("a",)),
        ("[ab]", ("a", "b"), ("c", "[ab]")),
        ("[!ab]", ("c",), ("a", "cc")),
        ("[]]", ("]",), ("[",)),
        ("[a-c]x", ("bx",), ("dx", "-x")),
        ("get_*_a?", ("get__ab", "get_x_y_ab"), ("get_ab", "get_x_b")),
        (COMPOSED, (COMPOSED, DECOMPOSED), ("cafe",)),
        (DECOMPOSED, (COMPOSED, DECOMPOSED), ("cafe",)),
        ("caf?", (COMPOSED, DECOMPOSED), ("caf",)),
    ],
)
def test_a_glob_fits_what_it_says(
    pattern: str, fits: tuple[str, ...], not_: tuple[str, ...]
) -> None:
    """I34."""
    assert [text for text in fits if not any_of([pattern])(text)] == []
    assert [text for text in not_ if any_of([pattern])(text)] == []


def test_no_globs_fit_nothing() -> None:
    """I34."""
    assert not any_of([])("")
    assert not any_of([])("anything")


def test_one_and_many_agree_with_fnmatch_over_strange_globs() -> None:
    random_ = random.Random(34)
    for _ in range(5_000):
        patterns = ["".join(random_.choices("ab-]![*?c", k=random_.randint(0, 7))) for _ in "12345"]
        text = "".join(random_.choices("ab-]![c", k=random_.randint(0, 6)))
        expected = [fnmatchcase(text, pattern) for pattern in patterns]
        assert [glob(pattern).matches(text) for pattern in patterns] == expected
        bits = Globs((pattern, 1 << index) for index, pattern in enumerate(patterns)).fitting(text)
        assert [bool(bits & 1 << index) for index in range(5)] == expected


@pytest.mark.parametrize(
    "pattern",
    ["*a" * 200 + "b", "*?" * 200 + "b", "*[a]*[!b]?" * 100 + "b", "[" * 5_000, "*" * 5_000 + "b"],
)
def test_no_glob_takes_time_by_the_power_of_its_stars(pattern: str) -> None:
    fits = any_of([pattern])
    started = time.thread_time()
    assert not fits("a" * LONGEST)
    assert time.thread_time() - started < 1.0


def test_what_is_too_long_for_a_name_is_none() -> None:
    assert normal("a" * LONGEST) is not None
    assert normal("a" * (LONGEST + 1)) is None
    assert not any_of(["*"])("a" * (LONGEST + 1))
    started = time.thread_time()
    assert normal("e" + "\u0301\u0316" * LONGEST) is None
    assert normal("e" + "\u0301\u0316" * (LONGEST_COMPOSED // 2 - 1)) is not None
    assert time.thread_time() - started < 0.2
