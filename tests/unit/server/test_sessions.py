import pytest

from gateway.domain.identity import ANONYMOUS, Identity
from gateway.protocol.eras import LATEST_LEGACY
from gateway.protocol.sse import Parser
from gateway.server.feed import Feed
from gateway.server.sessions import REPLAY_FOR, Outbox, Session, Sessions
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


async def texts(feed: Feed) -> list[tuple[str, str]]:
    feed.end()
    parser = Parser()
    return [(event.id, event.data) async for chunk in feed for event in parser.feed(chunk)]


async def test_what_is_published_reaches_the_open_stream_numbered(clock: Clock) -> None:
    outbox, feed = Outbox(clock), Feed()
    outbox.attach(feed, None, None)
    outbox.publish(b"a")
    outbox.publish(b"b")
    assert await texts(feed) == [("1", "a"), ("2", "b")]


async def test_a_client_that_comes_back_gets_what_it_missed(clock: Clock) -> None:
    outbox, first, second = Outbox(clock), Feed(), Feed()
    outbox.attach(first, None, None)
    outbox.publish(b"a")
    first.end()
    outbox.publish(b"b")
    outbox.publish(b"c")
    outbox.attach(second, "1", None)
    assert await texts(second) == [("2", "b"), ("3", "c")]


@pytest.mark.parametrize("last", [None, "", "x", "-1", "9" * 1000, "²"])
async def test_a_strange_last_event_id_replays_nothing(last: str | None, clock: Clock) -> None:
    outbox, feed = Outbox(clock), Feed()
    outbox.publish(b"a")
    outbox.attach(feed, last, None)
    assert await texts(feed) == []


async def test_what_is_too_old_is_not_replayed(clock: Clock) -> None:
    outbox, feed = Outbox(clock), Feed()
    outbox.publish(b"a")
    clock.now += REPLAY_FOR + 1
    outbox.publish(b"b")
    outbox.attach(feed, "0", None)
    assert await texts(feed) == [("2", "b")]


async def test_a_newer_stream_takes_over(clock: Clock) -> None:
    outbox, old, new = Outbox(clock), Feed(), Feed()
    outbox.attach(old, None, None)
    outbox.attach(new, None, None)
    outbox.publish(b"a")
    assert old.ended
    assert await texts(old) == []
    assert await texts(new) == [("1", "a")]


async def test_a_primed_stream_opens_with_an_id_to_come_back_with(clock: Clock) -> None:
    outbox, feed = Outbox(clock), Feed()
    outbox.publish(b"a")
    outbox.attach(feed, None, 2000)
    assert await texts(feed) == [("1", "")]
