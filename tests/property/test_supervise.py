"""Whatever happens to a server, its supervision stays in its bounds."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.backends.supervise import HOPELESS_DELAY, LONGEST_DELAY, Phase, State
from gateway.errors import BackendUnavailable, BadResponse

ERRORS = st.sampled_from([BackendUnavailable("gone"), BadResponse("no MCP")])
STEPS = st.lists(
    st.tuples(
        st.floats(0, 100),  # seconds until it happens
        st.floats(0, 0.999),  # the dice
        st.sampled_from(["well", "ill", "idle"]),
        ERRORS,
    ),
    max_size=60,
)


def after(state: State, now: float, roll: float, what: str, error: BackendUnavailable) -> State:
    """The next state, as the driver would have it."""
    if state.phase is Phase.CONNECTING:
        return state.connected(now) if what == "well" else state.failed(now, error, lambda: roll)
    if state.phase is Phase.UP:
        return state.asleep(now) if what == "idle" else state.lost(now, str(error), lambda: roll)
    return state.again(now)


@given(STEPS)
def test_it_never_gets_stuck_nor_waits_for_longer_than_promised(
    steps: list[tuple[float, float, str, BackendUnavailable]],
) -> None:
    state, now = State(), 0.0
    for wait, roll, what, error in steps:
        now += wait
        before, state = state, after(state, now, roll, what, error)
        assert state.settled >= before.settled
        assert state.known == (before.known or state.phase is Phase.UP)
        assert (state.shown() is None) == (state.phase is Phase.UP)
        assert state.usable == (state.known and state.reason is None)
        if state.phase is Phase.WAITING:
            most = HOPELESS_DELAY if state.hopeless else LONGEST_DELAY
            assert 0 <= state.until - now <= most
            assert state.patience(now) == 0
        if state.phase is Phase.CONNECTING:
            patience = state.patience(now)
            assert patience is None or 0 <= patience <= 1
            assert (patience is None) == (state.reason is None and state.failures == 0)
        text = str(state.unavailable("files", now))
        assert text.startswith("server 'files' is ")
        assert "\n" not in text
