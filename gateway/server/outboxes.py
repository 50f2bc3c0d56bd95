"""What the streams of legacy sessions have sent, numbered, for clients that lost their connection.

Every stream of a session has an outbox: the GET stream, and each POST whose answer became a stream.
Event ids name the outbox, so that a client can come back to the right one (2025-11-25,
basic/transports, resumability). All of them together keep a bounded number of bytes.
"""

import time
from collections import deque
from collections.abc import Callable

from gateway.protocol.sse import encode
from gateway.server.feed import Feed

REPLAYED = 1024  # events of one stream
REPLAY_FOR = 600.0  # seconds
MOST_BYTES = 64 * 1024 * 1024  # kept for all streams together
COST = 256  # bytes that an event takes beside its own
MOST_WAITING = 4 * REPLAYED  # chunks a reader may leave unread

Clock = Callable[[], float]


class Memory:
    """Counts what all outboxes keep; the oldest makes room for the newest, whose ever it is."""

    def __init__(
        self, clock: Clock = time.monotonic, most: int = MOST_BYTES, ttl: float = REPLAY_FOR
    ) -> None:
        self.clock = clock
        self.ttl = ttl
        self._most = most
        self._bytes = 0
        self._kept: deque[tuple[float, int, int, Outbox]] = deque()

    def add(self, outbox: "Outbox", number: int, size: int) -> None:
        now = self.clock()
        self._kept.append((now, number, size + COST, outbox))
        self._bytes += size + COST
        while self._bytes > self._most or self._kept[0][0] < now - self.ttl:
            _, oldest, cost, whose = self._kept.popleft()
            self._bytes -= cost
            whose.forget(oldest)


class Outbox:
    """At most one stream is open; a newer one takes over from it (each message goes out once).

    `over` is called when nothing will be sent any more and nothing is left to come back for.
    """

    def __init__(
        self, memory: Memory, name: str = "", over: Callable[[str], None] | None = None
    ) -> None:
        self._memory = memory
        self._name = name
        self._over = over
        self._sent = 0
        self._kept: deque[tuple[int, float, bytes]] = deque(maxlen=REPLAYED)
        self._feed: Feed | None = None
        self._finished = False

    @property
    def open(self) -> bool:
        return self._feed is not None and not self._feed.ended

    def attach(self, feed: Feed, after: int | None, retry_ms: int | None) -> None:
        """Send to `feed` from now on, first what came after event number `after`; to the first one
        all that came before it.

        `retry_ms` primes the client: an empty event that carries an id to come back with.
        """
        if self._feed is not None:
            self._feed.end()
        elif after is None:
            after = 0
        self._feed = feed
        if after is not None:
            horizon = self._memory.clock() - self._memory.ttl
            for number, when, message in self._kept:
                if number > after and when >= horizon:
                    feed.send(encode(message, self._id(number)))
        if self._finished:
            feed.end()
        elif retry_ms is not None:
            feed.send(encode(b"", self._id(self._sent), retry_ms))

    def publish(self, message: bytes) -> None:
        if self._feed is None:
            self._keep(message)
        else:
            self._feed.send(self._keep(message))

    def say(self, message: bytes) -> None:
        """Publish what a slow reader may miss."""
        if self._feed is None:
            self._keep(message)
        else:
            self._feed.offer(self._keep(message))

    def finish(self) -> None:
        """Nothing will follow; what was sent stays for a client that comes back."""
        self._finished = True
        self.close()
        self._look()

    def close(self) -> None:
        if self._feed is not None:
            self._feed.end()

    def forget(self, number: int) -> None:
        """Keep nothing up to that event."""
        while self._kept and self._kept[0][0] <= number:
            self._kept.popleft()
        self._look()

    def clear(self) -> None:
        self._kept.clear()

    def _look(self) -> None:
        if self._finished and not self._kept and self._over is not None:
            self._over(self._name)

    def _keep(self, message: bytes) -> bytes:
        """The event that carries `message`."""
        self._sent += 1
        self._kept.append((self._sent, self._memory.clock(), message))
        self._memory.add(self, self._sent, len(message))
        return encode(message, self._id(self._sent))

    def _id(self, number: int) -> str:
        return f"{self._name}{number}"


class Outboxes:
    """Those of one session."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._opened = 0
        self._answers: dict[str, Outbox] = {}
        self.unasked = Outbox(memory)

    def answer(self) -> Outbox:
        """A new one, for the answer to a POST."""
        self._opened += 1
        name = f"{self._opened}-"
        outbox = self._answers[name] = Outbox(self._memory, name, self._forget)
        return outbox

    def find(self, last_event: str | None) -> tuple[Outbox, int | None] | None:
        """The outbox that a Last-Event-ID names and the number in it; None: we keep no such one.

        Without one, or with one that we never gave, it is that of the GET stream, from now on.
        """
        name, dash, number = (last_event or "").rpartition("-")
        after = int(number[:18]) if number.isascii() and number.isdecimal() else None
        if not dash:
            return self.unasked, after
        found = self._answers.get(name + dash)
        return None if found is None or after is None else (found, after)

    def _forget(self, name: str) -> None:
        self._answers.pop(name, None)

    def close(self) -> None:
        """End every stream and keep nothing."""
        for outbox in (self.unasked, *self._answers.values()):
            outbox.close()
            outbox.clear()
        self._answers.clear()
