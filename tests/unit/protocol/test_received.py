import json

import msgspec
import pytest

from gateway.errors import BadResponse
from gateway.protocol.jsonrpc import LARGE
from gateway.protocol.received import MOST_OBJECTS, decode

FAR = b" " * LARGE  # puts a message among the large ones


def raw(found: object) -> bytes:
    assert isinstance(found, msgspec.Raw)
    return bytes(found)


@pytest.mark.parametrize("far", [b"", FAR])
def test_a_result_travels_as_it_came(far: bytes) -> None:
    result = b'{ "a":1.50,\t"a": "\\u00fc", "b":1e999 }'
    (found,) = decode(far + b'{"jsonrpc":"2.0","id":7,"result": %b }' % result)
    assert (found.id, found.method, found.error, found.status) == (7, None, None, 200)
    assert raw(found.result) == result


@pytest.mark.parametrize("far", [b"", FAR])
def test_requests_notifications_and_errors_are_told_apart(far: bytes) -> None:
    (request,) = decode(far + b'{"id":"a","method":"ping","params":{}}')
    (notification,) = decode(far + b'{"method":"x","params":null}')
    (error,) = decode(far + b'{"id":null,"result_":1,"error":{"code":-1,"message":"m"}}')
    assert (request.id, request.method, raw(request.params)) == ("a", "ping", b"{}")
    assert (notification.id, notification.params) == (None, msgspec.UNSET)
    assert (error.id, error.error) == (None, {"code": -1, "message": "m"})


@pytest.mark.parametrize("far", [b"", FAR])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"id":1}',
        b'{"jsonrpc":"1.0","id":1,"result":{}}',
        b'{"id":1,"result":[]}',
        b'{"id":1,"result":null}',
        b'{"result":{}}',
        b'{"id":1.5,"result":{}}',
        b'{"id":true,"result":{}}',
        b'{"id":1,"error":"text"}',
        b'{"id":1,"error":[]}',
        b'{"id":1,"result":{},"error":{}}',
        b'{"id":1,"method":"x","result":{}}',
        b'{"method":"x","params":[]}',
        b'{"method":5}',
        b'{"id":1,"result":{}} x',
        b'{"id":1,"result":{}}\n{"id":2,"result":{}}',
        b'{"id":1,"result":{"a":"\xff"}}',
        b'{"id":1,"result":{"a":"\xed\xa0\x80"}}',
        b'{"id":1,"result":{"a":"\\ud800 alone"}}',
        b'{"id":1,"result":{"a":NaN}}',
        b'{"id":1,"result":{"a":"\x01"}}',
        b'{"id":1,"result":{"a":01}}',
        b'{"id":1,"result":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
        b'[{"id":1,"result":{}},{}]',
        b"[[]]",
        b"\xef\xbb\xbf{}",
        '{"id":1,"result":{}}'.encode("utf-16"),
    ],
)
def test_what_is_no_message_is_refused_without_showing_it(data: bytes, far: bytes) -> None:
    """I57."""
    with pytest.raises(BadResponse) as caught:
        decode(far + data)
    assert str(caught.value) == "the server sent what is no JSON-RPC message"


def test_no_peer_sets_the_status_of_its_answer() -> None:
    (found,) = decode(b'{"id":1,"status":404,"error":{"code":1,"message":"m"}}')
    assert found.status == 200
    with pytest.raises(BadResponse):
        decode(b'{"id":1,"":404,"error":{"code":1,"message":"m"}}')


def test_a_batch_gives_all_its_messages() -> None:
    found = decode(b' [{"id":1,"result":{}},\n{"method":"x"},{"id":"b","method":"y"}]')
    assert [(each.id, each.method) for each in found] == [(1, None), (None, "x"), ("b", "y")]


def test_a_batch_has_a_bound() -> None:
    one = b'{"method":"x"}'
    assert len(decode(b"[" + b",".join([one] * MOST_OBJECTS) + b"]")) == MOST_OBJECTS
    with pytest.raises(BadResponse):
        decode(b"[" + b",".join([one] * (MOST_OBJECTS + 1)) + b"]")


def test_an_error_has_a_bound_but_not_by_what_is_in_a_result() -> None:
    many = json.dumps([0] * 200_000).encode()
    with pytest.raises(BadResponse):
        decode(b'{"id":1,"error":{"code":1,"message":"m","data":%b}}' % many)
    (found,) = decode(b'{"id":1,"result":{"error":%b}}' % many)
    assert found.error is None
