import pytest

from gateway.domain.identity import ANONYMOUS, Identity
from gateway.errors import StateRejected
from gateway.protocol.eras import MODERN
from gateway.protocol.jsonrpc import Request
from gateway.server.asked import Asked
from gateway.server.seal import Seal, Ticket, bound_to
from gateway.server.surface import BackendSurface

TICKET = Ticket("call", 3)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_state_opens_for_what_it_was_issued_for_until_it_lapses() -> None:
    clock = Clock()
    seal = Seal(clock)
    state = seal.issue(TICKET, b"bound", 10)
    assert seal.ours(state)
    assert seal.open(state, b"bound") == TICKET
    clock.now += 12
    with pytest.raises(StateRejected, match="lapsed"):
        seal.open(state, b"bound")


def test_any_change_breaks_the_seal() -> None:
    seal = Seal()
    state = seal.issue(TICKET, b"bound", 10)
    for place, letter in enumerate(state):
        other = "x" if letter != "x" else "y"
        with pytest.raises(StateRejected):
            seal.open(state[:place] + other + state[place + 1 :], b"bound")
    with pytest.raises(StateRejected):
        seal.open(state, b"another")


def test_a_state_of_another_process_is_not_taken_for_ours() -> None:
    """As that of a gateway behind this one, which has to reach it."""
    theirs = Seal().issue(TICKET, b"bound", 10)
    assert not Seal().ours(theirs)
    for strange in (None, 5, {}, "", "capgate."):
        assert not Seal().ours(strange)


def test_what_a_state_is_bound_to_is_the_request_without_what_a_retry_changes() -> None:
    def asked(caller: Identity = ANONYMOUS, surface: str = "a", id: int = 1, **params: object):
        request = Request(id, "tools/call", {"name": "t", "arguments": {"x": 1, "y": 2}, **params})
        return bound_to(Asked(BackendSurface(surface), request, MODERN, caller))

    first = asked()
    retry = {"requestState": "s", "inputResponses": {}, "_meta": {"a": 1}}
    assert asked(id=2, arguments={"y": 2, "x": 1}, **retry) == first
    others = [
        asked(Identity("mallory")),
        asked(Identity("anonymous", agent="writer")),
        asked(surface="b"),
        asked(name="u"),
        asked(arguments={"x": 1}),
        asked(arguments={"x": 1, "y": "2"}),
        asked(task={}),
    ]
    assert first not in others
    assert len(set(others)) == len(others)
