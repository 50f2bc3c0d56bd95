"""What goes out to one client: whole answers, each in one write, and event streams as they come.

A client that does not read holds up its own stream only; `drained` waits for it.
"""

import asyncio

from gateway.server.heads import Heads
from gateway.server.reply import Reply

BODYLESS = frozenset({204, 304})  # and without a length, too
JOINED = 65_536  # bytes of a body up to which it is copied, to go out with its head


class Outlet:
    """Once `gone`, what is written goes nowhere."""

    __slots__ = ("_drained", "_heads", "_transport", "gone", "paused")

    def __init__(self, transport: asyncio.Transport, heads: Heads) -> None:
        self._transport = transport
        self._heads = heads
        self.paused = False
        self._drained: asyncio.Future[None] | None = None
        self.gone = False

    @property
    def unread(self) -> int:
        """Bytes that the client has yet to take."""
        return 0 if self.gone else self._transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        if not self.gone and not self._transport.is_closing():
            self._transport.write(data)

    def whole(self, reply: Reply, connection: str, *, head_only: bool = False) -> None:
        head = self._heads.head(reply, connection)
        body = b"" if head_only else reply.body
        if reply.status in BODYLESS:
            self.write(head + b"\r\n")
        elif len(body) <= JOINED:
            self.write(b"%bContent-Length: %d\r\n\r\n%b" % (head, len(reply.body), body))
        else:
            self.write(b"%bContent-Length: %d\r\n\r\n" % (head, len(body)))
            self.write(body)

    async def stream(self, reply: Reply, connection: str, *, chunked: bool) -> None:
        """Write the feed until it ends or its reader is gone; either way it has ended after."""
        feed = reply.feed
        assert feed is not None  # noqa: S101  what brought us here
        if self.gone:
            feed.end()
        try:
            coding = b"Transfer-Encoding: chunked\r\n" if chunked else b""
            self.write(b"%b%b\r\n" % (self._heads.head(reply, connection), coding))
            async for piece in feed:
                self.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                if self.paused:
                    await self.drained()
            if feed.cut:
                self.abort()  # half a stream must not look like a whole one
            elif chunked:
                self.write(b"0\r\n\r\n")
        finally:
            feed.end()

    async def drained(self) -> None:
        """Wait while too much is unread; also over when the client has gone."""
        while self.paused:
            if self._drained is None or self._drained.done():
                self._drained = asyncio.get_running_loop().create_future()
            await self._drained

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def lose(self) -> None:
        self.gone = True
        self.resume()

    def close(self) -> None:
        """Once all is taken."""
        if not self.gone:
            self._transport.close()

    def half_close(self) -> None:
        """Send the end of what we say, and go on hearing."""
        if not self.gone and not self._transport.is_closing():
            self._transport.write_eof()

    def abort(self) -> None:
        if not self.gone:
            self._transport.abort()
