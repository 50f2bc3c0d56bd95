"""From a WebSocket's URL to an open socket: what goes out first, and what a refusal is.

The rule: nothing goes anywhere but to the operator's URL. What aiohttp would do by itself (follow
a redirect with our credentials, keep cookies, read the environment for proxies) is off.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any, Literal

import aiohttp
from yarl import URL

from gateway.credentials.base import Pairs
from gateway.errors import BackendUnavailable, GatewayError, InvalidArguments
from gateway.http.direct import verifying
from gateway.http.failures import Unreachable
from gateway.http.message import HttpResponse
from gateway.protocol.received import LARGEST
from gateway.transports.base import Means
from gateway.transports.refusals import failure
from gateway.transports.requests import CHALLENGES, RESERVED
from gateway.version import __version__

SUBPROTOCOL = "mcp"
HANDSHAKE = 10.0  # seconds
HEARTBEAT = 30.0  # seconds between pings; a pong is waited for half as long
POLITELY = 2.0  # seconds for the server to close when we do

Socket = aiohttp.ClientWebSocketResponse[Literal[False]]


def new_session() -> aiohttp.ClientSession:
    watching = aiohttp.TraceConfig()
    watching.on_request_redirect.append(_redirected)
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        trace_configs=[watching],
        trust_env=False,
    )


class Redirected(Exception):
    """`status` is that of the answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


async def _redirected(*told: Any) -> None:
    raise Redirected(told[-1].response.status)


async def shaken(
    session: aiohttp.ClientSession, url: str, means: Means, tls: ssl.SSLContext | None = None
) -> Socket:
    """An open socket; `tls` is a verifying context of TLS 1.2 or newer, unless given.

    Raises GatewayError.
    """
    if tls is None and url.startswith("wss:"):
        tls = await asyncio.to_thread(verifying)
    try:
        async with asyncio.timeout(HANDSHAKE):
            return await _let_in(session, url, means, tls)
    except TimeoutError:
        raise BackendUnavailable(f"no WebSocket handshake within {HANDSHAKE:g} s") from None


async def _let_in(
    session: aiohttp.ClientSession, url: str, means: Means, tls: ssl.SSLContext | None
) -> Socket:
    """What we have to show is shown anew once, should it be refused."""
    authorizer = means.authorizer
    again = False
    while True:
        shown = await authorizer.headers() if authorizer else ()
        target = URL(url).extend_query(authorizer.query()) if authorizer else URL(url)
        found = await _tried(session, target, shown, tls)
        if not isinstance(found, HttpResponse):
            return found
        if authorizer is None or found.status not in CHALLENGES:
            raise failure(found)
        if not await authorizer.challenged(found.status, found.headers, shown) or again:
            raise failure(found)
        again = True


async def _tried(
    session: aiohttp.ClientSession, url: URL, shown: Pairs, tls: ssl.SSLContext | None
) -> Socket | HttpResponse:
    """Connected, or else the answer that says no."""
    try:
        return await session.ws_connect(
            url,
            protocols=(SUBPROTOCOL,),
            headers=_headers(shown),
            ssl=tls or True,
            heartbeat=HEARTBEAT,
            timeout=aiohttp.ClientWSTimeout(ws_close=POLITELY),  # pyright: ignore[reportCallIssue]
            max_msg_size=LARGEST,
            decode_text=False,
        )
    except aiohttp.WSServerHandshakeError as error:
        return HttpResponse(error.status, _lowered(error.headers), b"")
    except Redirected as redirected:
        return HttpResponse(redirected.status, {}, b"")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise _not_reached(error) from None


def _headers(shown: Pairs) -> list[tuple[str, str]]:
    own = [] if any(name.lower() == "user-agent" for name, _ in shown) else [_AGENT]
    return own + [(name, value) for name, value in shown if _allowed(name)]


_AGENT = ("User-Agent", f"capgate/{__version__}")


def _allowed(name: str) -> bool:
    return name.lower() not in RESERVED and not name.lower().startswith("sec-websocket-")


def _lowered(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {name.lower(): value for name, value in (headers or {}).items()}


def _not_reached(error: Exception) -> GatewayError:
    if isinstance(error, aiohttp.InvalidURL):
        return Unreachable("cannot connect: not a WebSocket URL")
    if isinstance(error, ValueError) and not isinstance(error, aiohttp.ClientError):
        return InvalidArguments("a header value holds a control character")
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return Unreachable("cannot connect: the server's certificate is not trusted")
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return Unreachable("cannot connect: no TLS that we trust")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return BackendUnavailable("cannot connect: the host name is not known")
    if isinstance(error, aiohttp.ClientConnectorError):
        return BackendUnavailable(f"cannot connect: {error.strerror or 'no connection'}")
    return BackendUnavailable("cannot connect: the handshake was cut off")
