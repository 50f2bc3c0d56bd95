"""A request that has passed its era's checks, and how a handler of its method says no to it."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import msgspec

from gateway.credentials.forward import ours
from gateway.domain import tracing
from gateway.domain.client import NOBODY, NOTHING, Client, Context
from gateway.domain.identity import ANONYMOUS, Identity
from gateway.domain.tracing import PARENT, STATE
from gateway.protocol import jsonrpc
from gateway.protocol.eras import Revision
from gateway.protocol.header_values import Headers
from gateway.protocol.inbound import Rejection
from gateway.server.dialogue import Dialogue
from gateway.server.hearing import Hearing
from gateway.server.surface import Surface

OF_THE_TOOL = ("name", "arguments")  # of a tools/call, not of its context


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A request and all that answering it depends on. `headers` are those of the HTTP request it
    came in; None: the transport has none.

    `size` is that of its message, in bytes. `client` is the way back to whoever sent it, while it
    is being answered; `dialogue` what a legacy one has settled, `hearing` what it is told unasked.
    They come with requests that may take their time.
    """

    surface: Surface
    request: jsonrpc.Request
    revision: Revision
    caller: Identity = ANONYMOUS
    headers: Headers | None = None
    client: Client = NOBODY
    dialogue: Dialogue | None = None
    hearing: Hearing | None = None
    size: int = 0


class Refused(Exception):
    """A protocol fault, on its way to becoming a JSON-RPC error."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.rejection = Rejection(code, message, data)


Quick = Callable[[Asked], bytes]  # answers at once; raises Refused or GatewayError
Waiting = Callable[[Asked], Awaitable[bytes]]  # the same, after asking a backend


def context_of(asked: Asked) -> Context:
    """What the request brings beside the name and arguments of a tool."""
    own = asked.request.params.copy()
    for name in OF_THE_TOOL:
        own.pop(name, None)
    headers = asked.headers
    meta = own.get("_meta")
    trace = None
    if type(meta) is dict and PARENT in meta:
        trace = tracing.read(meta[PARENT], meta.get(STATE))
    if trace is None and headers is not None and (parent := headers.get(PARENT)) is not None:
        trace = tracing.read(parent, headers.get(STATE))
    brought = Brought(headers) if headers else NOTHING
    return Context(asked.client, own, brought, asked.request.id, asked.size, trace)


class Brought(Mapping[str, str]):
    """Headers of a request, without what they may show to the gateway itself."""

    __slots__ = ("_headers",)

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def __getitem__(self, name: str) -> str:
        if ours(name):
            raise KeyError(name)
        return self._headers[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._headers if not ours(name))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<Brought {len(self._headers)} headers>"


def text_of(params: Mapping[str, Any], name: str) -> str:
    """The param of that name; raises Refused where it is no text."""
    value = params.get(name)
    if type(value) is not str:
        raise Refused(jsonrpc.INVALID_PARAMS, f"params.{name} must be a string")
    return value
