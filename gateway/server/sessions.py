"""Legacy sessions: what `initialize` settled, until DELETE, silence or too many newer ones end it.

A session belongs to one caller and one surface; to anyone else, and at any other URL, it does not
exist. Nothing here is ever "the only session".
"""

import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.domain.client import NOTHING
from gateway.domain.identity import Identity
from gateway.domain.tool import JsonObject
from gateway.protocol.eras import Revision
from gateway.server.calls import Calls
from gateway.server.dialogue import Dialogue
from gateway.server.hearing import Hearing
from gateway.server.outboxes import Clock, Memory, Outbox, Outboxes
from gateway.server.surface import Surface

IDLE = 3600.0  # seconds without a request or an open stream
MOST = 10_000  # sessions; the one unused for longest makes room


@dataclass(slots=True, eq=False)
class Session:
    """What one `initialize` settled. `used` is when its client last spoke, on the clock given."""

    id: str
    revision: Revision
    caller: Identity
    surface: Surface
    outboxes: Outboxes
    used: float
    dialogue: Dialogue = field(default_factory=Dialogue)
    calls: Calls = field(default_factory=Calls)
    hearing: Hearing | None = None  # whoever opened the session sets it

    def end(self) -> None:
        if self.hearing is not None:
            self.hearing.close()
        self.dialogue.end()
        self.outboxes.close()

    def part(self) -> None:
        """Its caller is let in no more; what is being answered still is."""
        if self.hearing is not None:
            self.hearing.close()
        self.dialogue.end()
        self.outbox.close()

    @property
    def outbox(self) -> Outbox:
        """What comes unasked: that of the GET stream."""
        return self.outboxes.unasked

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
        self._memory = Memory(clock)
        self._by_id: OrderedDict[str, Session] = OrderedDict()
        self._callers: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._by_id)

    def open(
        self,
        revision: Revision,
        caller: Identity,
        surface: Surface,
        capabilities: JsonObject = NOTHING,
    ) -> Session:
        """A new one; `capabilities` are those that its client declared."""
        self._make_room(caller)
        session = Session(
            secrets.token_hex(16),
            revision,
            caller,
            surface,
            Outboxes(self._memory),
            self._clock(),
            Dialogue(capabilities),
        )
        self._by_id[session.id] = session
        self._callers[caller.name] += 1
        return session

    def find(self, id: str, caller: Identity, surface: Surface) -> Session | None:
        """The session of that id, if it is this caller's and was opened at this URL."""
        found = self._by_id.get(id)
        if found is None or found.caller.name != caller.name:
            return None
        if found.surface.name != surface.name:
            return None
        now = self._clock()
        if now - found.used > self._idle and not found.busy:
            self.end(found)
            return None
        found.used = now
        self._by_id.move_to_end(id)
        return found

    def end(self, session: Session) -> None:
        self._forget(session)
        session.end()

    def end_where(self, gone: Callable[[Identity, Surface], bool]) -> None:
        """End those of whose caller and surface that is true, but for the calls in flight."""
        for session in tuple(self._by_id.values()):
            if gone(session.caller, session.surface):
                self._forget(session)
                session.part()

    def close_streams(self) -> None:
        for session in self._by_id.values():
            session.outbox.close()

    def _forget(self, session: Session) -> None:
        if self._by_id.pop(session.id, None) is not None:
            name = session.caller.name
            self._callers[name] -= 1
            if not self._callers[name]:
                del self._callers[name]

    def _unused(self, caller: Identity) -> Session:
        """The one unused for longest: of those of `caller`, where it has half of all."""
        own = 2 * self._callers[caller.name] >= self._most
        return next(
            one for one in self._by_id.values() if not own or one.caller.name == caller.name
        )

    def _make_room(self, caller: Identity) -> None:
        """Drop what has expired and, when full, the one unused for longest."""
        now = self._clock()
        while self._by_id:
            oldest = next(iter(self._by_id.values()))
            if len(self._by_id) >= self._most:
                self.end(self._unused(caller))
            elif now - oldest.used <= self._idle:
                return
            elif oldest.busy:
                oldest.used = now
                self._by_id.move_to_end(oldest.id)
            else:
                self.end(oldest)
