import pytest

from gateway.domain.identity import ANONYMOUS, Identity
from gateway.protocol.eras import LATEST_LEGACY
from gateway.server.feed import Feed
from gateway.server.sessions import Session, Sessions
from gateway.server.surface import BackendSurface

WEATHER, NEWS = BackendSurface("weather"), BackendSurface("news")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def opened(sessions: Sessions) -> Session:
    return sessions.open(LATEST_LEGACY, ANONYMOUS, WEATHER)


def test_a_session_is_found_by_its_id_only() -> None:
    sessions = Sessions()
    session = opened(sessions)
    assert sessions.find(session.id, ANONYMOUS, WEATHER) is session
    assert sessions.find("x", ANONYMOUS, WEATHER) is None
    assert sessions.find("", ANONYMOUS, WEATHER) is None


def test_who_opens_very_many_makes_room_among_its_own() -> None:
    sessions = Sessions(most=10)
    kept = [opened(sessions) for _ in range(4)]
    mallory = Identity("mallory")
    theirs = [sessions.open(LATEST_LEGACY, mallory, WEATHER) for _ in range(50)]
    assert len(sessions) == 10
    assert all(sessions.find(one.id, ANONYMOUS, WEATHER) for one in kept)
    assert [sessions.find(one.id, mallory, WEATHER) for one in theirs[-6:]] == theirs[-6:]


def test_a_session_belongs_to_whoever_has_the_name_whatever_else_is_said_of_it() -> None:
    sessions = Sessions()
    session = sessions.open(LATEST_LEGACY, Identity("ann", team="web"), WEATHER)
    assert sessions.find(session.id, Identity("ann", agent="researcher"), WEATHER) is session


def test_ids_are_long_and_differ() -> None:
    sessions = Sessions()
    ids = {opened(sessions).id for _ in range(100)}
    assert len(ids) == 100
    assert min(map(len, ids)) == 32


def test_a_session_does_not_exist_for_another_caller_or_surface() -> None:
    sessions = Sessions()
    session = opened(sessions)
    assert sessions.find(session.id, Identity("mallory"), WEATHER) is None
    assert sessions.find(session.id, ANONYMOUS, NEWS) is None


def test_an_ended_session_is_gone() -> None:
    sessions = Sessions()
    session = opened(sessions)
    sessions.end(session)
    assert sessions.find(session.id, ANONYMOUS, WEATHER) is None


def test_a_silent_session_expires_and_a_used_one_does_not(clock: Clock) -> None:
    sessions = Sessions(idle=10, clock=clock)
    silent, used = opened(sessions), opened(sessions)
    clock.now += 6
    assert sessions.find(used.id, ANONYMOUS, WEATHER) is used
    clock.now += 6
    assert sessions.find(silent.id, ANONYMOUS, WEATHER) is None
    assert sessions.find(used.id, ANONYMOUS, WEATHER) is used


async def test_an_open_stream_keeps_a_session_alive(clock: Clock) -> None:
    sessions = Sessions(idle=10, clock=clock)
    session = opened(sessions)
    session.outbox.attach(Feed(), None, None)
    clock.now += 100
    opened(sessions)
    assert sessions.find(session.id, ANONYMOUS, WEATHER) is session


def test_expired_sessions_make_room_without_being_asked_for(clock: Clock) -> None:
    sessions = Sessions(idle=10, clock=clock)
    for _ in range(5):
        opened(sessions)
    clock.now += 11
    opened(sessions)
    assert len(sessions) == 1


def test_when_full_the_one_unused_for_longest_goes() -> None:
    sessions = Sessions(most=3)
    first, second, _ = opened(sessions), opened(sessions), opened(sessions)
    sessions.find(first.id, ANONYMOUS, WEATHER)
    opened(sessions)
    assert len(sessions) == 3
    assert sessions.find(first.id, ANONYMOUS, WEATHER) is first
    assert sessions.find(second.id, ANONYMOUS, WEATHER) is None
