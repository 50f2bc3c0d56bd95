"""How many requests are at one backend at once; those beyond wait in line, a bounded number.

The rule: whoever leaves hands the place to the first in line, so nobody overtakes. While there is
room, it costs a comparison and an addition.
"""

import asyncio
import math
from collections import deque

from gateway.domain.text import counted
from gateway.errors import Busy, DeadlineExceeded, GatewayError, Reached

EARLY = 0.001  # seconds before the deadline of a whole call, which knows less of it

_Place = asyncio.Future[None]


class Gate:
    """Whoever finds `inside < most` adds one to `inside`; everybody else awaits `wait`. Each then
    calls `leave`, once.
    """

    __slots__ = ("_closed", "_line", "_name", "_queue", "away", "inside", "most")

    def __init__(self, name: str, most: int, queue: int) -> None:
        self._name = name
        self._queue = queue
        self._line: deque[_Place] = deque()
        self._closed: GatewayError | None = None
        self.most = most
        self.inside = 0
        self.away = 0  # gone from inside for a while, and coming back

    def __repr__(self) -> str:
        return f"<Gate {self.inside} of {self.most} inside, {len(self._line)} waiting>"

    @property
    def waiting(self) -> int:
        return len(self._line)

    async def wait(self, until: float = math.inf) -> None:
        """Get in when it is one's turn. Raises Busy, DeadlineExceeded when that is not before
        `until` (loop time), or what `close` was given.
        """
        if self._closed is not None:
            raise self._closed
        if len(self._line) >= self._queue:
            text = f"server {self._name!r} is busy: {counted(self.inside, 'request')} at work"
            raise Busy(f"{text}, {len(self._line)} waiting")
        place: _Place = asyncio.get_running_loop().create_future()
        self._line.append(place)
        try:
            async with asyncio.timeout_at(until - EARLY if until < math.inf else None):
                await self._wait_at(place)
        except TimeoutError:
            text = f"server {self._name!r} is busy: no turn came in time"
            late = DeadlineExceeded(text, reached=Reached.NOT_SENT)
            late.unwell = False  # it is asked too much; whether it does well, others find out
            raise late from None

    async def back(self) -> None:
        """Get in again, before everybody who waits and however many do. Raises what `close` was
        given.
        """
        if self._closed is not None:
            raise self._closed
        if self.inside < self.most:
            self.inside += 1
            return
        place: _Place = asyncio.get_running_loop().create_future()
        self._line.appendleft(place)
        await self._wait_at(place)

    async def _wait_at(self, place: _Place) -> None:
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                self.leave()  # it was handed over already
            elif place in self._line:
                self._line.remove(place)
            raise

    def leave(self) -> None:
        while self._line and self.inside <= self.most:
            place = self._line.popleft()
            if not place.done():
                place.set_result(None)
                return
        self.inside -= 1

    def resize(self, most: int, queue: int) -> None:
        """From now on; whoever waits and has room now is let in."""
        self.most, self._queue = most, queue
        while self.inside < self.most and self._line:
            self.inside += 1
            self.leave()

    def close(self, error: GatewayError) -> None:
        """Turn away who waits, and whoever would have to."""
        self._closed = error
        while self._line:
            place = self._line.popleft()
            if not place.done():
                place.set_exception(error)
