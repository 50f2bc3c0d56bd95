"""The front on aiohttp: its requests as `Incoming`, our replies as its responses. No rule of
MCP.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import StreamReader, web
from aiohttp.http_exceptions import BadHttpMessage

from gateway.protocol.header_values import Headers
from gateway.server.connection import Connection, Limits, Listener
from gateway.server.feed import Feed
from gateway.server.reply import Reply, Unreadable, stream

CLOSING = frozenset({400, 403, 408, 413, 503})  # the rest of the connection is not worth reading

BACKLOG = 1024  # connections that wait to be taken; others come again after a second
FLUSHED = 0.02  # seconds between two looks at what clients have taken
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

Answer = Callable[["AiohttpIncoming"], Awaitable[Reply]]


class AiohttpIncoming:
    """A request of aiohttp."""

    __slots__ = ("_cancelling", "_limits", "_request", "headers", "method", "sending", "target")

    def __init__(self, request: web.BaseRequest, limits: Limits) -> None:
        self._request = request
        self._limits = limits
        self.method = request.method
        self.target = request.raw_path
        self.headers = _headers_of(request)
        self.sending: asyncio.Task[web.StreamResponse] | None = None
        self._cancelling = False

    async def read(self) -> bytes:
        request, limits = self._request, self._limits
        if (request.content_length or 0) > limits.largest_body:
            raise Unreadable(413, f"the body is larger than {limits.largest_body} bytes")
        try:
            if request.content.is_eof():  # all there: no need to wait, nor for a deadline
                return _capped(request.content.read_nowait(), limits.largest_body)
            async with asyncio.timeout(limits.body):
                if request.headers.get("Expect", "").lower() == "100-continue":
                    await request.writer.write(CONTINUE)
                    request.writer.output_size = 0  # no part of the answer
                return await _whole(request.content, limits.largest_body)
        except web.HTTPRequestEntityTooLarge:
            raise Unreadable(413, f"the body is larger than {limits.largest_body} bytes") from None
        except TimeoutError:
            raise Unreadable(408, f"no whole body within {limits.body:g} s") from None
        except (web.RequestPayloadError, BadHttpMessage):
            raise Unreadable(400, "the body was cut off or its encoding is broken") from None

    def begin(self, feed: Feed) -> None:
        """When the client goes away, at least the sending ends."""
        self.sending = asyncio.create_task(_stream(self._request, stream(feed)))
        if not self._cancelling:
            self._cancel_when_gone(self.sending)

    def cancel_when_gone(self) -> None:
        self._cancelling = True
        self._cancel_when_gone(asyncio.current_task())

    def done(self) -> None:
        """The answer is ready: nothing is left to cancel."""
        self._cancel_when_gone(None)

    def _cancel_when_gone(self, task: "asyncio.Task[Any] | None") -> None:
        connection = self._request.protocol
        if isinstance(connection, Connection):
            connection.cancel_when_gone(task)


class Front:
    """Listens on one address and answers by `answer`."""

    def __init__(self, answer: Answer, limits: Limits | None = None) -> None:
        self._answer = answer
        self._limits = limits or Limits()
        self._listener = Listener(self._handle, self._limits)
        self._runner = web.ServerRunner(self._listener, shutdown_timeout=1.0)
        self.port = 0  # the real one, once started

    @property
    def connections(self) -> int:
        return len(self._listener.connections)

    async def start(self, host: str, port: int) -> None:
        """Raises OSError when the address cannot be had. Port 0 takes a free one."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, backlog=BACKLOG)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self._listener.start()

    async def flush(self, within: float) -> None:
        """Wait until clients have taken what was sent to them, at most `within` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self._listener.unread:  # noqa: ASYNC110  no transport tells when it is empty
                    await asyncio.sleep(FLUSHED)

    async def aclose(self) -> None:
        self._listener.stop()
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        incoming = AiohttpIncoming(request, self._limits)
        reply = await self._answer(incoming)
        if incoming.sending is not None:
            response = await incoming.sending
        elif reply.feed is not None:
            incoming.cancel_when_gone()
            response = await _stream(request, reply)
        else:
            response = _whole_answer(reply)
        incoming.done()
        return response


def _whole_answer(reply: Reply) -> web.StreamResponse:
    response = web.Response(body=reply.body, status=reply.status, headers=_headers(reply))
    if reply.status in CLOSING:
        response.force_close()
    return response


async def _stream(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Write the feed until it ends or its reader is gone; either way it has ended after."""
    assert reply.feed is not None  # noqa: S101  what brought us here
    response = web.StreamResponse(status=reply.status, headers=_headers(reply))
    try:
        await response.prepare(request)
        async for chunk in reply.feed:
            await response.write(chunk)
        if reply.feed.cut and request.transport is not None:
            request.transport.abort()  # half a stream must not look like a whole one
        await response.write_eof()
    except ConnectionError:
        return response  # gone in the middle of a write
    finally:
        reply.feed.end()
    return response


async def _whole(content: StreamReader, largest: int) -> bytes:
    """As aiohttp's own, which for a bomb takes several times `largest` at its peak (I9)."""
    pieces: list[bytes] = []
    size = 0
    while piece := await content.readany():
        size += len(piece)
        if size > largest:
            raise web.HTTPRequestEntityTooLarge(largest)
        pieces.append(piece)
    return b"".join(pieces)


def _capped(body: bytes, largest: int) -> bytes:
    if len(body) > largest:
        raise web.HTTPRequestEntityTooLarge(largest)
    return body


def _headers_of(request: web.BaseRequest) -> Headers:
    """By any case of their name; repeated ones joined, so that two copies equal no single value."""
    raw = request.raw_headers
    if len({name.lower() for name, _ in raw}) == len(raw):
        return request.headers
    folded: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        folded[key] = f"{folded[key]}, {value}" if key in folded else value
    return folded


def _headers(reply: Reply) -> dict[str, str]:
    found = {"Server": "capgate", **reply.extra}
    if reply.body or reply.feed is not None:
        found["Content-Type"] = reply.kind
    return found
