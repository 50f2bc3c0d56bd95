"""A circuit breaker against a model that remembers everything, a bucket against counting."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.failsafe.breaker import TURNS, Breaker, Circuit, Limits, Turn
from gateway.failsafe.bucket import Bucket


class Breaking(RuleBasedStateMachine):
    """Requests come and end in any order, and time passes."""

    @initialize(failures=st.integers(1, 4), successes=st.integers(1, 3), rest=st.integers(1, 10))
    def begin(self, failures: int, successes: int, rest: int) -> None:
        self.limits = Limits(failures, successes, rest)
        self.breaker = Breaker(self.limits)
        self.now = 100.0
        self.state = Circuit.CLOSED
        self.row = 0  # failures while closed, successes while half open
        self.opened = 0.0
        self.inside: list[tuple[int, int]] = []  # tickets, and the era they are of
        self.era = 0

    def turn(self, state: Circuit) -> None:
        self.state, self.row = state, 0
        self.era += 1
        if state is Circuit.OPEN:
            self.opened = self.now

    def out(self) -> int:
        """Requests that were let through in this era and have not ended."""
        return sum(era == self.era for _, era in self.inside)

    @rule()
    def ask(self) -> None:
        if self.state is Circuit.OPEN and self.now >= self.opened + self.limits.rest:
            self.turn(Circuit.HALF_OPEN)
        allowed = self.state is Circuit.CLOSED or (
            self.state is Circuit.HALF_OPEN and self.out() == 0
        )
        ticket = self.breaker.admit(self.now)
        assert (ticket is not None) == allowed
        if ticket is not None:
            self.inside.append((ticket, self.era))

    @precondition(lambda self: self.inside)
    @rule(data=st.data(), how=st.sampled_from(["failed", "succeeded", "abandoned"]))
    def end(self, data: st.DataObject, how: str) -> None:
        ticket, era = self.inside.pop(data.draw(st.integers(0, len(self.inside) - 1)))
        if how == "failed":
            self.breaker.failed(ticket, self.now)
        elif how == "succeeded":
            self.breaker.succeeded(ticket, self.now)
        else:
            self.breaker.abandoned(ticket)
        if era != self.era or how == "abandoned":
            return
        closed = self.state is Circuit.CLOSED
        if how == "failed":
            self.row += 1
            if not closed or self.row >= self.limits.failures:
                self.turn(Circuit.OPEN)
        elif closed:
            self.row = 0
        else:
            self.row += 1
            if self.row >= self.limits.successes:
                self.turn(Circuit.CLOSED)

    @rule(seconds=st.integers(0, 7))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @invariant()
    def they_agree(self) -> None:
        if not hasattr(self, "breaker"):
            return
        assert self.breaker.circuit is self.state
        left = self.opened + self.limits.rest - self.now
        assert self.breaker.after(self.now) == (
            max(0.0, left) if self.state is Circuit.OPEN else 0.0
        )
        assert self.breaker.clean == (self.state is Circuit.CLOSED and self.row == 0)


TestBreaking = Breaking.TestCase


def test_the_table_leads_from_every_state_back_to_closed() -> None:
    reached = {Circuit.CLOSED}
    while True:
        more = {to for (state, _), to in TURNS.items() if state in reached} - reached
        if not more:
            break
        reached |= more
    assert reached == set(Circuit)
    assert all((state, Turn.FAILED) in TURNS for state in (Circuit.CLOSED, Circuit.HALF_OPEN))


@given(
    rate=st.integers(1, 50),
    burst=st.integers(1, 20),
    gaps=st.lists(st.floats(0, 2, allow_nan=False), min_size=1, max_size=200),
)
def test_a_bucket_never_lets_through_more_than_burst_and_rate(
    rate: int, burst: int, gaps: list[float]
) -> None:
    bucket, now, taken = Bucket(rate, burst), 50.0, []
    for gap in gaps:
        now += gap
        foreseen = bucket.wait(now)
        wait = bucket.take(now)
        assert wait == foreseen
        if wait == 0:
            taken.append(now)
        else:
            assert bucket.wait(now + wait + 1e-9) == 0, "it says exactly when there is room"
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            span = taken[last] - taken[first]
            assert last - first + 1 <= burst + rate * span + 1e-6
