"""What a response comes to, of which no more than the head is read."""

import pytest

from gateway.domain.client import NOBODY
from gateway.errors import BadResponse, RemoteError
from gateway.protocol.answers import ErrorAnswered, read, relayed
from gateway.protocol.received import Inbound, decode


def answer(result: bytes) -> Inbound:
    [found] = decode(b'{"jsonrpc":"2.0","id":1,"result":%b}' % result)
    return found


def test_a_result_is_handed_on_byte_for_byte() -> None:
    raw = b'{ "z":1e2, "isError" : true,"nested":{"resultType":"evil"} }'
    result = relayed(answer(raw), NOBODY, modern=False)
    assert (result.raw, result.is_error, result.kind, result.modern) == (
        raw,
        True,
        "complete",
        False,
    )


def test_a_legacy_server_may_use_the_words_of_the_modern_era_for_anything() -> None:
    assert relayed(answer(b'{"resultType":7}'), NOBODY, modern=False).kind == "complete"


@pytest.mark.parametrize("value", [b"1", b'"true"', b"null", b"{}"])
def test_only_true_is_a_failure(value) -> None:
    assert not relayed(answer(b'{"isError":%b}' % value), NOBODY, modern=False).is_error


@pytest.mark.parametrize(
    ("error", "number", "said"),
    [
        ({"code": -1, "message": "no"}, -1, "no"),
        ({"code": "x", "message": 7}, -32603, ""),
        ({"code": True}, -32603, ""),
        ({}, -32603, ""),
    ],
)
def test_an_error_of_any_shape_is_one(error, number, said) -> None:
    with pytest.raises(RemoteError) as told:
        relayed(Inbound(1, error=error, status=200), NOBODY, modern=True)
    assert (told.value.number, told.value.said) == (number, said)


def test_an_error_knows_the_status_that_it_came_with() -> None:
    assert ErrorAnswered({}, 404).status == 404
    assert ErrorAnswered({}).status == 200


def test_a_response_without_anything_is_refused() -> None:
    with pytest.raises(BadResponse):
        read(Inbound(1))


def test_what_is_too_deep_to_read_is_refused_where_it_has_to_be_read() -> None:
    deep = answer(b'{"a":%b}' % (b"[" * 900 + b"]" * 900))
    assert relayed(deep, NOBODY, modern=True).kind == "complete"
