import contextlib
import json
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.errors import BadResponse
from gateway.protocol.jsonrpc import LARGE
from gateway.protocol.received import decode

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12
)
objects = st.dictionaries(st.text(), values, max_size=4)
ids = st.integers() | st.text()
spaces = st.sampled_from([b"", b" ", b"\r\n\t", b" " * LARGE])


def encoded(value: Any, *, ascii_only: bool) -> bytes:
    found = json.dumps(value, ensure_ascii=ascii_only, allow_nan=False)
    return found.encode()


@given(id=ids, result=objects, space=spaces, ascii_only=st.booleans())
def test_every_response_is_read_and_its_result_left_alone(
    *, id: int | str, result: dict[str, Any], space: bytes, ascii_only: bool
) -> None:
    body = encoded(result, ascii_only=ascii_only)
    envelope = b'{"jsonrpc":"2.0","id":%b,"result":%b}'
    (found,) = decode(space + envelope % (encoded(id, ascii_only=ascii_only), body) + space)
    assert found.id == id
    assert isinstance(found.result, msgspec.Raw)
    assert bytes(found.result) == body


@given(st.binary(max_size=60), spaces)
@example(b'"\xff"', b"")
@example(b'{"a":"\xc0\x80"}', b"")
@example(b'{"a":"\xff"}', b" " * LARGE)
def test_a_result_is_always_one_json_object_in_utf8(body: bytes, space: bytes) -> None:
    """What is spliced into our answers must not be able to change their meaning."""
    try:
        (found,) = decode(space + b'{"id":1,"result":%b}' % body)
    except BadResponse:
        return
    if isinstance(found.result, msgspec.Raw):
        assert isinstance(json.loads(bytes(found.result).decode()), dict)


@given(st.binary(max_size=300))
def test_bytes_are_messages_or_refused(data: bytes) -> None:
    with contextlib.suppress(BadResponse):
        decode(data)


@given(
    st.dictionaries(
        st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error", "status", ""]),
        st.sampled_from(["2.0", 1, None, {}, [], "a", 404, {"code": 1, "message": "m"}]),
    )
)
def test_the_same_is_read_of_small_and_large_messages(fields: dict[str, Any]) -> None:
    data = json.dumps(fields).encode()

    def read(data: bytes) -> list[tuple[Any, ...]] | None:
        try:
            found = decode(data)
        except BadResponse:
            return None
        return [(each.id, each.method, each.error, each.status) for each in found]

    if "" not in fields:
        assert read(data) == read(data + b" " * LARGE)
