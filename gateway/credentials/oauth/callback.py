"""The loopback listener to which a browser brings the answer of an authorization (RFC 8252).

It reads one request line, believes nothing but the query of the expected path, and closes after the
first answer that carries the right `state`.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from gateway.errors import BackendUnavailable

HEAD = 16 * 1024  # bytes of a request's head
SECONDS = 5.0  # for one request
LOOPBACK = {"localhost": ("127.0.0.1", "::1")}
MOST_PARAMS = 32

PAGE = """<!doctype html><meta charset="utf-8"><title>capgate</title>
<p>{}</p>
"""
DONE = "The gateway has its answer. You may close this page."
OTHER = "This page belongs to no authorization that is going on."


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen; port 0 is any free one."""

    host: str = "127.0.0.1"
    port: int = 0
    path: str = "/oauth/callback"


class Callback:
    """Open it, give `redirect_uri` to the authorization server, await `answer`, close it."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._servers: list[asyncio.Server] = []
        self._state = ""
        self._answer: asyncio.Future[Mapping[str, str]] | None = None
        self.redirect_uri = ""

    async def open(self, state: str) -> None:
        """Raises BackendUnavailable when the port is taken."""
        self._state = state
        self._answer = asyncio.get_running_loop().create_future()
        port = self._place.port
        try:
            for host in LOOPBACK.get(self._place.host, (self._place.host,)):
                if not self._servers or await _exists(host):
                    self._servers.append(await asyncio.start_server(self._serve, host, port))
                    port = self._servers[0].sockets[0].getsockname()[1]
        except OSError as error:
            await self.aclose()
            raise BackendUnavailable(
                f"the OAuth callback cannot listen on {self._place.host}:{port}: "
                f"{(error.strerror or 'in use').lower()}",
                hint="another authorization may be waiting there; set oauth.callback_port",
            ) from None
        host = f"[{self._place.host}]" if ":" in self._place.host else self._place.host
        self.redirect_uri = f"http://{host}:{port}{self._place.path}"

    async def answer(self, seconds: float) -> Mapping[str, str]:
        """The parameters the browser brought. Raises TimeoutError."""
        if self._answer is None:
            raise TimeoutError
        async with asyncio.timeout(seconds):
            return await self._answer

    async def aclose(self) -> None:
        servers, self._servers = self._servers, []
        for server in servers:
            server.close()
        if self._answer is not None:
            self._answer.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(SECONDS):
                try:
                    head = await reader.readuntil(b"\r\n\r\n")
                except asyncio.LimitOverrunError:
                    head = b""
                status, text = self._take(head[:HEAD])
                writer.write(_page(status, text))
                await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    def _take(self, head: bytes) -> tuple[str, str]:
        """What to tell the browser."""
        method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        path, _, query = rest.partition(" ")[0].partition("?")
        if method != "GET" or path != self._place.path:
            return "404 Not Found", OTHER
        params = _params(query)
        if params is None or not _same(params.get("state", ""), self._state):
            return "400 Bad Request", OTHER
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(params)
        return "200 OK", DONE


def _params(query: str) -> dict[str, str] | None:
    """None for what is ambiguous (a name twice) or too much."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_PARAMS)
    except ValueError:
        return None
    params = dict(pairs)
    return params if len(params) == len(pairs) else None


def _same(one: str, other: str) -> bool:
    return secrets.compare_digest(one.encode(), other.encode())


def _page(status: str, text: str) -> bytes:
    body = PAGE.format(text).encode()
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\nCache-Control: no-store\r\n"
        "Content-Security-Policy: default-src 'none'\r\nReferrer-Policy: no-referrer\r\n"
        "X-Content-Type-Options: nosniff\r\n\r\n"
    ).encode() + body


async def _exists(host: str) -> bool:
    """Whether this machine has the address at all: not every one has IPv6."""
    try:
        server = await asyncio.start_server(lambda _r, w: w.close(), host, 0)
    except OSError:
        return False
    server.close()
    return True
