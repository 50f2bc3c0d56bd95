"""A transport of Streamable HTTP, connected to a scripted server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from gateway.credentials.authorizer import Authorizer
from gateway.http.direct import Direct
from gateway.transports.base import Means
from gateway.transports.http import HttpTransport
from gateway.transports.requests import Requests
from tests.peers.mcp_wire_hearer import Hearer
from tests.peers.mcp_wire_script import Request, Script, message, whole

NOTE = b'{"jsonrpc":"2.0","method":"notifications/x"}'
SESSION = b"Mcp-Session-Id: s-1"


@contextlib.asynccontextmanager
async def connected(
    peer: Script, hearer: Hearer | None = None, authorizer: Authorizer | None = None
) -> AsyncIterator[HttpTransport]:
    http = Direct(public_only=False)
    requests = Requests(f"{peer.origin}/mcp?key=k#part", Means("wire", http, authorizer))
    transport = HttpTransport(requests, hearer or Hearer(), rng=lambda: 0.0)
    try:
        async with asyncio.timeout(10):
            yield transport
    finally:
        await transport.aclose()
        await http.aclose()


async def opening(request: Request, writer: asyncio.StreamWriter) -> None:
    """Answers `initialize` and opens a session."""
    writer.write(whole(message(request.id), SESSION))
