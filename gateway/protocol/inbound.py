"""The ladder every incoming request climbs: which era it is of, and the first rung on which a
modern one fails.

Pure: a decoded request and its headers in, `Route | Rejection` out. Order of the rungs, codes and
statuses are those of the 2026-07-28 specification (basic/index "Per-request protocol fields",
streamable-http "Server Validation").
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from gateway.protocol import jsonrpc, mcp
from gateway.protocol.eras import SUPPORTED, Revision, modern
from gateway.protocol.header_values import Headers, decode_value

REQUIRED_META = (mcp.PROTOCOL_VERSION, mcp.CLIENT_CAPABILITIES)

REMOVED = frozenset(
    {
        mcp.INITIALIZE,
        mcp.PING,
        mcp.SET_LEVEL,
        mcp.SUBSCRIBE,
        mcp.UNSUBSCRIBE,
        mcp.TASKS_LIST,
        mcp.TASKS_RESULT,
    }
)  # of older revisions; what else is unknown may be of an extension
EXTENSION = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*(/[A-Za-z][A-Za-z0-9_.-]*)+")


class Route(msgspec.Struct, frozen=True, gc=False):
    """A modern request that may be carried out. `capabilities` is what its sender can do, as it
    says.
    """

    revision: Revision
    capabilities: Mapping[str, Any]


class Rejection(msgspec.Struct, frozen=True, gc=False):
    """The first rung that did not hold, as JSON-RPC error fields and the HTTP status they go
    with: `http` where the code does not say it.
    """

    code: int
    message: str
    data: Any = None
    http: int | None = None

    @property
    def status(self) -> int:
        return self.http or mcp.STATUS.get(self.code, 200)


def is_modern(message: jsonrpc.Message, headers: Headers) -> bool:
    """Whether the sender speaks the modern era: its envelope says so, or its version header does.

    A modern header without an envelope is a malformed modern request, not a legacy one; an
    `initialize` under a legacy version's header stays legacy.
    """
    params = getattr(message, "params", None)
    if params is not None:
        meta = params.get("_meta")
        if type(meta) is dict and mcp.PROTOCOL_VERSION in meta:
            return True
    return modern(headers.get(mcp.VERSION_HEADER)) is not None


def climb(request: jsonrpc.Request, headers: Headers | None) -> Route | Rejection:
    """Check a modern request. `headers` None means a transport without any (stdio): their rung is
    left out.
    """
    meta = request.params.get("_meta")
    if type(meta) is not dict:
        return _missing(REQUIRED_META)
    absent = [key for key in REQUIRED_META if key not in meta]
    if absent:
        return _missing(absent)
    if headers is not None and (mismatch := header_mismatch(request, meta, headers)):
        return Rejection(mcp.HEADER_MISMATCH, f"header mismatch: {mismatch}")
    version = meta[mcp.PROTOCOL_VERSION]
    if type(version) is not str:
        return Rejection(jsonrpc.INVALID_PARAMS, f"{mcp.PROTOCOL_VERSION} must be a string")
    revision = modern(version)
    if revision is None:
        return unsupported(version)
    if request.method in REMOVED or not well_named(request.method):
        return unknown_method(request.method)
    return _envelope(meta, revision)


def well_named(method: str) -> bool:
    """Whether it looks like a method: MCP's own do, and so must those of extensions (I17)."""
    return len(method) <= jsonrpc.LONGEST_METHOD and EXTENSION.fullmatch(method) is not None


def _envelope(meta: Mapping[str, Any], revision: Revision) -> Route | Rejection:
    capabilities = meta[mcp.CLIENT_CAPABILITIES]
    if type(capabilities) is not dict:
        return Rejection(jsonrpc.INVALID_PARAMS, f"{mcp.CLIENT_CAPABILITIES} must be an object")
    level = meta.get(mcp.LOG_LEVEL)
    if level is not None and (type(level) is not str or level not in mcp.LOG_LEVELS):
        return Rejection(jsonrpc.INVALID_PARAMS, f"{mcp.LOG_LEVEL} is no log level")
    return Route(revision, capabilities)


def _missing(keys: Iterable[str]) -> Rejection:
    names = ", ".join(keys)
    return Rejection(jsonrpc.INVALID_PARAMS, f"params._meta lacks the required {names}")


def unsupported(version: str) -> Rejection:
    """The version is not one we speak: say which are."""
    data = {"supported": list(SUPPORTED), "requested": version[: jsonrpc.LONGEST_ID]}
    return Rejection(mcp.UNSUPPORTED_VERSION, "unsupported protocol version", data)


def unknown_method(method: str) -> Rejection:
    shown = ascii(method[: jsonrpc.LONGEST_METHOD])
    return Rejection(jsonrpc.METHOD_NOT_FOUND, f"method not found: {shown}")


def header_mismatch(
    request: jsonrpc.Request, meta: Mapping[str, Any], headers: Headers
) -> str | None:
    """Which header is missing or says something else than the body; None when all agree."""
    if headers.get(mcp.VERSION_HEADER) != meta[mcp.PROTOCOL_VERSION]:
        return f"MCP-Protocol-Version and _meta {mcp.PROTOCOL_VERSION} must be equal"
    if headers.get(mcp.METHOD_HEADER) != request.method:
        return "Mcp-Method must equal the body's method"
    param = mcp.NAMED_BY.get(request.method)
    if param is None:
        return None
    expected = request.params.get(param)
    if expected is not None and decode_value(headers.get(mcp.NAME_HEADER)) != expected:
        return f"Mcp-Name must equal the body's params.{param}"
    return None
