"""aiohttp's connections with the deadlines it lacks (T4, I10, I11, F13).

A client has a while to send a request's head and a while to take its answer; then it is cut. One
sweep now and then looks at all connections, so a call pays nothing for it.
"""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestHandler

log = logging.getLogger(__name__)

FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n"
    b"Connection: close\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, bytes and numbers that bound what one client can hold of us."""

    head: float = 10.0  # for the request line and headers, from their first byte
    body: float = 30.0
    stalled: float = 45.0  # an answer waits unread
    idle: float = 75.0  # between requests
    connections: int = 8192
    largest_body: int = 1024 * 1024


class Connection(RequestHandler):
    """Remembers since when it waits for the rest of a head, or for its client to read."""

    __slots__ = ("_head_since", "_stalled_since", "_victim")

    def __init__(self, manager: "Listener", **settings: Any) -> None:
        super().__init__(manager, **settings)
        self._head_since: float | None = self._loop.time()
        self._stalled_since: float | None = None
        self._victim: asyncio.Task[Any] | None = None

    def data_received(self, data: bytes) -> None:
        if self._waiter is not None and self._head_since is None:
            self._head_since = self._loop.time()
        super().data_received(data)
        if self._messages:
            self._head_since = None

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        victim, self._victim = self._victim, None
        if victim is not None:
            victim.cancel()

    def cancel_when_gone(self, task: "asyncio.Task[Any] | None") -> None:
        """When the client goes away, cancel `task`; None: nothing any more."""
        self._victim = task
        if self.transport is None and task is not None:
            task.cancel()

    def log_exception(self, *args: Any, exc_info: Any = None, **facts: Any) -> None:
        """What a client sent wrong is its own affair; anything else is a fault of ours."""
        if isinstance(exc_info, (HttpProcessingError, web.RequestPayloadError)):
            log.debug("http_malformed", extra={"reason": type(exc_info).__name__})
        else:
            log.error("http_failed", exc_info=exc_info)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Aiohttp's words quote the request; ours do not. The connection closes."""
        self.log_exception(exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("half an answer is out already")
        text = (
            "internal error\n"
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR
            else "malformed HTTP request\n"
        )
        response = web.Response(status=status, text=text, headers={"Server": "capgate"})
        response.force_close()
        return response

    def overdue(self, now: float, limits: Limits) -> str | None:
        """Why this connection should be cut now; None when it should not."""
        transport = self.transport
        if transport is None:
            return None
        if self._waiter is not None and self._head_since is not None:
            return "slow_head" if now - self._head_since > limits.head else None
        if not transport.get_write_buffer_size():
            self._stalled_since = None
        elif self._stalled_since is None:
            self._stalled_since = now
        elif now - self._stalled_since > limits.stalled:
            return "slow_reader"
        return None

    @property
    def unread(self) -> bool:
        """Whether its client has yet to take some of what was sent."""
        return self.transport is not None and self.transport.get_write_buffer_size() > 0

    def cut(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class Listener(web.Server):
    """Makes connections, counts them, sweeps them."""

    def __init__(self, handler: Any, limits: Limits) -> None:
        super().__init__(
            handler,
            access_log=None,
            keepalive_timeout=limits.idle,
            lingering_time=2.0,
        )
        self._limits = limits
        self._sweeping: asyncio.Task[None] | None = None

    def __call__(self) -> Connection:
        return Connection(self, loop=self._loop, **self._kwargs)

    @property
    def unread(self) -> bool:
        return any(isinstance(one, Connection) and one.unread for one in self.connections)

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self._connections) > self._limits.connections:
            transport.write(FULL)
            transport.close()

    def start(self) -> None:
        self._sweeping = asyncio.create_task(self._sweep())

    def stop(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()

    async def _sweep(self) -> None:
        limits = self._limits
        pause = min(1.0, limits.head / 4, limits.stalled / 4)
        while True:
            await asyncio.sleep(pause)
            now = self._loop.time()
            cut: Counter[str] = Counter()
            for connection in self.connections:
                if isinstance(connection, Connection):
                    reason = connection.overdue(now, limits)
                    if reason is not None:
                        cut[reason] += 1
                        connection.cut()
            for reason, count in cut.items():  # one line, however many: clients decide how many
                log.info("connections_cut", extra={"reason": reason, "count": count})
