import json

import msgspec
import pytest

from gateway.protocol import jsonrpc
from gateway.protocol.jsonrpc import Batch, Notification, Problem, Request, Response, decode


def call(**members: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping", **members}).encode()


def nested(depth: int) -> bytes:
    """A request whose params nest to `depth` levels, the message itself being the first."""
    inner = b"[" * (depth - 2) + b"]" * (depth - 2)
    return b'{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":%b}}' % inner


def test_a_request_is_read_with_its_params() -> None:
    assert decode(call(params={"a": [1, None]})) == Request(1, "ping", {"a": [1, None]})


def test_params_may_be_left_out() -> None:
    assert decode(call()) == Request(1, "ping", {})


def test_a_message_without_id_is_a_notification() -> None:
    assert decode(b'{"jsonrpc":"2.0","method":"n"}') == Notification("n", {})


def test_responses_are_told_from_requests() -> None:
    assert decode(b'{"jsonrpc":"2.0","id":7,"result":{}}') == Response(7, {}, msgspec.UNSET)
    error = {"code": -1, "message": "no"}
    body = json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()
    assert decode(body) == Response(None, msgspec.UNSET, error)


def test_a_batch_keeps_its_order_and_its_bad_items() -> None:
    found = decode(b'[{"jsonrpc":"2.0","id":1,"method":"a"},7,{"jsonrpc":"2.0","method":"b"}]')
    assert isinstance(found, Batch)
    assert [type(item) for item in found.items] == [Request, Problem, Notification]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"jsonrpc":"2.0","id":1,"method":"ping"',
        b'{"jsonrpc":"2.0","id":1,"method":"ping"} x',
        '{"jsonrpc":"2.0","id":1,"method":"ping"}'.encode("utf-16"),
        b"\xef\xbb\xbf" + call(),
        b'{"jsonrpc":"2.0","id":1,"method":"\xff"}',
        b'{"jsonrpc":"2.0","id":1,"method":"p","params":{"a":NaN}}',
        b'{"jsonrpc":"2.0","id":1,"method":"p","params":{"a":Infinity}}',
        b'{"jsonrpc":"2.0","id":1,"method":"p","params":{"a":-1e999}}',
        b'{"jsonrpc":"2.0","id":1,"method":"p","params":{"a":' + b"1" * 5000 + b"}}",
        b'{"jsonrpc":"2.0","id":1,"method":"p","params":{"a":"\\ud800"}}',
        b'{"jsonrpc":"2.0","id":1,"method":"p","params":{"a":"\\udc00\\ud800"}}',
        b'{"jsonrpc":"2.0","id":"\\ud800","method":"p"}',
        b"[" * 100_000,
    ],
    ids=repr,
)
def test_what_is_no_json_is_a_parse_error(body: bytes) -> None:
    """I13, I14, I15, T12."""
    found = decode(body)
    assert isinstance(found, Problem)
    assert (found.code, found.id) == (jsonrpc.PARSE_ERROR, None)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b'"x"',
        b"7",
        b"{}",
        b'{"jsonrpc":"1.0","id":1,"method":"p"}',
        b'{"jsonrpc":"2.0","id":1}',
        b'{"jsonrpc":"2.0","id":1,"result":1,"error":{}}',
        b'{"jsonrpc":"2.0","id":1,"method":"p","result":1}',
        b'{"jsonrpc":"2.0","id":1,"method":7}',
        b'{"jsonrpc":"2.0","id":1,"method":"p","method":"q"}',
        b'{"jsonrpc":"2.0","id":1,"method":"p","params":{"a":{"b":1,"b":2}}}',
        b'{"jsonrpc":"2.0","id":1,"method":"p","params":{"a":1,"\\u0061":2}}',
        b'{"jsonrpc":"2.0","id":1,"method":"p","Method":"q"}',
        b'{"jsonrpc":"2.0","id":1,"Method":"p"}',
        nested(65),
    ],
    ids=repr,
)
def test_json_that_is_no_single_message_is_an_invalid_request(body: bytes) -> None:
    """I13, I14: a second reading of the same bytes must not exist."""
    found = decode(body)
    assert isinstance(found, Problem)
    assert found.code == jsonrpc.INVALID_REQUEST


def test_nesting_is_fine_up_to_the_limit() -> None:
    assert isinstance(decode(nested(64)), Request)


def test_many_shallow_objects_are_not_deep() -> None:
    assert isinstance(decode(call(params={"a": [{} for _ in range(500)]})), Request)


@pytest.mark.parametrize("id", [{}, [], True, 1.5, 1.0, 2**63, -(2**63) - 1, 2**64, "x" * 257])
def test_an_id_is_a_sane_string_or_a_64_bit_integer(id: object) -> None:
    """I15."""
    found = decode(call(id=id))
    assert isinstance(found, Problem)
    assert (found.code, found.id) == (jsonrpc.INVALID_REQUEST, None)


@pytest.mark.parametrize("id", [0, -1, 2**63 - 1, -(2**63), "", "x" * 256, "🦆"])
def test_a_good_id_keeps_its_type(id: object) -> None:
    found = decode(call(id=id))
    assert isinstance(found, Request)
    assert found.id == id
    assert type(found.id) is type(id)


def test_null_is_no_id_of_a_request() -> None:
    assert isinstance(decode(call(id=None)), Problem)


@pytest.mark.parametrize("params", [[], [1], "x", 7, None])
def test_params_other_than_an_object_are_invalid_and_echo_the_id(params: object) -> None:
    """I18."""
    found = decode(call(params=params))
    assert found == Problem(jsonrpc.INVALID_PARAMS, "params must be an object", 1)


def test_prototype_names_are_plain_data() -> None:
    """I24."""
    params = {"_meta": {"__proto__": {"a": 1}, "constructor": 2}}
    assert decode(call(params=params)) == Request(1, "ping", params)


def test_unknown_members_are_left_alone() -> None:
    assert isinstance(decode(call(extra=1)), Request)


def test_a_result_carries_its_bytes_unread() -> None:
    assert jsonrpc.result("a", b'{ "x" : 1e5 }') == (
        b'{"jsonrpc":"2.0","id":"a","result":{ "x" : 1e5 }}'
    )


def test_an_error_without_id_says_null() -> None:
    body = json.loads(jsonrpc.error(None, -32700, "no", {"a": 1}))
    assert body["id"] is None
    assert body["error"] == {"code": -32700, "message": "no", "data": {"a": 1}}


def test_an_error_leaves_out_data_it_has_not() -> None:
    assert b"data" not in jsonrpc.error(1, -1, "no")


def test_requests_and_notifications_read_back() -> None:
    assert decode(jsonrpc.request(5, "m", b'{"a":1}')) == Request(5, "m", {"a": 1})
    assert decode(jsonrpc.notification("n", b'{"a":1}')) == Notification("n", {"a": 1})
    assert decode(jsonrpc.notification("n")) == Notification("n", {})


def test_one_line_touches_only_breaks_between_tokens() -> None:
    pretty = b'{\r\n  "a": "x\\ny"\n}'
    assert json.loads(jsonrpc.one_line(pretty)) == json.loads(pretty)
    assert b"\n" not in jsonrpc.one_line(pretty)
    plain = b'{"a":1}'
    assert jsonrpc.one_line(plain) is plain
