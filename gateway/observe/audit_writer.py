"""The thread that writes: what is put into its queue is rendered and written in order, and kept
until it can be.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from gateway.observe.audit_append import NotWritten, Sink, reason_of
from gateway.observe.audit_line import Entry, Rendering

log = logging.getLogger(__name__)

AT_ONCE = 64  # entries rendered before others may run: a third of a millisecond
GATHER = 0.02  # seconds in which more may come, before they are written together
RETRY = 0.25  # seconds between two tries to write
HUNG = 0.5  # seconds that a last try to write may take
LOOK = 1.0  # seconds between two looks at a file that nothing is written to


class Writer:
    """`put` from one thread; the rest reads numbers that only this one changes.

    `failing` is why nothing can be written just now. `taken` is the weight of all that is rendered.
    """

    def __init__(
        self,
        rendering: Rendering,
        sink: Sink,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.queue: deque[Entry] = deque()
        self.written = 0
        self.taken = 0
        self.failing: str | None = None
        self._rendering = rendering
        self._sink = sink
        self._clock = clock
        self._since = 0.0  # when the write that goes on began; 0: none does
        self._lines: list[bytes] = []  # rendered, and not yet written
        self._asleep = False
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._given_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)

    @property
    def waiting(self) -> int:
        return len(self.queue) + len(self._lines)

    def start(self) -> str | None:
        """Gives why nothing can be written just now."""
        try:
            self._sink.look()
        except OSError as error:
            self.failing = reason_of(error)
        reason = self.failing
        self._thread.start()
        return reason

    def put(self, entry: Entry) -> None:
        self.queue.append(entry)
        if self._asleep:
            self._asleep = False
            self._wake.set()

    def hangs(self, most: float) -> bool:
        """Whether one write takes longer than `most` seconds already."""
        since = self._since
        return since > 0 and self._clock() - since > most

    def finish(self, within: float) -> int:
        """Write what waits, if that can be done within so many seconds; gives how many lines cannot
        be. Blocks.
        """
        self._stop.set()
        self._wake.set()
        if self._thread.ident is None:  # it was never started, for there was nothing to write
            if not self.queue:
                return 0
            self._thread.start()
        self._thread.join(within)
        self._given_up.set()
        self._thread.join(HUNG)
        return self.waiting

    def _run(self) -> None:
        try:
            self._write_on()
        finally:
            if not self._stop.is_set():
                self.failing = "the thread that writes has ended"
            self._sink.close()

    def _write_on(self) -> None:
        while not self._given_up.is_set():
            if not self.waiting:
                if self._stop.is_set():
                    return
                self._rest()
            elif self.failing is None:
                self._stop.wait(GATHER)
                self._write_all()
            else:
                (self._given_up if self._stop.is_set() else self._stop).wait(RETRY)
                self._write_all()

    def _rest(self) -> None:
        """Until there is something to do, with a look at the file now and then."""
        self._wake.clear()
        self._asleep = True
        if self.queue or self._stop.is_set() or self._wake.wait(LOOK):
            self._asleep = False
            return
        self._asleep = False
        self._since = self._clock()
        try:
            self._sink.look()
        except OSError as error:
            self._failed(reason_of(error))
        else:
            self._succeeded()
        self._since = 0.0

    def _write_all(self) -> None:
        """What waits now. What comes meanwhile is gathered for the next time: under load there is
        always something, and to write it by ones and twos costs more than all the rest.
        """
        left = len(self.queue)
        while self._lines or left > 0:
            if not self._lines:
                left -= AT_ONCE
                self._render()
            self._since = self._clock()
            try:
                self._sink.put(b"".join(self._lines))
            except NotWritten as error:
                self._count(error.whole)
                self._failed(error.reason)
                return
            finally:
                self._since = 0.0
            self.written += len(self._lines)
            self._lines = []
            self._succeeded()

    def _render(self) -> None:
        lines = []
        for _ in range(min(AT_ONCE, len(self.queue))):
            entry = self.queue.popleft()
            lines.append(self._rendered(entry))
            if entry.arguments is not None:
                self.taken += entry.arguments.weight
        self._lines = lines

    def _rendered(self, entry: Entry) -> bytes:
        try:
            return self._rendering(entry)
        except Exception as error:
            log.exception("audit_line_failed", extra={"id": entry.event.id})
            return self._rendering.faulty(entry, type(error).__name__)

    def _count(self, whole: int) -> None:
        """The lines in the first `whole` bytes are written."""
        done = size = 0
        while size < whole:
            size += len(self._lines[done])
            done += 1
        self.written += done
        self._lines = self._lines[done:]

    def _failed(self, reason: str) -> None:
        if self.failing is None:
            log.error("audit_failed", extra={"reason": reason})
        self.failing = reason

    def _succeeded(self) -> None:
        if self.failing is not None:
            self.failing = None
            log.warning("audit_recovered", extra={"waiting": self.waiting})
