"""The rates of one backend: of all requests together, and of single tools within that."""

import math
from collections.abc import Callable

from gateway.domain.globs import any_of
from gateway.failsafe.bucket import Bucket
from gateway.failsafe.settings import Rate

MOST_KEPT = 4_096  # tools; a server that is only just connecting is asked for whatever name


class Rates:
    """`take` gives the seconds to wait, 0 where there is room, and the tool whose rate it is; None
    for that of the backend.
    """

    __slots__ = ("_all", "_rate", "_tools", "_which")

    def __init__(self, rate: Rate) -> None:
        self._all = Bucket(rate.per_second, rate.burst)
        self._tools: dict[str, Bucket | None] = {}
        self._which: tuple[tuple[Callable[[str], bool], float], ...]
        self._sort(rate)

    def resize(self, rate: Rate) -> None:
        """From now on; what was taken stays taken."""
        self._all.resize(rate.per_second, rate.burst)
        if rate.tools == self._rate.tools:
            return
        self._sort(rate)
        before, self._tools = self._tools, {}
        for name, bucket in before.items():
            found = self._of(name)
            if bucket is not None and found is not None:
                bucket.resize(found, _burst(found))
                self._tools[name] = bucket

    def take(self, tool: str | None, now: float) -> tuple[float, str | None]:
        if tool is None or not self._which:
            return self._all.take(now), None
        own = self._bucket(tool)
        if own is not None:
            wait = own.wait(now)
            if wait > 0.0:
                return wait, tool
        wait = self._all.take(now)
        if own is not None and wait <= 0.0:
            own.take(now)
        return wait, None

    def _sort(self, rate: Rate) -> None:
        self._rate = rate
        self._which = tuple((any_of((glob,)), each) for glob, each in rate.tools.items())

    def _of(self, tool: str) -> float | None:
        return next((rate for fits, rate in self._which if fits(tool)), None)

    def _bucket(self, tool: str) -> Bucket | None:
        if tool in self._tools:
            return self._tools[tool]
        if len(self._tools) >= MOST_KEPT:
            self._tools.clear()
        rate = self._of(tool)
        found = None if rate is None else Bucket(rate, _burst(rate))
        self._tools[tool] = found
        return found


def _burst(rate: float) -> int:
    """A second's worth at once."""
    return max(1, math.ceil(rate))
