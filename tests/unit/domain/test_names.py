import pytest

from gateway.domain.names import LONGEST, did_you_mean, nearest

KNOWN = ["city", "cities", "country", "postal_code", "Limit"]


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ("citi", ["cities", "city"]),
        ("contry", ["country", "city"]),
        ("code", ["postal_code"]),
        ("LIMT", ["Limit"]),
        ("zzz", []),
        ("co", []),
        ("", []),
    ],
)
def test_the_nearest_names_come_first(wrong: str, found: list[str]) -> None:
    assert nearest(wrong, KNOWN) == found


def test_there_are_never_more_than_asked_for() -> None:
    many = [f"city{index}" for index in range(50)]
    assert len(nearest("city", many)) == 3
    assert len(nearest("city", many, 1)) == 1


def test_an_endless_name_costs_nothing() -> None:
    """I26: what is that long was not misspelled."""
    assert nearest("c" * (LONGEST + 1), KNOWN) == []


def test_the_hint_is_a_question_or_nothing() -> None:
    assert did_you_mean("citi", KNOWN) == "did you mean 'cities' or 'city'?"
    assert did_you_mean("zzz", KNOWN) is None
