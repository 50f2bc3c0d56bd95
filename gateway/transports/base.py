"""A transport: one live connection to one MCP server, JSON-RPC in and out.

It knows bytes, ids and connections; of MCP only what its transport page says. Which era a peer
speaks, what a message means and when to connect again are decided above.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from gateway.credentials.authorizer import Authorizer
from gateway.http.direct import Direct
from gateway.protocol.received import Inbound

CLOSED = "the connection to the server was closed"

Headers = tuple[tuple[str, str], ...]


class Outbound(msgspec.Struct, frozen=True, gc=False):
    """A JSON-RPC request on its way out: `body` is the whole message, on one line.

    `headers` are MCP's own (`MCP-Protocol-Version`, `Mcp-Method`, …), for HTTP; others ignore them.
    `repeatable`: it may be sent again when its fate is unknown.
    """

    id: int
    method: str
    body: bytes
    headers: Headers = ()
    repeatable: bool = False


class Peer(Protocol):
    """Who hears what a server says beside its responses. Its methods never block or raise."""

    def received(self, message: Inbound, request: int | None) -> None:
        """A request or notification of the server; `request` is the id of ours on whose own stream
        it came, None where the transport has but one stream, or it came on none of ours.
        """
        ...

    def lost(self, reason: str) -> None:
        """The connection is gone; no call of it is answered any more. Told once, and never after
        `aclose`.
        """
        ...


class Transport(Protocol):
    """Made connected. Requests may overlap."""

    @property
    def apart(self) -> bool:
        """Whether each request has a stream of its own (HTTP), so that `received` can name it."""
        ...

    async def request(self, out: Outbound) -> Inbound:
        """Send, and give the response, an error included.

        Cancelled, it drops the exchange; over HTTP that closes its stream. Raises GatewayError:
        ConnectionLost and BackendUnavailable with how far it got, SessionLost when the server no
        longer knows our session, BadResponse for what is no response.
        """
        ...

    async def send(self, body: bytes, headers: Headers = ()) -> None:
        """Send a notification, or a response to a request of the server's. Raises GatewayError."""
        ...

    def follow(self, headers: Headers) -> None:
        """Legacy HTTP: from now on also hear what comes on no request's stream (GET). Elsewhere
        this does nothing.
        """
        ...

    async def aclose(self) -> None:
        """End it politely (DELETE, closed stdin, …) and release everything. Twice is once."""
        ...


@dataclass(frozen=True, slots=True)
class Means:
    """What a transport is made with. `name` is the backend's, for log lines and errors. `redact`
    takes out of a text what is shown to the server.
    """

    name: str
    http: Direct
    authorizer: Authorizer | None = None
    redact: Callable[[bytes], bytes] = bytes


class TransportKind(Protocol):
    """A kind's settings; comparing two tells whether the connection can stay."""

    @property
    def label(self) -> str:
        """As in `Listing.transport`: `stdio`, `http`, `sse` or `websocket`."""
        ...

    async def connect(self, peer: Peer, means: Means) -> Transport:
        """Raises GatewayError. Cancelled, it leaves nothing behind."""
        ...
