"""What goes to a client over HTTP before the answer to its POST: nothing, or an event stream.

The first message begins the stream; an answer before which nothing was said stays a plain body and
costs nothing here.
"""

from collections.abc import Callable

import msgspec

from gateway.protocol.sse import encode
from gateway.server.feed import Feed
from gateway.server.outboxes import MOST_WAITING, Outbox, Outboxes
from gateway.server.reply import STREAMED, Reply

Begin = Callable[[Feed], None]  # starts to send it as the answer


class Channel(msgspec.Struct, eq=False):
    """Of a modern request. Once closed it takes nothing: what a server says after its answer is
    nobody's.
    """

    begin: Begin
    feed: Feed | None = None
    closed: bool = False

    @property
    def begun(self) -> bool:
        return self.feed is not None

    def say(self, message: bytes) -> None:
        if not self.closed:
            self._opened().offer(encode(message))

    def send(self, message: bytes) -> None:
        if not self.closed:
            self._opened().send(encode(message))

    def finish(self, body: bytes) -> Reply:
        """The end of the stream, with the answer in it."""
        self.send(body)
        self.close()
        return STREAMED

    def close(self) -> None:
        """Nothing will follow, for the request is answered or cancelled."""
        self.closed = True
        if self.feed is not None:
            self.feed.end()

    def _opened(self) -> Feed:
        if self.feed is None:
            self.feed = Feed(most=MOST_WAITING)
            self.begin(self.feed)
        return self.feed


class LegacyChannel(msgspec.Struct, eq=False):
    """Of a legacy POST, in an outbox of its session: its client may come back for the rest.

    `lasting`: what is said after its answer goes to the stream of what nobody asked for.
    """

    begin: Begin
    outboxes: Outboxes
    retry_ms: int | None
    outbox: Outbox | None = None
    closed: bool = False
    lasting: bool = False

    @property
    def begun(self) -> bool:
        return self.outbox is not None

    def say(self, message: bytes) -> None:
        if not self.closed:
            self._opened().say(message)
        elif self.lasting:
            self.outboxes.unasked.say(message)

    def send(self, message: bytes) -> None:
        if not self.closed:
            self._opened().publish(message)

    def finish(self, body: bytes | None) -> Reply:
        """The end of the stream, with the answer in it where one is due."""
        if body is not None:
            self.send(body)
        self.close()
        return STREAMED

    def close(self) -> None:
        self.closed = True
        if self.outbox is not None:
            self.outbox.finish()

    def _opened(self) -> Outbox:
        if self.outbox is None:
            self.outbox = self.outboxes.answer()
            feed = Feed(most=MOST_WAITING)
            self.outbox.attach(feed, None, self.retry_ms)
            self.begin(feed)
        return self.outbox
