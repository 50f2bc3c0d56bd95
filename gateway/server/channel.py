"""What goes to a client over HTTP before the answer to its POST: nothing, or an event stream.

The first message begins the stream; an answer before which nothing was said stays a plain body and
costs nothing here.
"""

import asyncio
from collections.abc import Callable

from gateway.protocol.sse import encode
from gateway.server.feed import Feed
from gateway.server.outboxes import MOST_WAITING, Outbox, Outboxes
from gateway.server.reply import STREAMED, Reply

Begin = Callable[[Feed], None]  # starts to send it as the answer


class Channel:
    """Of a modern request. A reader too slow to be sent to cancels it, as going away does.

    Once closed it takes nothing: what a server says after its answer is nobody's.
    """

    __slots__ = ("_begin", "_feed", "_task")

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._feed: Feed | None = None
        self._task = asyncio.current_task()

    @property
    def begun(self) -> bool:
        return self._feed is not None

    def say(self, message: bytes) -> None:
        if self._task is not None:
            self._opened().offer(encode(message))

    def send(self, message: bytes) -> None:
        if self._task is not None:
            self._opened().send(encode(message))

    def finish(self, body: bytes) -> Reply:
        """The end of the stream, with the answer in it."""
        self.send(body)
        self.close()
        return STREAMED

    def close(self) -> None:
        """Nothing will follow, for the request is answered or cancelled."""
        self._task = None
        if self._feed is not None:
            self._feed.end()

    def _opened(self) -> Feed:
        if self._feed is None:
            self._feed = Feed(most=MOST_WAITING)
            self._feed.on_end(self._cut)
            self._begin(self._feed)
        return self._feed

    def _cut(self) -> None:
        if self._task is not None:
            self._task.cancel()


class LegacyChannel:
    """Of a legacy POST, in an outbox of its session: its client may come back for the rest."""

    __slots__ = ("_begin", "_closed", "_outbox", "_outboxes", "_retry_ms")

    def __init__(self, begin: Begin, outboxes: Outboxes, retry_ms: int | None) -> None:
        self._begin = begin
        self._outboxes = outboxes
        self._retry_ms = retry_ms
        self._closed = False
        self._outbox: Outbox | None = None

    @property
    def begun(self) -> bool:
        return self._outbox is not None

    def say(self, message: bytes) -> None:
        if not self._closed:
            self._opened().say(message)

    def send(self, message: bytes) -> None:
        if not self._closed:
            self._opened().publish(message)

    def finish(self, body: bytes | None) -> Reply:
        """The end of the stream, with the answer in it where one is due."""
        if body is not None:
            self.send(body)
        self.close()
        return STREAMED

    def close(self) -> None:
        self._closed = True
        if self._outbox is not None:
            self._outbox.finish()

    def _opened(self) -> Outbox:
        if self._outbox is None:
            self._outbox = self._outboxes.answer()
            feed = Feed(most=MOST_WAITING)
            self._outbox.attach(feed, None, self._retry_ms)
            self._begin(feed)
        return self._outbox
