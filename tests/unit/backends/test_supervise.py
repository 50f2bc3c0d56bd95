"""When a server is connected, and what is said meanwhile."""

import pytest

from gateway.backends.supervise import (
    GRACE,
    HOPELESS_DELAY,
    LONGEST_DELAY,
    STABLE,
    Phase,
    State,
    ladder,
)
from gateway.errors import (
    AuthorizationNeeded,
    BackendUnavailable,
    BadResponse,
    GatewayError,
    Reached,
)
from gateway.http.failures import Unreachable

DOWN = BackendUnavailable("connection refused")


def most() -> float:
    return 1.0


def up(since: float = 0.0) -> State:
    return State().connected(since)


def test_at_first_it_is_being_connected_and_calls_wait() -> None:
    state = State()
    assert state.phase is Phase.CONNECTING
    assert state.patience(100.0) is None
    assert not state.settled
    assert not state.usable
    assert state.shown() == "connecting"


def test_up_it_is_settled_and_there_is_nothing_to_say() -> None:
    assert up().phase is Phase.UP
    assert up().settled
    assert up().usable
    assert up().shown() is None


def test_the_delays_double_up_to_the_longest() -> None:
    assert [ladder(n) for n in range(1, 9)] == [0.25, 0.5, 1, 2, 4, 8, 16, LONGEST_DELAY]
    assert ladder(100_000) == LONGEST_DELAY


@pytest.mark.parametrize(("roll", "wait"), [(0.0, 0.0), (0.5, 0.25), (1.0, 0.5)])
def test_the_whole_delay_is_jitter(roll: float, wait: float) -> None:
    state = State().failed(10.0, DOWN, lambda: roll).again(11.0).failed(20.0, DOWN, lambda: roll)
    assert state.phase is Phase.WAITING
    assert state.until == 20.0 + wait


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("no program 'npxx'"),
        BadResponse("no MCP server"),
        AuthorizationNeeded("a person has to let us in", "https://as.test/authorize"),
    ],
)
def test_what_somebody_has_to_mend_is_tried_rarely(error: GatewayError) -> None:
    assert State().failed(0.0, error, lambda: 0.0).until == HOPELESS_DELAY / 2
    assert State().failed(0.0, error, most).until == HOPELESS_DELAY


def test_a_server_lost_after_a_while_is_connected_again_at_once() -> None:
    state = up(10.0).lost(10.0 + STABLE, "exit code 1", most)
    assert state.phase is Phase.CONNECTING
    assert state.patience(10.0 + STABLE) == GRACE
    assert state.patience(10.0 + STABLE + GRACE / 2) == pytest.approx(GRACE / 2)
    assert state.patience(100.0) == 0
    assert state.shown() == "exit code 1; it is tried again by itself"
    assert not state.usable


def test_a_server_that_dies_young_again_and_again_waits_longer_and_longer() -> None:
    state, waits = State(), []
    for _ in range(10):
        state = state.connected(0.0).lost(STABLE / 2, "exit code 1", most)
        assert state.phase is Phase.WAITING
        waits.append(state.until - STABLE / 2)
        state = state.again(state.until)
    assert waits == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert state.connected(0.0).lost(STABLE, "exit code 1", most).failures == 0


def test_a_call_while_it_waits_reads_why_and_when() -> None:
    state = State()
    for _ in range(8):
        state = state.again(0.0).failed(0.0, DOWN, most)
    assert state.patience(1.0) == 0
    error = state.unavailable("files", 18.0)
    assert str(error) == "server 'files' is down: connection refused; next try in 12 s"
    assert error.hint == "try again in 12 s"
    assert error.reached is Reached.NOT_SENT
    soon = state.unavailable("files", 29.5)
    assert "next try in less than a second" in str(soon)
    again = state.again(30.0)
    assert again.patience(30.0) == 0
    assert "connection refused; being connected again" in str(again.unavailable("files", 30.0))


def test_what_a_person_has_to_do_is_the_hint_and_is_shown() -> None:
    error = AuthorizationNeeded("a person has to let us in", "https://as.test/authorize")
    state = State().failed(0.0, error, most)
    assert state.unavailable("files", 1.0).hint == error.hint
    shown = f"a person has to let us in; it is tried again every minute; {error.hint}"
    assert state.shown() == shown


def test_a_first_connection_that_takes_too_long_says_so() -> None:
    assert str(State().unavailable("files", 5.0)) == "server 'files' is still being connected"


def test_asleep_it_is_well_and_calls_wait_for_it_to_wake() -> None:
    asleep = up().asleep(50.0)
    assert asleep.usable
    assert asleep.shown() == "asleep, wakes on call"
    waking = asleep.again(60.0)
    assert waking.patience(80.0) is None
    assert waking.shown() == "asleep, wakes on call"
    failed = waking.failed(61.0, DOWN, most)
    assert not failed.usable
    assert failed.settled


def test_what_is_shown_does_not_change_while_it_is_tried_again() -> None:
    state = State().failed(0.0, DOWN, most)
    shown = {state.shown()}
    for _ in range(5):
        state = state.again(0.0)
        shown.add(state.shown())
        state = state.failed(0.0, DOWN, most)
        shown.add(state.shown())
    assert shown == {"connection refused; it is tried again by itself"}


def test_a_reason_is_one_line_of_some_measure() -> None:
    state = State().failed(0.0, BackendUnavailable("a\nb\r\n  c" + "x" * 10_000), most)
    assert state.reason is not None
    assert state.reason.startswith("a b c")
    assert len(state.reason) < 600
