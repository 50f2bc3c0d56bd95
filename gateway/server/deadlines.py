"""How long one connection has been at what it is at, by the looks that a sweep takes at it.

A sweep now and then sees all connections, so that a call sets no timer and reads no clock; what is
timed begins with the first look (T4, I10, I11, F13).
"""

import enum

from gateway.server.limits import Limits

FAREWELL = 2.0  # seconds in which a client may take our last answer while it still sends


class Phase(enum.Enum):
    """What a connection waits for."""

    HEAD = enum.auto()
    BODY = enum.auto()
    ANSWER = enum.auto()
    IDLE = enum.auto()
    FAREWELL = enum.auto()


class Deadlines:
    __slots__ = ("_limits", "_phase", "_served", "_since", "_unread_since")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._phase = Phase.IDLE
        self._served = -1
        self._since = 0.0
        self._unread_since: float | None = None

    def stalled(self, unread: int, now: float) -> bool:
        """Whether some of an answer has been unread for too long."""
        if not unread:
            self._unread_since = None
        elif self._unread_since is None:
            self._unread_since = now
        else:
            return now - self._unread_since > self._limits.stalled
        return False

    def passed(self, phase: Phase, served: int, now: float) -> bool:
        """Whether it has been in this phase for too long, `served` requests having come so far."""
        if phase is not self._phase or served != self._served:
            self._phase, self._served, self._since = phase, served, now
            return False
        return now - self._since > self._patience(phase)

    def _patience(self, phase: Phase) -> float:
        limits = self._limits
        match phase:
            case Phase.HEAD:
                return limits.head
            case Phase.BODY:
                return limits.body
            case Phase.IDLE:
                return limits.idle
            case Phase.FAREWELL:
                return FAREWELL
            case Phase.ANSWER:
                return float("inf")  # a call has its own deadline
