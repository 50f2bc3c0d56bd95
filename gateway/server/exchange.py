"""One request, and the way back to who sent it."""

import asyncio
from typing import Protocol

from gateway.server.arrival import Arrival
from gateway.server.feed import Feed


class Link(Protocol):
    """The connection as its exchange sees it."""

    def ask_for_body(self) -> None: ...

    def begin(self, exchange: "Exchange", feed: Feed) -> asyncio.Task[None]: ...

    def cancel_when_gone(self) -> None: ...


class Exchange(Arrival):
    """What `Http.answer` knows as an Incoming."""

    __slots__ = ("_link", "feed", "sending")

    def __init__(self, link: Link, largest: int) -> None:
        super().__init__(largest)
        self._link = link
        self.feed: Feed | None = None  # goes out as the answer
        self.sending: asyncio.Task[None] | None = None  # begun before the answer was ready

    def ask(self) -> None:
        self._link.ask_for_body()

    def begin(self, feed: Feed) -> None:
        """Send `feed` as the answer from now on. When the client goes away, that ends."""
        self.feed = feed
        self.sending = self._link.begin(self, feed)

    def cancel_when_gone(self) -> None:
        self._link.cancel_when_gone()
