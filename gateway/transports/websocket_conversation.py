"""A conversation with an MCP server at a WebSocket: one JSON-RPC message a text frame, as the SDK's
1.x servers speak.

aiohttp's client: it masks, pings and bounds messages in C.
"""

import asyncio
import contextlib
import ssl

import aiohttp

from gateway.errors import BackendUnavailable, Busy
from gateway.http.failures import ConnectionLost
from gateway.protocol.received import LARGEST, Inbound
from gateway.transports.base import Headers, Means, Outbound, Peer
from gateway.transports.correlate import Correlation
from gateway.transports.refusals import discreet
from gateway.transports.websocket_handshake import POLITELY, Socket, new_session, shaken

MOST_UNSENT = 2 * LARGEST  # bytes that the server has not taken
TOO_LONG = 1009  # close code: message too big


async def opened(
    url: str, peer: Peer, means: Means, tls: ssl.SSLContext | None = None
) -> "Conversation":
    session = new_session()
    try:
        return Conversation(session, await shaken(session, url, means, tls), peer, means)
    except BaseException:
        await session.close()
        raise


class Conversation:
    """The Transport. One task reads and one writes."""

    apart = False

    def __init__(
        self, session: aiohttp.ClientSession, socket: Socket, peer: Peer, means: Means
    ) -> None:
        self._session = session
        self._socket = socket
        self._peer = peer
        self._correlation = Correlation(means.name, peer)
        self._redact = means.redact
        self._outbox: asyncio.Queue[bytes] = asyncio.Queue()
        self._unsent = 0  # bytes
        self._end: str | None = None  # why there will be no more answers
        self._closed = False
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._write())]

    async def request(self, out: Outbound) -> Inbound:
        answer = await self._correlation.response(out.id, self._post, out.body)
        return discreet(answer, self._redact)

    async def send(self, body: bytes, headers: Headers = ()) -> None:
        self._post(body)

    def follow(self, headers: Headers) -> None:
        """There is but one stream."""

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._lose("the connection was closed")
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLITELY):
                    await self._outbox.join()
            await self._socket.close()
        finally:
            for task in self._tasks:
                task.cancel()
            await self._session.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _post(self, body: bytes) -> None:
        if self._end is not None:
            raise BackendUnavailable(self._end)
        if self._unsent > MOST_UNSENT:
            raise Busy(f"the server leaves more than {MOST_UNSENT} bytes of ours unread")
        self._unsent += len(body)
        self._outbox.put_nowait(body)

    async def _write(self) -> None:
        while True:
            body = await self._outbox.get()
            with contextlib.suppress(aiohttp.ClientError, OSError):  # of which `_read` hears too
                await self._socket.send_frame(body, aiohttp.WSMsgType.TEXT)
            self._unsent -= len(body)
            self._outbox.task_done()

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.ERROR:
                break
            if self._end is None:
                self._correlation.heard(message.data)
        code = self._socket.close_code
        if code == TOO_LONG:
            reason = f"the server sent a message of more than {LARGEST} bytes"
        elif self._socket.exception() is not None:
            reason = "the server answers no more"
        else:
            reason = f"the server closed the connection (code {code})"
        self._lose(reason)
        await self._session.close()
        if not self._closed:
            self._peer.lost(reason)

    def _lose(self, reason: str) -> None:
        if self._end is None:
            self._end = reason
            self._correlation.fail(lambda: ConnectionLost(reason))
