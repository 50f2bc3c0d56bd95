"""What goes along with a request to an MCP server beside its own params: the client's `_meta`, and
the modern envelope around it.

The rule: our own envelope is never the client's. Keys under `io.modelcontextprotocol/` are written
here or not at all; progress tokens are ours; trace context is what the call belongs to by now
(SEP-414); everything else passes.
Source: 2026-07-28, basic/index "Per-request protocol fields".
"""

from collections.abc import Mapping
from typing import Any

from gateway.domain import tracing
from gateway.domain.client import NOTHING, Client
from gateway.domain.tool import JsonObject
from gateway.domain.tracing import Trace
from gateway.errors import StateRejected
from gateway.protocol import mcp
from gateway.protocol.eras import Revision
from gateway.protocol.jsonrpc import encode
from gateway.protocol.wire import SERVER

META = "_meta"
TOKEN = "progressToken"  # noqa: S105  a name, and no secret
STATE = "requestState"
RESPONSES = "inputResponses"
TASK = "task"


def legacy_meta(theirs: JsonObject, id: int) -> bytes:
    """`"_meta":{…}` for a legacy server, or nothing where nothing is in it. `id` is the progress
    token, where the client wants to be told.
    """
    carried = _carried(theirs, id)
    return b'"_meta":' + encode(carried) if carried else b""


class Envelope:
    """The `_meta` of every request to one modern server."""

    __slots__ = ("_head",)

    def __init__(self, revision: Revision) -> None:
        own = encode({mcp.PROTOCOL_VERSION: revision.version, mcp.CLIENT_INFO: SERVER})
        self._head = b'"_meta":%b,"%b":' % (own[:-1], mcp.CLIENT_CAPABILITIES.encode())

    def meta(self, theirs: JsonObject, id: int, client: Client) -> bytes:
        """`"_meta":{…}`, with what `client` can do and wants to hear."""
        raw = self._head + encode(offered(client))
        if client.log_level is not None:
            raw += b',"%b":%b' % (mcp.LOG_LEVEL.encode(), encode(client.log_level))
        carried = _carried(theirs, id)
        return b"%b,%b" % (raw, encode(carried)[1:]) if carried else raw + b"}"


def _carried(theirs: Any, id: int) -> dict[str, Any] | None:
    """What of a client's `_meta` a server gets to see."""
    if not theirs or not isinstance(theirs, Mapping):
        return None
    carried = {key: value for key, value in theirs.items() if not key.startswith(mcp.OWN)}
    if TOKEN in carried:
        carried[TOKEN] = id
    return carried


def traced(theirs: Any, trace: Trace | None) -> JsonObject:
    """A client's `_meta`, with `trace` as its trace context, or with none."""
    meta: JsonObject = theirs if isinstance(theirs, Mapping) else NOTHING
    if trace is None and tracing.PARENT not in meta and tracing.STATE not in meta:
        return meta
    kept = {key: one for key, one in meta.items() if key not in (tracing.PARENT, tracing.STATE)}
    return kept if trace is None else {**kept, **dict(tracing.pairs(trace))}


def offered(client: Client) -> JsonObject:
    """The client's capabilities as a modern server may hear of them.

    A modern client's are verbatim; a legacy one can neither take a task for an answer nor did its
    words mean the same everywhere.
    """
    can = client.capabilities
    if not can:
        return {}
    if client.modern:
        return can
    kept = {key: value for key, value in can.items() if key != "tasks"}
    if "roots" in kept:
        kept["roots"] = {}
    extensions = kept.get("extensions")
    if isinstance(extensions, Mapping) and mcp.TASKS_EXTENSION in extensions:
        kept["extensions"] = {k: v for k, v in extensions.items() if k != mcp.TASKS_EXTENSION}
    return kept


def passing(params: JsonObject, *, modern_client: bool, modern_server: bool) -> dict[str, Any]:
    """Those of a request's own params, `_meta` apart, that mean the same to the server's era.

    Raises StateRejected for a `requestState` that no legacy server can have given.
    """
    passed = {key: value for key, value in params.items() if key != META}
    if not (modern_client and modern_server):
        state = passed.pop(STATE, None)
        passed.pop(RESPONSES, None)
        if modern_client and state is not None:
            raise StateRejected("the server never gave this requestState")
    if modern_client or modern_server:
        passed.pop(TASK, None)
    return passed
