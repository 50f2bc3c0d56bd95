"""How much of a name is asked for, and how much of a request is answered, raise a score."""

import pytest

from gateway.domain.search.coverage import OF_NAME, OF_REQUEST, Asked, Coverage
from gateway.domain.search.store import Entry
from gateway.domain.tool import Tool, ToolRef

RARITY = {"merg": 3.0, "pull": 1.0}
TOOL = Tool(ToolRef("x", "merge_pull"), {})


def factor(asked: list[Asked], name: tuple[str, ...] = ("merg", "pull")) -> float:
    return Coverage(asked, RARITY.__getitem__).factor(7, Entry(TOOL, name, name))


def test_a_whole_name_and_a_whole_answer_gain_all() -> None:
    asked = [Asked(1.0, "merg", {7: 0.5}), Asked(1.0, "pull", {7: 0.5})]
    assert factor(asked) == pytest.approx((1 + OF_NAME) * (1 + OF_REQUEST))


def test_more_of_either_gains_more() -> None:
    one, both = [Asked(1.0, "merg", {})], [Asked(1.0, "merg", {}), Asked(1.0, "pull", {})]
    assert 1 < factor(one) < factor(both), "of the name"
    half = [Asked(1.0, "orchid", {7: 0.1}), Asked(1.0, "tulip", {})]
    assert 1 < factor(half) < factor(half[:1]), "of the request"


def test_nothing_of_either_gains_nothing() -> None:
    assert factor([Asked(1.0, "tulip", {8: 0.5})]) == 1.0
    assert factor([]) == 1.0
    assert factor([], name=()) == 1.0


def test_the_rare_word_of_a_name_counts_more() -> None:
    elsewhere: dict[int, float] = {}
    assert factor([Asked(1.0, "merg", elsewhere)]) == pytest.approx(1 + OF_NAME * 3 / 4)
    assert factor([Asked(1.0, "pull", elsewhere)]) == pytest.approx(1 + OF_NAME * 1 / 4)


def test_the_weighty_word_of_a_request_counts_more() -> None:
    asked = [Asked(3.0, "orchid", {7: 0.1}), Asked(1.0, "tulip", {})]
    assert factor(asked) == pytest.approx(1 + OF_REQUEST * 3 / 4)


def test_exact_forms_do_not_count_twice() -> None:
    asked = [Asked(1.0, "orchid", {7: 0.1}), Asked(5.0, "=orchids", {})]
    assert factor(asked) == pytest.approx(1 + OF_REQUEST)
