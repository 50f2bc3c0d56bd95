import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol import mcp
from gateway.protocol.header_values import decode_value, encode_value, mirror_mismatch, mirrors
from gateway.protocol.inbound import Rejection, Route, climb, is_modern
from gateway.protocol.jsonrpc import Request

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
keys = st.sampled_from([mcp.PROTOCOL_VERSION, mcp.CLIENT_CAPABILITIES, mcp.LOG_LEVEL]) | st.text()
versions = st.sampled_from(["2026-07-28", "2025-11-25", "v999"]) | st.text()
metas = st.dictionaries(keys, values | versions, max_size=4) | values
headers = st.dictionaries(
    st.sampled_from([mcp.VERSION_HEADER, mcp.METHOD_HEADER, mcp.NAME_HEADER]),
    versions | st.sampled_from(["tools/list", "tools/call"]) | st.text(),
)
methods = st.sampled_from(["tools/list", "tools/call", "initialize"]) | st.text()


@given(methods, metas, values, st.none() | headers)
def test_the_ladder_answers_every_request(
    method: str, meta: Any, name: Any, sent: dict[str, str] | None
) -> None:
    request = Request(1, method, {"_meta": meta, "name": name})
    found = climb(request, sent)
    is_modern(request, sent or {})
    if isinstance(found, Route):
        assert meta[mcp.PROTOCOL_VERSION] == found.revision.version == "2026-07-28"
        assert sent is None or sent[mcp.METHOD_HEADER] == method
    else:
        assert isinstance(found, Rejection)
        assert found.status in (400, 404)
        json.dumps(found.data)


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_survives_a_header(value: str) -> None:
    sent = encode_value(value)
    assert sent.isascii()
    assert sent == sent.strip()
    assert decode_value(sent) == value


schemas = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["string", "integer", "object", "number"]),
            "x-mcp-header": st.sampled_from(["A", "B", ""]) | values,
        },
    ),
    lambda inner: st.fixed_dictionaries(
        {"type": st.just("object")},
        optional={
            "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
            "items": inner,
            "anyOf": st.lists(inner, max_size=2),
        },
    ),
    max_leaves=8,
)


@given(schemas, st.dictionaries(st.sampled_from("abc"), values))
def test_any_schema_is_either_refused_or_checkable(
    schema: dict[str, Any], arguments: dict[str, Any]
) -> None:
    try:
        asked = mirrors(schema)
    except ValueError:
        return
    mirror_mismatch(asked, arguments, {})
    assert len({mirror.header for mirror in asked}) == len(asked)
