"""An `Exchange` over our own pooled connections: a request's bytes out, its answer in.

The addresses of a name are looked up, checked and dialled here, so what was checked is what is
dialled. Errors become ours at this border; their texts name the host at most.
"""

import asyncio
import functools
import os
import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from yarl import URL

from gateway.errors import (
    BackendUnavailable,
    BadResponse,
    DeadlineExceeded,
    Draining,
    GatewayError,
    InvalidArguments,
    Reached,
)
from gateway.http.addresses import is_public
from gateway.http.connection import Answer, Connection, TooLarge, WireError
from gateway.http.failures import ConnectionLost, Unreachable
from gateway.http.inflate import OFFERED, too_large
from gateway.http.live import Live
from gateway.http.message import HttpRequest, HttpResponse, headers_of
from gateway.http.names import Names, Resolve
from gateway.http.pool import PER_ORIGIN, Factory, Origin, Pool, Stage, connect
from gateway.version import __version__

CONNECT_SECONDS = 10.0  # for TCP and TLS together, at each address
LARGE = 1 << 20  # bytes of a body
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
DEFAULTS = (
    ("accept", "Accept: */*\r\n"),
    ("accept-encoding", f"Accept-Encoding: {OFFERED}\r\n"),
    ("user-agent", f"User-Agent: capgate/{__version__}\r\n"),
)
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
NOT_TARGET = re.compile(r"[^!-~]")


class Address(NamedTuple):
    """A URL taken apart: where to connect, the text of its Host header, its request target."""

    origin: Origin
    host: str
    target: str


Contexts = Callable[[], Awaitable[ssl.SSLContext]]  # raises GatewayError


class Direct:
    """Connections shared by everyone who may reach the same addresses.

    `public_only`: the private-address rule holds for every address dialled. `resolve` and `tls`
    are the system's look-up and a verifying context of TLS 1.2 or newer, unless given; a `tls` that
    is a function is asked for each new connection. Of requests to one origin at most `per_origin`
    are under way, the rest waits.
    """

    def __init__(
        self,
        *,
        public_only: bool,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | Contexts | None = None,
        per_origin: int = PER_ORIGIN,
    ) -> None:
        self._public_only = public_only
        self._resolve = resolve or Names()
        self._tls = tls
        self._pool = Pool(self._dial, per_origin=per_origin)
        self._joining = asyncio.Lock()
        self._closed = False

    async def exchange(
        self, request: HttpRequest, seconds: float, cap: int, live: Live | None = None
    ) -> HttpResponse:
        """Send, and read the answer to its end; `body` is still in its content encoding.

        `seconds` bound all of it, `cap` the bytes of the body. What `live` takes goes to it and is
        not in the answer; `seconds` bound each piece of it. Raises GatewayError.
        """
        to = address(request.url)
        stage = Stage() if live is None else Stage(sink=live, takes=live.takes)
        data = _serialised(request, to)
        idempotent = request.method in IDEMPOTENT
        head_only = request.method == "HEAD"
        try:
            async with asyncio.timeout(seconds) as timer:
                if live is not None:
                    live.heard = functools.partial(_prolong, timer, seconds)
                return await self._exchanged(
                    to, data, cap, stage, repeatable=idempotent, head_only=head_only
                )
        except TimeoutError:
            if live is not None and live.begun:
                raise DeadlineExceeded(f"nothing more came for {seconds:g} s") from None
            raise _timeout(stage, to.host, seconds) from None

    async def send(
        self, to: Address, data: bytes, cap: int, stage: Stage, *, repeatable: bool = False
    ) -> HttpResponse:
        """The same for `data`, a whole request in bytes, and without a limit of time of its own.

        An event stream goes to `stage.sink`, if there is one (see `Connection.exchange`); the body
        of what is returned is empty then. `repeatable`: it may go out twice. Raises GatewayError.
        """
        return await self._exchanged(to, data, cap, stage, repeatable=repeatable, head_only=False)

    async def _exchanged(
        self, to: Address, data: bytes, cap: int, stage: Stage, *, repeatable: bool, head_only: bool
    ) -> HttpResponse:
        if self._closed:
            raise Draining("the gateway is shutting down")
        try:
            answer = await self._pool.exchange(
                to.origin, data, head_only=head_only, cap=cap, repeatable=repeatable, stage=stage
            )
        except WireError as error:
            raise _broken(error, to.host, cap) from None
        except TimeoutError:  # of the connecting: no other has begun yet
            raise _timeout(stage, to.host, CONNECT_SECONDS) from None
        except OSError as error:
            raise _unreachable(error, to.host, stage) from None
        body = answer.body if answer.size < LARGE else await self._joined(answer)
        return HttpResponse(answer.status, headers_of(answer.headers), body)

    async def aclose(self) -> None:
        """Drop every connection; exchanges in flight fail."""
        self._closed = True
        await self._pool.aclose()

    async def _joined(self, answer: Answer) -> bytes:
        """One at a time, a turn of the loop each: many large answers tend to end together."""
        async with self._joining:
            await asyncio.sleep(0)
            return answer.body

    async def _dial(self, origin: Origin, factory: Factory) -> Connection:
        addresses = await self._resolve(origin.host, origin.port)
        if self._public_only:
            addresses = [address for address in addresses if is_public(address)]
            if not addresses:
                raise NotPublic
        context = await self._context() if origin.tls else None
        return await connect(addresses, origin, factory, context, CONNECT_SECONDS)

    async def _context(self) -> ssl.SSLContext:
        if callable(self._tls):
            return await self._tls()
        if self._tls is None:
            self._tls = await asyncio.to_thread(verifying)
        return self._tls


def _prolong(timer: asyncio.Timeout, seconds: float) -> None:
    if not timer.expired():
        timer.reschedule(asyncio.get_running_loop().time() + seconds)


class NotPublic(OSError):
    """None of a name's addresses is public."""


@functools.cache
def verifying() -> ssl.SSLContext:
    """One for the process: reading the trusted certificates takes milliseconds."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def address(url: str) -> Address:
    """Of an encoded URL. Raises Unreachable or InvalidArguments for what cannot be asked."""
    start = url.index("://") + 3
    ends = [at for mark in "/?" if (at := url.find(mark, start)) >= 0]
    end = min(ends, default=len(url))
    try:
        origin, name = _origin(url[:end])
    except ValueError:
        raise Unreachable("cannot connect: not a host name or plainly written address") from None
    target = url[end:]
    if NOT_TARGET.search(target):
        raise InvalidArguments("the rendered path or query is not plain ASCII")
    return Address(origin, name, target if target.startswith("/") else f"/{target}")


@functools.lru_cache(maxsize=1024)
def _origin(prefix: str) -> tuple[Origin, str]:
    url = URL(prefix)
    if not url.raw_host or url.port is None or url.scheme not in {"http", "https"}:
        raise ValueError(prefix)
    origin = Origin(url.scheme == "https", url.raw_host, url.port)
    return origin, url.host_port_subcomponent or url.raw_host


def _serialised(request: HttpRequest, to: Address) -> bytes:
    """The request's bytes. Raises InvalidArguments for a header value that cannot go out."""
    lines = [f"{request.method} {to.target} HTTP/1.1\r\nHost: {to.host}\r\n"]
    named = set()
    for name, value in request.headers:
        if CONTROL.search(value):
            raise InvalidArguments("a header value holds a control character")
        named.add(name.lower())
        lines.append(f"{name}: {value}\r\n")
    lines += [line for name, line in DEFAULTS if name not in named]
    body = request.body
    if body is not None or request.method in {"POST", "PUT", "PATCH"}:
        lines.append(f"Content-Length: {len(body or b'')}\r\n")
    lines.append("\r\n")
    try:
        return "".join(lines).encode() + (body or b"")
    except UnicodeEncodeError:
        raise InvalidArguments("a header value holds half a surrogate pair") from None


def _broken(error: WireError, host: str, cap: int) -> GatewayError:
    if isinstance(error, TooLarge):
        return too_large(cap) if error.body else BadResponse(f"{host} sent too many headers")
    if error.malformed:
        return BadResponse(f"{host} did not answer in valid HTTP")
    if error.answered:
        return ConnectionLost(f"{host} broke off within its answer", reached=Reached.COMPLETED)
    reached = Reached.SENT_UNKNOWN if error.sent else Reached.NOT_SENT
    return ConnectionLost(f"{host} closed the connection without an answer", reached=reached)


def _timeout(stage: Stage, host: str, seconds: float) -> DeadlineExceeded:
    if stage.sent:
        return DeadlineExceeded(f"timeout after {seconds:g} s")
    if stage.dialling:
        text = f"timeout while connecting to {host}"
    else:
        text = f"timeout after {seconds:g} s, waiting for a connection to {host}"
    return DeadlineExceeded(text, reached=Reached.NOT_SENT)


def _unreachable(error: OSError, host: str, stage: Stage) -> BackendUnavailable:
    if isinstance(error, NotPublic):
        return Unreachable(
            f"cannot connect to {host}: it is not at a public address",
            hint="if that is meant, name the address in base_url or set allow_private: true",
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = error.verify_message or "not trusted"
        return Unreachable(f"cannot connect to {host}: its certificate is refused, {reason}")
    # it may have gone out on an older connection, which the peer closed without an answer
    reached = Reached.SENT_UNKNOWN if stage.sent else Reached.NOT_SENT
    return BackendUnavailable(f"cannot connect to {host}: {_reason(error)}", reached=reached)


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return "TLS handshake failed"
    if isinstance(error, socket.gaierror):
        return "its name does not resolve"
    if error.errno:
        return os.strerror(error.errno).lower()
    return "connection closed within the TLS handshake"  # asyncio gives it no number
