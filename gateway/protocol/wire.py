"""Our values as MCP result bytes, per revision: the one bridge from domain to wire.

Results are JSON objects in bytes, ready for `jsonrpc.result`. Structured content is spliced in
unread.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from gateway.domain.tool import JsonObject, ToolResult
from gateway.protocol import mcp
from gateway.protocol.eras import SUPPORTED, Revision
from gateway.protocol.jsonrpc import Id, encode, encode_id, notification
from gateway.version import __version__

SERVER = {"name": "capgate", "title": "capgate", "version": __version__}

DISCOVERED_MS = 60_000  # a saved file or a server that comes up may change it

KEYS: Mapping[str, str] = MappingProxyType(
    {
        mcp.TOOLS_LIST: "tools",
        mcp.PROMPTS_LIST: "prompts",
        mcp.RESOURCES_LIST: "resources",
        mcp.TEMPLATES_LIST: "resourceTemplates",
    }
)  # method → the member of its result that holds the list

META = b'"_meta":%b' % encode({mcp.SERVER_INFO: SERVER})
COMPLETE = b'"resultType":"complete",' + META

SPACE = b" \t\r\n"


def call_result(result: ToolResult, revision: Revision) -> bytes:
    """A CallToolResult."""
    raw = b'{"content":' + encode(result.content)
    if result.structured is not None:
        raw += b',"structuredContent":' + _structured(result.structured, revision)
    if result.is_error:
        raw += b',"isError":true'
    if revision.modern:
        return b"%b,%b}" % (raw, COMPLETE if result.meta is None else _complete_with(result.meta))
    if result.meta is not None:
        raw += b',"_meta":' + encode(result.meta)
    return raw + b"}"


def input_required(questions: JsonObject, state: str | None = None) -> bytes:
    """What a modern client has to answer before its request can go on; `questions` are MCP
    requests by key.
    """
    raw = b'{"resultType":"input_required","inputRequests":' + encode(questions)
    if state is not None:
        raw += b',"requestState":' + encode(state)
    return b"%b,%b}" % (raw, META)


def _structured(structured: bytes, revision: Revision) -> bytes:
    """As it is where the revision takes any JSON; else an object, or what it is under the key
    `result`.
    """
    if revision.any_json or structured.startswith(b"{") or structured.lstrip(SPACE)[:1] == b"{":
        return structured
    return b'{"result":%b}' % structured


def _complete_with(meta: JsonObject) -> bytes:
    return b'"resultType":"complete","_meta":' + encode({**meta, mcp.SERVER_INFO: SERVER})


def definition(tool: JsonObject, revision: Revision) -> JsonObject:
    """A Tool as the revision may list it; the same object where nothing has to change."""
    dropped = set()
    if "execution" in tool and not revision.task_support:
        dropped.add("execution")
    output = tool.get("outputSchema")
    if output is not None and not revision.any_json and not _is_object_schema(output):
        dropped.add("outputSchema")
    return {key: value for key, value in tool.items() if key not in dropped} if dropped else tool


def _is_object_schema(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") == "object"


def list_result(
    key: str,
    items: Sequence[Any],
    revision: Revision,
    cursor: str | None = None,
    keep_ms: int = 0,
) -> bytes:
    """A page of a list: `{key: items, nextCursor?}` and, where the revision wants them, caching
    hints. `keep_ms` is 0 for what may change with the next saved file: only listeners are told.
    """
    raw = b"{%b:%b" % (encode(key), encode(items))
    if cursor is not None:
        raw += b',"nextCursor":' + encode(cursor)
    if revision.caching:
        raw += b',"ttlMs":%d,"cacheScope":"private",%b' % (keep_ms, COMPLETE)
    return raw + b"}"


def page(
    method: str,
    items: Sequence[JsonObject],
    revision: Revision,
    cursor: str | None,
    keep_ms: int = 0,
) -> bytes:
    """What `method` answers. Only tools have members that not every revision may list."""
    if method == mcp.TOOLS_LIST:
        items = [definition(item, revision) for item in items]
    return list_result(KEYS[method], items, revision, cursor, keep_ms)


def initialize_result(revision: Revision, instructions: str, capabilities: JsonObject) -> bytes:
    return encode(
        {
            "protocolVersion": revision.version,
            "capabilities": capabilities,
            "serverInfo": SERVER,
            "instructions": instructions,
        }
    )


def discover_result(instructions: str, capabilities: JsonObject) -> bytes:
    found = encode(
        {
            "supportedVersions": SUPPORTED,
            "capabilities": capabilities,
            "instructions": instructions,
            "ttlMs": DISCOVERED_MS,
            "cacheScope": "private",
        }
    )
    return b"%b,%b}" % (found[:-1], COMPLETE)


def subscription(id: Id) -> bytes:
    """The `_meta` that every message on a listen stream carries."""
    return b'"_meta":{"%b":%b}' % (mcp.SUBSCRIPTION_ID.encode(), encode_id(id))


def acknowledged(id: Id, honoured: JsonObject) -> bytes:
    params = b'{%b,"notifications":%b}' % (subscription(id), encode(honoured))
    return notification(mcp.ACKNOWLEDGED, params)


def told(method: str, params: JsonObject, id: Id | None = None) -> bytes:
    """A notification that belongs to no request; `id` is that of the listen request on whose stream
    it goes out, None for legacy streams.
    """
    if id is None:
        return notification(method, encode(params) if params else None)
    meta = {**_meta(params), mcp.SUBSCRIPTION_ID: id}
    return notification(method, encode({**params, "_meta": meta}))


def _meta(params: JsonObject) -> JsonObject:
    found = params.get("_meta")
    return found if isinstance(found, Mapping) else {}


def listen_cancelled(id: Id) -> bytes:
    params = b'{"requestId":%b,%b}' % (encode_id(id), subscription(id))
    return notification(mcp.CANCELLED, params)


def listen_result(id: Id) -> bytes:
    """The end of a listen stream, said politely."""
    meta = {mcp.SUBSCRIPTION_ID: id, mcp.SERVER_INFO: SERVER}
    return b'{"resultType":"complete","_meta":%b}' % encode(meta)
