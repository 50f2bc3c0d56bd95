"""Counting, lean enough for the path of each call: a dictionary look-up and three additions."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from gateway.domain.catalog import Catalog
from gateway.domain.issue import Issue

BOUNDS = (
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
)
MOST = 2_000  # combinations of labels that are told apart
OTHER = "other"

Labels = tuple[str, ...]


class Timing:
    """A histogram: how many took at most each of `BOUNDS` (and longer), and the seconds in all."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0


class Tally:
    """One combination of labels, bound once: its count, and the histogram it shares with others."""

    __slots__ = ("count", "timing")

    def __init__(self, timing: Timing) -> None:
        self.count = 0
        self.timing = timing


class Family:
    """Counts by labels, of which the last is the outcome; histograms by the first `timed` of them.

    What comes after the first `MOST` combinations is counted under `other`.
    """

    def __init__(self, timed: int) -> None:
        self.timed = timed
        self.tallies: dict[Labels, Tally] = {}
        self.timings: dict[Labels, Timing] = {}

    def add(self, labels: Labels, seconds: float) -> None:
        tally = self.tallies.get(labels) or self._bind(labels)
        tally.count += 1
        timing = tally.timing
        timing.counts[bisect_left(BOUNDS, seconds)] += 1
        timing.seconds += seconds

    def forget(self, first: Iterable[str]) -> None:
        """Drop what is counted under these first labels: backends that are no more."""
        gone = frozenset(first)
        self.tallies = {key: value for key, value in self.tallies.items() if key[0] not in gone}
        self.timings = {key: value for key, value in self.timings.items() if key[0] not in gone}

    def _bind(self, labels: Labels) -> Tally:
        if len(self.tallies) >= MOST:
            labels = (OTHER,) * len(labels)
        timing = self.timings.setdefault(labels[: self.timed], Timing())
        return self.tallies.setdefault(labels, Tally(timing))


class Counts:
    """Counts by labels alone; what comes after the first `MOST` is counted under `other`."""

    def __init__(self) -> None:
        self.counts: dict[Labels, int] = {}

    def add(self, labels: Labels) -> None:
        counts = self.counts
        if labels not in counts and len(counts) >= MOST:
            labels = (OTHER,) * len(labels)
        counts[labels] = counts.get(labels, 0) + 1

    def forget(self, gone: Callable[[Labels], bool]) -> None:
        self.counts = {key: count for key, count in self.counts.items() if not gone(key)}


class Names:
    """The first `most` names that come by; each later one is `other`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[str, str] = {}

    def of(self, name: str) -> str:
        return self._known.get(name) or self._new(name)

    def _new(self, name: str) -> str:
        if len(self._known) >= self._most:
            return OTHER
        return self._known.setdefault(name, name)


class Recorded(Protocol):
    """What whoever writes the audit tells of it."""

    @property
    def written(self) -> int:
        """Lines, since the start."""
        ...

    @property
    def dropped(self) -> Mapping[str, int]:
        """Lines that are lost, by the reason."""
        ...


Gauges = Mapping[str, Callable[[], int]]  # `connections`, `sessions`, `streams`: open right now


@dataclass(slots=True)
class Figures:
    """All there is to show. Times are seconds of the Unix epoch, 0 when it never happened.
    `circuits`: backend → the state of its circuit breaker.
    """

    requests: Family = field(default_factory=partial(Family, 2))  # method, era, outcome
    calls: Family = field(default_factory=partial(Family, 2))  # backend, tool, agent, outcome
    queries: Family = field(default_factory=partial(Family, 2))  # backend, method, outcome
    metas: Family = field(default_factory=partial(Family, 1))  # tool, outcome
    searches: Family = field(default_factory=partial(Family, 0))  # outcome
    reloads: Family = field(default_factory=partial(Family, 0))  # outcome
    callers: Counts = field(default_factory=Counts)  # caller, outcome
    circuit_changes: Counts = field(default_factory=Counts)  # backend, state
    limited: Counts = field(default_factory=Counts)  # limit, subject
    refused: Counts = field(default_factory=Counts)  # reason
    circuits: dict[str, str] = field(default_factory=dict)
    last_reload: float = 0.0
    last_success: float = 0.0
    catalog: Catalog = field(default_factory=Catalog)
    issues: tuple[Issue, ...] = ()
    gauges: Gauges = field(default_factory=dict)
    audit: Recorded | None = None
