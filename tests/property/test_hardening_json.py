"""Bodies made to be slow: reading JSON takes time by its length, whatever is in it (T12, I14)."""

import json
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.capability.answers import decode as answers
from gateway.protocol import jsonrpc
from gateway.protocol.jsonrpc import MOST_VALUES, Problem, Request

SCALARS = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def request(values: str, count: int) -> bytes:
    """A request whose params hold a list of `count` times `values`."""
    found = ",".join([values] * count)
    return b'{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":[%b]}}' % found.encode()


def padded(value: object) -> bytes:
    """Long enough to be looked at before it is read."""
    return json.dumps([value, "a" * jsonrpc.LARGE]).encode()


@given(VALUES)
def test_a_long_body_is_read_as_a_short_one(value: object) -> None:
    if b"Infinity" in (body := padded(value)):
        return
    assert jsonrpc.loads(body)[0] == json.loads(body)[0] == answers.loads(body)[0]


@given(st.lists(NUMBERS, min_size=1))
def test_every_double_survives_in_a_long_body(numbers: list[float]) -> None:
    assert jsonrpc.loads(padded(numbers))[0] == numbers
    assert answers.loads(padded(numbers))[0] == numbers


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1e400", "NaN", "Infinity"])
@pytest.mark.parametrize("read", [jsonrpc.loads, answers.loads])
def test_no_number_is_beyond_a_double_in_a_long_body(
    number: str, read: Callable[[bytes], object]
) -> None:
    """T12, I14: as in a short one."""
    with pytest.raises(ValueError, match=r"."):
        read(padded(1).replace(b"[1,", b"[%b," % number.encode()))


@pytest.mark.parametrize("value", ["0", "{}", "[]", '""', '"\\u0041"', "1.5"])
def test_a_body_holds_a_bounded_number_of_values(value: str) -> None:
    """I14: ten megabytes of `[]` would take seconds, in which nobody is served."""
    assert isinstance(jsonrpc.decode(request(value, MOST_VALUES // 2 - 10)), Request)
    found = jsonrpc.decode(request(value, MOST_VALUES * 2))
    assert isinstance(found, Problem)
    assert (found.code, found.message) == (jsonrpc.INVALID_REQUEST, "more than 100000 values")


@pytest.mark.parametrize("text", ["a,b[c]{d}", '\\"a,', "\\\\,[", ",\\\\\\\\", '\\\\\\",'])
def test_what_stands_in_texts_counts_for_nothing(text: str) -> None:
    whole = text * MOST_VALUES
    body = b'{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":"%b"}}' % whole.encode()
    assert isinstance(jsonrpc.decode(body), Request)


@pytest.mark.parametrize("number", ["1.5e300", "1e23", "5e-324", "1.7976931348623157e308"])
@pytest.mark.parametrize("read", [jsonrpc.loads, answers.loads])
def test_no_number_takes_long_to_read(number: str, read: Callable[[bytes], object]) -> None:
    """Half a megabyte took five seconds before; the bound is far above what it takes now."""
    body = b"[%b]" % b",".join([number.encode()] * 50_000)
    started = time.perf_counter()
    read(body)
    assert time.perf_counter() - started < 0.4
