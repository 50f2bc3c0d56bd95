"""One line for each request: an observer that hands events to a thread and never waits for it."""

import time
from collections import Counter
from collections.abc import Callable, Mapping

from gateway.domain.client import NOTHING
from gateway.domain.events import CallFinished, Event, MetaFinished, Queried
from gateway.domain.tool import JsonObject
from gateway.errors import AuditUnavailable
from gateway.observe.audit_copy import MOST_TEXT, Copy, Left, copied
from gateway.observe.audit_line import Entry, Told
from gateway.observe.audit_writer import Writer

MOST_WAITING = 10_000  # lines that wait to be written
ROOM = MOST_WAITING // 2  # of them before new calls are refused: the rest is for those in flight
MOST_WEIGHT = 256 * MOST_TEXT  # of all arguments that wait; those of calls beyond are left out
LEFT_OUT = Copy(Left("(left out: too much waits to be written)"), 0)
HUNG = 1.0  # seconds that a single write may take before it counts as failed
FULL, STOPPED = "queue_full", "stopped"  # why lines are lost


_OF_CALL, _OF_META = (kind._fields.index("arguments") for kind in (CallFinished, MetaFinished))


class Audit:
    """Call it with events, and `recorded` before a request is carried out. `close` blocks, and so,
    for a moment, does `start`.

    Of a text in arguments `longest` characters are kept; None: arguments are not written down. Each
    event has a number, also one whose line is lost: a gap in the file shows it.
    """

    def __init__(
        self, writer: Writer, longest: int | None = None, wall: Callable[[], float] = time.time
    ) -> None:
        self._writer = writer
        self._longest = longest
        self._wall = wall
        self._number = 0
        self._weight = 0  # of all arguments that were ever put into the queue
        self._dropped: Counter[str] = Counter()
        self._closed = False

    @property
    def written(self) -> int:
        """Lines, since the start."""
        return self._writer.written

    @property
    def dropped(self) -> Mapping[str, int]:
        """Lines that are lost, by the reason."""
        return self._dropped

    @property
    def waiting(self) -> int:
        """Lines that are yet to be written."""
        return self._writer.waiting

    @property
    def failing(self) -> str | None:
        """Why nothing can be written just now."""
        return self._writer.failing

    def __call__(self, event: Event) -> None:
        if isinstance(event, CallFinished):
            place = _OF_CALL
            bare = CallFinished._make((*event[:place], NOTHING, *event[place + 1 :]))
            self._put(bare, event.arguments)
        elif isinstance(event, MetaFinished):
            place = _OF_META
            meta = MetaFinished._make((*event[:place], NOTHING, *event[place + 1 :]))
            self._put(meta, event.arguments)
        elif isinstance(event, Queried):
            self._put(event, NOTHING)

    def recorded(self) -> None:
        """Raises AuditUnavailable while nothing may be done, for it could not be written down."""
        writer = self._writer
        if writer.failing is not None or len(writer.queue) >= ROOM or writer.hangs(HUNG):
            raise AuditUnavailable("the audit cannot be written, and nothing is done unwritten")

    def start(self) -> str | None:
        """Gives why it cannot be written just now; what waits is written once it can be."""
        return self._writer.start()

    def close(self, within: float) -> int:
        """Write what waits, if that can be done in so many seconds; gives how many lines cannot
        be. Events that come later are counted as lost too.
        """
        self._closed = True
        lost = self._writer.finish(within)
        if lost:
            self._dropped[STOPPED] += lost
        return lost

    def _put(self, event: Told, arguments: JsonObject) -> None:
        self._number += 1
        writer = self._writer
        waiting = len(writer.queue)
        if waiting >= ROOM or self._closed:
            refused = event.outcome == AuditUnavailable.code  # one of many, and nothing was done
            if waiting >= MOST_WAITING or refused or self._closed:
                self._dropped[STOPPED if self._closed else FULL] += 1
                return
        copy = None if self._longest is None or not arguments else self._copied(arguments)
        writer.put(Entry(self._number, self._wall(), event, copy))

    def _copied(self, arguments: JsonObject) -> Copy:
        if self._weight - self._writer.taken > MOST_WEIGHT:
            return LEFT_OUT
        copy = copied(arguments, self._longest or 0)
        self._weight += copy.weight
        return copy
