import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.jsonrpc import (
    Batch,
    Notification,
    Problem,
    Request,
    decode,
    encode_id,
    result,
)

scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text()
values = st.recursive(
    scalars | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
objects = st.dictionaries(st.text(), values, max_size=5)
ids = st.integers(-(2**63), 2**63 - 1) | st.text(max_size=256)
layouts = st.sampled_from(
    [
        {"separators": (",", ":"), "ensure_ascii": False},
        {"separators": (",", ":")},
        {"indent": 2},
        {"sort_keys": True},
    ]
)


@given(ids, st.text(max_size=40), objects, layouts)
def test_a_request_reads_back_however_it_is_laid_out(
    id: Any, method: str, params: dict[str, Any], layout: dict[str, Any]
) -> None:
    sent = {"jsonrpc": "2.0", "id": id, "method": method, "params": params}
    found = decode(json.dumps(sent, **layout).encode())
    assert found == Request(id, method, params)


@given(ids, values)
def test_a_result_reads_back_whatever_its_id(id: Any, value: Any) -> None:
    body = json.loads(result(id, json.dumps(value).encode()))
    assert body == {"jsonrpc": "2.0", "id": id, "result": value}
    assert json.loads(encode_id(id)) == id


@given(st.binary(max_size=200))
def test_no_bytes_make_decode_raise(body: bytes) -> None:
    decode(body)


@given(values)
def test_no_json_value_makes_decode_raise(value: Any) -> None:
    found = decode(json.dumps(value).encode())
    assert isinstance(found, Problem | Request | Notification | Batch)


@given(objects.filter(bool), st.data(), layouts)
def test_a_key_that_occurs_twice_is_always_found(
    params: dict[str, Any], data: st.DataObject, layout: dict[str, Any]
) -> None:
    """I14, T12: at any place, spelled the same or with escapes."""
    key = data.draw(st.sampled_from(sorted(params)))
    twin = "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in key)
    spelled = data.draw(st.sampled_from([json.dumps(key), f'"{twin}"']))
    copy = f"{spelled}:{json.dumps(data.draw(scalars))}"
    params_text = json.dumps(params, **layout)
    body = f'{{"jsonrpc":"2.0","id":1,"method":"m","params":{{{copy},{params_text[1:]}}}'
    assert isinstance(decode(body.encode(errors="surrogatepass")), Problem)
