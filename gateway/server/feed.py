"""The bytes of one open event stream, in order, bounded, with comments while nothing happens."""

import asyncio
from collections import deque
from collections.abc import Callable

from gateway.protocol.sse import COMMENT

KEEP_ALIVE = 15.0  # seconds of silence before a comment: below the idle limits of proxies
MOST_WAITING = 256  # chunks a slow reader may leave unread; then the stream is cut
OFFERED = 1024 * 1024  # bytes unread, beyond which what may be left out is


class Feed:
    """Iterate it to send; whoever has news calls `send`. It ends after `end`, or when cut."""

    def __init__(self, keep_alive: float = KEEP_ALIVE, most: int = MOST_WAITING) -> None:
        self._keep_alive = keep_alive
        self._most = most
        self._unread = 0  # bytes
        self._waiting: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._ended = False
        self.cut = False  # for its reader left too much unread
        self._on_end: Callable[[], None] | None = None

    @property
    def ended(self) -> bool:
        return self._ended

    def on_end(self, tell: Callable[[], None]) -> None:
        """Call `tell` once when the stream ends, from whichever side."""
        self._on_end = tell

    def send(self, chunk: bytes) -> None:
        if self._ended:
            return
        self._waiting.append(chunk)
        self._unread += len(chunk)
        self._news.set()
        if len(self._waiting) > self._most:
            self._waiting.clear()
            self.cut = True
            self.end()

    def offer(self, chunk: bytes) -> None:
        """Send what may be left out; it is while the reader is half way to being cut."""
        if len(self._waiting) < self._most // 2 and self._unread < OFFERED:
            self.send(chunk)

    def end(self) -> None:
        """Nothing will follow what has been sent so far. Ending twice does nothing."""
        self._ended = True
        self._news.set()
        tell, self._on_end = self._on_end, None
        if tell is not None:
            tell()

    def __aiter__(self) -> "Feed":
        return self

    async def __anext__(self) -> bytes:
        """Everything that waits, joined; a comment when nothing came for a while."""
        if not self._waiting and not self._ended:
            self._news.clear()
            try:
                async with asyncio.timeout(self._keep_alive):
                    await self._news.wait()
            except TimeoutError:
                return COMMENT
        if not self._waiting:
            raise StopAsyncIteration
        chunk = b"".join(self._waiting)
        self._waiting.clear()
        self._unread = 0
        return chunk
