"""How often something may happen: so many a second, and a burst of them at once.

The generic cell rate algorithm (ITU-T I.371, annex A): one number a bucket, the time at which it
would be full again. Pure: the clock is the caller's, and monotonic.
"""


class Bucket:
    """`rate` in events a second, `burst` in events. `now` in seconds."""

    __slots__ = ("_apart", "_full_at", "_slack")

    def __init__(self, rate: float, burst: float) -> None:
        self._full_at = 0.0
        self.resize(rate, burst)

    def resize(self, rate: float, burst: float) -> None:
        """From now on; what was taken stays taken."""
        self._apart = 1.0 / rate
        self._slack = (burst - 1.0) / rate

    def wait(self, now: float) -> float:
        """Seconds until there is room; 0 where there is."""
        early = self._full_at - self._slack - now
        return max(0.0, early)

    def take(self, now: float) -> float:
        """The same, and takes what there is room for."""
        full_at = self._full_at
        early = full_at - self._slack - now
        if early > 0.0:
            return early
        self._full_at = (max(now, full_at)) + self._apart
        return 0.0

    def idle(self, now: float) -> bool:
        """Whether it is as good as new."""
        return self._full_at <= now
