import pytest

from gateway.protocol.sse import Parser
from gateway.server.feed import Feed
from gateway.server.outboxes import COST, REPLAY_FOR, Memory, Outbox, Outboxes


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def texts(feed: Feed) -> list[tuple[str, str]]:
    feed.end()
    parser = Parser()
    return [(event.id, event.data) async for chunk in feed for event in parser.feed(chunk)]


async def test_what_is_published_reaches_the_open_stream_numbered(clock: Clock) -> None:
    outbox, feed = Outbox(Memory(clock)), Feed()
    outbox.attach(feed, None, None)
    outbox.publish(b"a")
    outbox.publish(b"b")
    assert await texts(feed) == [("1", "a"), ("2", "b")]


async def test_a_client_that_comes_back_gets_what_it_missed(clock: Clock) -> None:
    outbox, first, second = Outbox(Memory(clock)), Feed(), Feed()
    outbox.attach(first, None, None)
    outbox.publish(b"a")
    first.end()
    outbox.publish(b"b")
    outbox.publish(b"c")
    outbox.attach(second, 1, None)
    assert await texts(second) == [("2", "b"), ("3", "c")]


async def test_what_was_said_before_the_first_stream_opened_is_not_lost(clock: Clock) -> None:
    outbox, first, second = Outbox(Memory(clock)), Feed(), Feed()
    outbox.publish(b"a")
    outbox.attach(first, None, None)
    outbox.attach(second, None, None)  # another stream, that comes back to nothing
    assert await texts(first) == [("1", "a")]
    assert await texts(second) == []


@pytest.mark.parametrize("last", [None, "", "x", "9" * 1000, "²"])
async def test_a_strange_last_event_id_replays_nothing(last: str | None, clock: Clock) -> None:
    outboxes, feed = Outboxes(Memory(clock)), Feed()
    outboxes.unasked.attach(Feed(), None, None)
    outboxes.unasked.publish(b"a")
    found = outboxes.find(last)
    assert found is not None
    outbox, after = found
    assert outbox is outboxes.unasked
    outbox.attach(feed, after, None)
    assert await texts(feed) == []


@pytest.mark.parametrize("last", ["-1", "7-1", "1-x", "1-", "1-²"])
async def test_an_event_id_of_a_stream_that_is_not_kept_leads_nowhere(
    last: str, clock: Clock
) -> None:
    outboxes = Outboxes(Memory(clock))
    outboxes.answer().publish(b"a")
    assert outboxes.find("1-1") is not None
    assert outboxes.find(last) is None


async def test_an_answer_s_stream_is_taken_up_where_it_broke_off(clock: Clock) -> None:
    outboxes, first, second = Outboxes(Memory(clock)), Feed(), Feed()
    outboxes.unasked.publish(b"of another stream")
    outbox = outboxes.answer()
    outbox.attach(first, None, 2000)
    outbox.say(b"a")
    outbox.publish(b"b")
    outbox.finish()
    assert await texts(first) == [("1-0", ""), ("1-1", "a"), ("1-2", "b")]
    found = outboxes.find("1-1")
    assert found == (outbox, 1)
    outbox.attach(second, 1, 2000)
    assert second.ended, "nothing can follow"
    assert await texts(second) == [("1-2", "b")]


async def test_finished_streams_are_forgotten_with_their_events(clock: Clock) -> None:
    outboxes = Outboxes(Memory(clock))
    outbox = outboxes.answer()
    outbox.publish(b"a")
    outbox.finish()
    outboxes.answer().publish(b"b")
    assert outboxes.find("1-1") is not None
    clock.now += REPLAY_FOR + 1
    outboxes.answer().publish(b"c")
    outboxes.answer()
    assert outboxes.find("1-1") is None
    assert outboxes.find("3-1") is not None


async def test_all_outboxes_together_keep_a_bounded_number_of_bytes(clock: Clock) -> None:
    """I11: the oldest event makes room, whose ever it is."""
    memory = Memory(clock, most=3 * (COST + 100))
    one, other, feed = Outbox(memory), Outbox(memory), Feed()
    one.publish(b"1" * 100)
    one.publish(b"2" * 100)
    other.publish(b"3" * 100)
    other.publish(b"4" * 100)
    one.attach(feed, 0, None)
    assert await texts(feed) == [("2", "2" * 100)]


async def test_what_is_too_old_is_not_replayed(clock: Clock) -> None:
    outbox, feed = Outbox(Memory(clock)), Feed()
    outbox.publish(b"a")
    clock.now += REPLAY_FOR + 1
    outbox.publish(b"b")
    outbox.attach(feed, 0, None)
    assert await texts(feed) == [("2", "b")]


async def test_a_newer_stream_takes_over(clock: Clock) -> None:
    outbox, old, new = Outbox(Memory(clock)), Feed(), Feed()
    outbox.attach(old, None, None)
    outbox.attach(new, None, None)
    outbox.publish(b"a")
    assert old.ended
    assert await texts(old) == []
    assert await texts(new) == [("1", "a")]


async def test_a_primed_stream_opens_with_an_id_to_come_back_with(clock: Clock) -> None:
    outbox, feed = Outbox(Memory(clock)), Feed()
    outbox.attach(Feed(), None, 2000)
    outbox.publish(b"a")
    outbox.attach(feed, None, 2000)
    assert await texts(feed) == [("1", "")]
