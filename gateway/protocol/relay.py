"""Results of MCP servers, in the words of the client's revision. Bytes are spliced, not parsed,
wherever nothing inside them has to change.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from gateway.domain.call import Outcome, Relayed
from gateway.domain.tool import JsonObject, ToolResult
from gateway.errors import BadResponse
from gateway.protocol import wire
from gateway.protocol.eras import Revision
from gateway.protocol.jsonrpc import encode

MODERN_ONLY = ("resultType", "ttlMs", "cacheScope")
STRUCTURED = "structuredContent"

KIND = "resultType"
COMPLETE_KIND = msgspec.Raw(b'"complete"')
COMPLETE = b'{"resultType":"complete"'

NOT_KEPT: JsonObject = {"ttlMs": 0, "cacheScope": "private"}

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_values = msgspec.json.Decoder(dict[str, Any]).decode


def call_result(result: Outcome, revision: Revision) -> bytes:
    """A CallToolResult for a client of `revision`, or what a server answered in its place."""
    if isinstance(result, Relayed):
        return relayed(result, revision)
    if revision.unreadable:
        result = _readable(result, revision.unreadable)
    return wire.call_result(result, revision)


def relayed(result: Relayed, revision: Revision) -> bytes:
    """The result object for a client of `revision`. Raises BadResponse for what would have to be
    changed and cannot be read.
    """
    raw = result.raw
    if revision.modern:
        return raw if result.modern else _completed(raw)
    if result.modern:
        raw = _stripped(raw)
    if revision.unreadable and any(b'"%b"' % kind.encode() in raw for kind in revision.unreadable):
        return encode(_in_text(_read(raw, _values), revision.unreadable))
    return raw


def cacheable(raw: bytes) -> bytes:
    """The result of a legacy server for a client that wants to know for how long to keep it: not
    at all. Raises BadResponse.
    """
    if b'"ttlMs"' in raw or b'"cacheScope"' in raw:  # it may well say so itself
        return encode({**NOT_KEPT, **_read(raw, _members)})
    return b'{"ttlMs":0,"cacheScope":"private",%b' % raw[raw.index(b"{") + 1 :].lstrip()


def _read(raw: bytes, decode: Callable[[bytes], dict[str, Any]]) -> dict[str, Any]:
    try:
        return decode(raw)
    except (ValueError, RecursionError):
        raise BadResponse("the server's result is unreadable") from None


def _completed(raw: bytes) -> bytes:
    """With what a modern client expects. A quoted name can only be a whole string in JSON, so where
    it does not occur there is no such member. Its server knows of one type of result only, so it
    can ask a modern client for nothing by naming another.
    """
    if b'"resultType"' in raw and KIND in (members := _read(raw, _members)):
        if members.pop(KIND) == COMPLETE_KIND:
            return raw
        raw = encode(members)
    rest = raw[raw.index(b"{") + 1 :].lstrip()
    head = COMPLETE if b'"_meta"' in raw else b"%b,%b" % (COMPLETE, wire.META)
    return b"%b%b%b" % (head, b"" if rest[:1] == b"}" else b",", rest)


def _stripped(raw: bytes) -> bytes:
    """Without what a legacy client does not expect; its structured content is an object."""
    found = {key: value for key, value in _read(raw, _members).items() if key not in MODERN_ONLY}
    structured = found.get(STRUCTURED)
    if structured is not None and not bytes(structured).startswith(b"{"):
        found[STRUCTURED] = msgspec.Raw(b'{"result":%b}' % bytes(structured))
    return encode(found)


def _readable(result: ToolResult, unreadable: frozenset[str]) -> ToolResult:
    if not any(block.get("type") in unreadable for block in result.content):
        return result
    return replace(result, content=tuple(_block(one, unreadable) for one in result.content))


def _in_text(found: dict[str, Any], unreadable: frozenset[str]) -> JsonObject:
    """A CallToolResult, or a GetPromptResult, whose messages hold one block each."""
    messages = found.get("messages")
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, dict):
            message["content"] = _block(message.get("content"), unreadable)
    if isinstance(found.get("content"), list):
        found["content"] = [_block(block, unreadable) for block in found["content"]]
    return found


def _block(block: Any, unreadable: frozenset[str]) -> Any:
    """The block, or a text that says what stands in its place."""
    if not isinstance(block, Mapping) or block.get("type") not in unreadable:
        return block
    return {"type": "text", "text": _link(block) if "uri" in block else _unheard(block)}


def _link(block: JsonObject) -> str:
    name = block.get("title") or block.get("name") or "resource"
    about = f": {block['description']}" if block.get("description") else ""
    return f"{name} <{block['uri']}>{about}"


def _unheard(block: JsonObject) -> str:
    kind = block.get("mimeType") or block.get("type")
    return f"[{kind} was left out: the client's protocol version cannot carry it]"
