"""gateway/backends/weight.py: how much arguments hold."""

import json

import pytest

from gateway.backends.weight import weight


@pytest.mark.parametrize(
    "value",
    [
        {"a": "x" * 5000},
        {"a": ["x" * 100] * 50},
        {"a": [{"b": [None] * 900}] * 2},
        {"x" * 5000: 1},
        {str(number): number for number in range(1000)},
    ],
)
def test_it_is_about_the_length_of_the_json(value):
    assert 0.3 < weight(value, 1 << 30) / len(json.dumps(value)) < 1.6


def test_more_than_is_asked_for_is_not_counted():
    assert 1000 <= weight({"a": ["x" * 100] * 50}, 1000) < 1200
    assert weight({}, 1000) == 0
