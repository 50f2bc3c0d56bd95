"""gateway/capability/drift: shapes that changed, and values that may."""

import pytest

from gateway.capability.examples.drift import drifts


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"a": 1}, {"a": 2.5, "new": True}),
        ("x", "y"),
        ([], [{"a": 1}]),
        ([{"a": 1}], []),
        (None, {"a": 1}),
        ({"a": None}, {"a": "text"}),
        ([{"a": 1}, {"b": "x"}], [{"a": 5, "b": "y"}]),
        ([{"a": 1, "b": "x"}], [{"a": 5}, {"a": 6, "b": "y"}]),
        (True, False),
    ],
)
def test_values_may_change_and_members_may_come(wanted, found):
    assert list(drifts(wanted, found)) == []


@pytest.mark.parametrize(
    ("wanted", "found", "drift"),
    [
        ({"a": 1}, {}, (("a",), "is gone; it was a number")),
        ({"a": {"b": "x"}}, {"a": {"b": 1}}, (("a", "b"), "was text, is a number")),
        ({"a": True}, {"a": 1}, (("a",), "was true or false, is a number")),
        ([{"a": 1}], [{"b": 1}], ((0, "a"), "is gone; it was a number")),
        ([1], {"items": [1]}, ((), "was a list, is an object")),
        ("x", ["x"], ((), "was text, is a list")),
    ],
)
def test_another_shape_is_told_at_its_place(wanted, found, drift):
    assert list(drifts(wanted, found)) == [drift]


def test_each_element_is_compared_with_the_live_one_most_like_it():
    wanted = [{"kind": "a", "size": 1}, {"kind": "b", "name": "x"}]
    found = [{"kind": "b", "name": "y"}, {"kind": "a", "size": "big"}]
    [(path, message)] = drifts(wanted, found)
    assert path == (0, "size")
    assert message in {"was a number, is text", "is gone; it was a number"}


def test_what_has_drifted_in_many_elements_is_said_of_the_first():
    wanted = [{"id": number, "name": "x"} for number in range(50)]
    found = [{"id": str(number), "name": "y"} for number in range(50)]
    assert list(drifts(wanted, found)) == [((0, "id"), "was a number, is text")]
