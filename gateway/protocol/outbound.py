"""Requests of ours to MCP servers, as bytes of either era.

Pure. A `Draft` is a request that has neither id nor envelope yet: it can be sent again, and each
time is another request to the server.
"""

from collections.abc import Mapping
from itertools import count
from typing import Any

import msgspec

from gateway.domain.client import NO_CONTEXT, NOBODY, Client, Context
from gateway.domain.identity import ANONYMOUS, LOCAL, OPERATOR, Identity
from gateway.domain.tool import JsonObject
from gateway.domain.tracing import Trace, pairs
from gateway.protocol import mcp
from gateway.protocol.envelope import META, TASK, Envelope, legacy_meta, passing, traced
from gateway.protocol.eras import Revision
from gateway.protocol.header_values import Mirror, encode_value, mirrored, valid_mirrors
from gateway.protocol.jsonrpc import encode

Headers = tuple[tuple[str, str], ...]

next_id = count(1).__next__  # unique in this process: no server ever hears one of them twice
MOST_TOOLS = 20_000  # of which the fixed part is kept
NOTHING: JsonObject = {}


class Draft(msgspec.Struct, frozen=True, gc=False):
    """`members` are its params but `_meta`, as the inside of a JSON object; `meta` is the client's.

    `headers` are those of this request alone, for HTTP. `repeatable`: the server says that
    carrying it out twice does no harm. `lasting`: its progress may be told of after its answer.
    `caller` is whose it is; empty for callers that nobody tells apart.
    """

    method: str
    members: bytes = b""
    meta: JsonObject = NOTHING
    headers: Headers = ()
    repeatable: bool = False
    lasting: bool = False
    caller: str = ""

    def by(self, caller: Identity) -> "Draft":
        """The same as the caller's own."""
        if caller.name in NOBODY_ELSE:
            return self
        return msgspec.structs.replace(self, caller=caller.name)

    def adding(self, members: JsonObject) -> "Draft":
        """The same with more params."""
        inside = joined(self.members, encode(members)[1:-1])
        return msgspec.structs.replace(self, members=inside)


def joined(first: bytes, second: bytes) -> bytes:
    return b"%b,%b" % (first, second) if first and second else first or second


class Dialect:
    """How requests are written for one server. `named`: with modern HTTP's headers."""

    __slots__ = ("_envelope", "_tools", "_version", "named", "revision")

    def __init__(self, revision: Revision, *, named: bool) -> None:
        self.revision = revision
        self.named = named and revision.modern
        self._version = (("MCP-Protocol-Version", revision.version),)
        self._envelope = Envelope(revision) if revision.modern else None
        self._tools: dict[str, _Known] = {}

    @property
    def headers(self) -> Headers:
        """Those of every message."""
        return self._version

    def body(self, id: int, draft: Draft, client: Client) -> bytes:
        """The whole message."""
        if self._envelope is not None:
            meta = self._envelope.meta(draft.meta, id, client)
        else:
            meta = legacy_meta(draft.meta, id) if draft.meta else b""
        return b'{"jsonrpc":"2.0","id":%d,"method":"%b","params":{%b}}' % (
            id,
            encode(draft.method)[1:-1],
            joined(draft.members, meta),
        )

    def call(
        self,
        name: str,
        arguments: JsonObject,
        schema: Any,
        context: Context = NO_CONTEXT,
        *,
        repeatable: bool = False,
    ) -> Draft:
        """A tools/call; `schema` is the tool's inputSchema. Raises StateRejected."""
        known = self._tools.get(name)
        if known is None or known.schema is not schema:
            known = self._remember(name, schema)
        headers = known.headers
        if known.mirrors:
            headers += tuple(mirrored(known.mirrors, arguments))
        members = known.head + encode(arguments)
        params, trace = context.params, context.trace
        if trace is not None:
            headers += pairs(trace)
        elif not params:
            return Draft(mcp.TOOLS_CALL, members, NOTHING, headers, repeatable)
        if len(params) > 1 or META not in params:
            members = joined(members, self._passing(params, context.client))
        meta = traced(params.get(META, NOTHING), trace)
        lasting = TASK in params and self._envelope is None
        return Draft(mcp.TOOLS_CALL, members, meta, headers, repeatable, lasting)

    def query(
        self,
        method: str,
        params: JsonObject,
        client: Client = NOBODY,
        trace: Trace | None = None,
    ) -> Draft:
        """Any other request, with all its params. Raises StateRejected."""
        name = params.get(NAMED_BY.get(method, ""))
        headers = self._named(method, name) if self.named else self._version
        if trace is not None:
            headers += pairs(trace)
        members = self._passing(params, client)
        meta = traced(params.get(META, NOTHING), trace)
        return Draft(method, members, meta, headers, method in HARMLESS)

    def readdressed(self, draft: Draft) -> Draft:
        """`draft`, written for what was the same server's revision before."""
        headers = (*self._version, *draft.headers[1:])
        return msgspec.structs.replace(draft, headers=headers)

    def _passing(self, params: JsonObject, client: Client) -> bytes:
        modern = self.revision.modern
        return encode(passing(params, modern_client=client.modern, modern_server=modern))[1:-1]

    def _remember(self, name: str, schema: Any) -> "_Known":
        if len(self._tools) >= MOST_TOOLS:
            self._tools.clear()
        head = b'"name":%b,"arguments":' % encode(name)
        if self.named:
            known = _Known(schema, head, self._named(mcp.TOOLS_CALL, name), valid_mirrors(schema))
        else:
            known = _Known(schema, head, self._version, ())
        self._tools[name] = known
        return known

    def _named(self, method: str, name: Any) -> Headers:
        headers = (*self._version, ("Mcp-Method", encode_value(method)))
        return (*headers, ("Mcp-Name", encode_value(name))) if isinstance(name, str) else headers


class _Known(msgspec.Struct, frozen=True):
    """What is the same in every call of a tool."""

    schema: Any
    head: bytes
    headers: Headers
    mirrors: tuple[Mirror, ...]


NAMED_BY: Mapping[str, str] = {
    **mcp.NAMED_BY,
    **dict.fromkeys((mcp.TASKS_GET, mcp.TASKS_UPDATE, mcp.TASKS_CANCEL), "taskId"),
}
NOBODY_ELSE = frozenset(one.name for one in (ANONYMOUS, LOCAL, OPERATOR))
HARMLESS = frozenset(
    {
        mcp.DISCOVER,
        mcp.PING,
        mcp.TOOLS_LIST,
        mcp.PROMPTS_LIST,
        mcp.PROMPTS_GET,
        mcp.RESOURCES_LIST,
        mcp.RESOURCES_READ,
        mcp.TEMPLATES_LIST,
        mcp.COMPLETE,
        mcp.TASKS_GET,
        mcp.SET_LEVEL,
        mcp.SUBSCRIBE,
        mcp.UNSUBSCRIBE,
    }
)  # what may be asked twice


def repeatable(definition: JsonObject) -> bool:
    """Whether a tool says of itself that another call of it does no harm."""
    hints = definition.get("annotations")
    if not isinstance(hints, Mapping):
        return False
    return hints.get("readOnlyHint") is True or hints.get("idempotentHint") is True
