"""Legacy sessions: what `initialize` settled, until DELETE, silence or too many newer ones end it.

A session belongs to one caller and one surface; to anyone else, and at any other URL, it does not
exist. Nothing here is ever "the only session".
"""

import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.domain.identity import Identity
from gateway.protocol.eras import Revision
from gateway.protocol.sse import encode
from gateway.server.calls import Calls
from gateway.server.feed import Feed
from gateway.server.surface import Surface

IDLE = 3600.0  # seconds without a request or an open stream
MOST = 10_000  # sessions; the one unused for longest makes room
REPLAYED = 256  # events kept for a client that comes back
REPLAY_FOR = 600.0  # seconds

Clock = Callable[[], float]


class Outbox:
    """What a session's GET stream has sent, numbered, for a client that lost its connection.

    At most one stream is open; a newer one takes over from it (each message goes out once).
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sent = 0
        self._kept: deque[tuple[int, float, bytes]] = deque(maxlen=REPLAYED)
        self._feed: Feed | None = None

    @property
    def open(self) -> bool:
        return self._feed is not None and not self._feed.ended

    def attach(self, feed: Feed, last_event: str | None, retry_ms: int | None) -> None:
        """Send to `feed` from now on, first what came after event `last_event`.

        `retry_ms` primes the client: an empty event that carries an id to come back with.
        """
        if self._feed is not None:
            self._feed.end()
        self._feed = feed
        if last_event is not None and last_event.isdecimal():
            horizon = self._clock() - REPLAY_FOR
            for number, when, message in self._kept:
                if number > int(last_event[:18]) and when >= horizon:
                    feed.send(encode(message, str(number)))
        if retry_ms is not None:
            feed.send(encode(b"", str(self._sent), retry_ms))

    def publish(self, message: bytes) -> None:
        self._sent += 1
        self._kept.append((self._sent, self._clock(), message))
        if self._feed is not None:
            self._feed.send(encode(message, str(self._sent)))

    def close(self) -> None:
        if self._feed is not None:
            self._feed.end()


@dataclass(slots=True, eq=False)
class Session:
    """What one `initialize` settled. `used` is when its client last spoke, on the clock given."""

    id: str
    revision: Revision
    caller: Identity
    surface: Surface
    outbox: Outbox
    used: float
    calls: Calls = field(default_factory=Calls)
    unwatch: Callable[[], None] | None = None

    def end(self) -> None:
        if self.unwatch is not None:
            self.unwatch()
            self.unwatch = None
        self.outbox.close()

    @property
    def busy(self) -> bool:
        return bool(self.calls) or self.outbox.open


class Sessions:
    """Ordered by last use, oldest first."""

    def __init__(
        self, *, idle: float = IDLE, most: int = MOST, clock: Clock = time.monotonic
    ) -> None:
        self._idle = idle
        self._most = most
        self._clock = clock
        self._by_id: OrderedDict[str, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_id)

    def open(self, revision: Revision, caller: Identity, surface: Surface) -> Session:
        self._make_room()
        now, outbox = self._clock(), Outbox(self._clock)
        session = Session(secrets.token_hex(16), revision, caller, surface, outbox, now)
        self._by_id[session.id] = session
        return session

    def find(self, id: str, caller: Identity, surface: Surface) -> Session | None:
        """The session of that id, if it is this caller's and was opened at this URL."""
        found = self._by_id.get(id)
        if found is None or found.caller != caller or found.surface.name != surface.name:
            return None
        now = self._clock()
        if now - found.used > self._idle and not found.busy:
            self.end(found)
            return None
        found.used = now
        self._by_id.move_to_end(id)
        return found

    def end(self, session: Session) -> None:
        self._by_id.pop(session.id, None)
        session.end()

    def close_streams(self) -> None:
        for session in self._by_id.values():
            session.outbox.close()

    def _make_room(self) -> None:
        """Drop what has expired and, when full, the one unused for longest."""
        now = self._clock()
        while self._by_id:
            oldest = next(iter(self._by_id.values()))
            if len(self._by_id) >= self._most:
                self.end(oldest)
            elif now - oldest.used <= self._idle:
                return
            elif oldest.busy:
                oldest.used = now
                self._by_id.move_to_end(oldest.id)
            else:
                self.end(oldest)
