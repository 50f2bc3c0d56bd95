"""When to connect to an MCP server, and what is said of it meanwhile: the decisions, as values.

The rule: nothing here waits or knows the clock. `keeping.py` does what is decided here.

    connecting → up → connecting …      it worked for a while: at once, when it is lost
    connecting → waiting → connecting   after longer and longer, with full jitter
    up → asleep → connecting            nobody has called it for long; the next call wakes it
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.domain.text import cut
from gateway.errors import AuthorizationNeeded, BackendUnavailable, GatewayError

FIRST_DELAY = 0.25  # seconds, doubling
LONGEST_DELAY = 30.0
HOPELESS_DELAY = 60.0  # where trying again will not help before somebody mends something
STABLE = 1.0  # seconds; a server that was up for so long may be back at once
LONGEST_REASON = 500  # characters
GRACE = 1.0  # seconds that calls wait for a server that is being connected again

Rng = Callable[[], float]  # in [0, 1)


class Phase(StrEnum):
    CONNECTING = "connecting"
    UP = "up"
    WAITING = "waiting"
    ASLEEP = "asleep"


@dataclass(frozen=True, slots=True)
class State:
    """`since` when, on a monotonic clock; while waiting, `until` when. `reason` is why it is not
    up, None while it never was down. `failures` in a row; `known`: it was up before.
    """

    phase: Phase = Phase.CONNECTING
    since: float = 0.0
    until: float = 0.0
    failures: int = 0
    reason: str | None = None
    hopeless: bool = False
    hint: str | None = None
    known: bool = False

    @property
    def settled(self) -> bool:
        """Whether the first connection came about, or failed."""
        return self.known or self.failures > 0

    def connected(self, now: float) -> "State":
        """What counts as failures is kept until it has been up for a while."""
        return State(Phase.UP, now, failures=self.failures, known=True)

    def failed(self, now: float, error: GatewayError, rng: Rng) -> "State":
        """It could not be connected."""
        failures = self.failures + 1
        hopeless = is_hopeless(error)
        most = HOPELESS_DELAY if hopeless else ladder(failures)
        least = most / 2 if hopeless else 0.0
        hint = error.hint or (error.advice if hopeless else None)
        return State(
            Phase.WAITING,
            now,
            now + least + (most - least) * rng(),
            failures,
            one_line(str(error)),
            hopeless,
            hint,
            self.known,
        )

    def lost(self, now: float, reason: str, rng: Rng) -> "State":
        """It was up, and is no more."""
        reason = one_line(reason)
        if now - self.since >= STABLE:
            return State(Phase.CONNECTING, now, reason=reason, known=True)
        failures = self.failures + 1
        until = now + ladder(failures) * rng()
        return State(Phase.WAITING, now, until, failures, reason, known=True)

    def again(self, now: float) -> "State":
        """The wait is over, or somebody woke it."""
        return replace(self, phase=Phase.CONNECTING, since=now)

    def asleep(self, now: float) -> "State":
        return State(Phase.ASLEEP, now, known=True)

    def patience(self, now: float) -> float | None:
        """For how many seconds a call waits for it to be up: None as long as it can, 0 not at all.

        It can while it is the first connection that is under way, or somebody wakes it.
        """
        if self.phase is Phase.WAITING or (self.phase is Phase.CONNECTING and self.failures):
            return 0.0
        if self.reason is None:
            return None
        return max(0.0, self.since + GRACE - now)

    def outlook(self, now: float) -> str:
        """When it is tried next, in words."""
        if self.phase is Phase.WAITING:
            return f"next try in {readable(self.until - now)}"
        return "being connected again" if self.reason is not None else "being connected"

    def unavailable(self, name: str, now: float) -> BackendUnavailable:
        """The error of a call that does not get through. It says nothing new of how the server
        fares: who keeps it connected has seen to that.
        """
        if self.reason is None:
            error = BackendUnavailable(f"server {name!r} is still {self.outlook(now)}")
        else:
            text = f"server {name!r} is down: {self.reason}; {self.outlook(now)}"
            error = BackendUnavailable(text, hint=self.hint or self._advice(now))
        error.unwell = False
        return error

    def _advice(self, now: float) -> str | None:
        if self.phase is not Phase.WAITING or self.hopeless:
            return None
        return f"try again in {readable(self.until - now)}"

    @property
    def usable(self) -> bool:
        """Whether a call of it is served: it is up, or a call brings it up."""
        return self.known and self.reason is None

    def shown(self) -> str | None:
        """What a list says of it: nothing that changes while nothing else does."""
        if self.usable:
            return None if self.phase is Phase.UP else "asleep, wakes on call"
        if self.reason is None:
            return "connecting"
        if not self.hopeless:
            return f"{self.reason}; it is tried again by itself"
        mend = f"; {self.hint}" if self.hint else ""
        return f"{self.reason}; it is tried again every minute{mend}"


def is_hopeless(error: GatewayError) -> bool:
    """Whether somebody has to mend something before trying again can help."""
    return isinstance(error, AuthorizationNeeded) or not error.retryable


def ladder(failures: int) -> float:
    """The longest delay after so many failures in a row: 0.25 s, 0.5 s, … 30 s."""
    return min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(failures - 1, 16))


def one_line(reason: str) -> str:
    return cut(" ".join(reason.split()), LONGEST_REASON)


def readable(seconds: float) -> str:
    return "less than a second" if seconds < 1 else f"{seconds:.0f} s"
