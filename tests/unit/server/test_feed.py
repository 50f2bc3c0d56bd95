import asyncio

from gateway.protocol.sse import COMMENT
from gateway.server.feed import MOST_WAITING, OFFERED, Feed


async def test_what_is_sent_comes_out_in_order_and_then_it_ends() -> None:
    feed = Feed()
    feed.send(b"a")
    feed.send(b"b")
    feed.end()
    feed.send(b"too late")
    assert [chunk async for chunk in feed] == [b"ab"]


async def test_news_wakes_the_reader() -> None:
    feed = Feed()
    reading = asyncio.ensure_future(anext(feed))
    await asyncio.sleep(0)
    feed.send(b"a")
    async with asyncio.timeout(5):
        assert await reading == b"a"


async def test_silence_is_filled_with_comments() -> None:
    assert await anext(Feed(keep_alive=0.01)) == COMMENT


async def test_a_reader_that_leaves_too_much_unread_is_cut() -> None:
    """I11: no unbounded buffer."""
    feed = Feed()
    for _ in range(MOST_WAITING + 1):
        feed.send(b"x")
    assert feed.ended
    assert feed.cut
    assert [chunk async for chunk in feed] == []


async def test_what_may_be_left_out_is_before_a_reader_is_cut() -> None:
    feed, by_size = Feed(most=4), Feed()
    for number in range(9):
        feed.offer(b"%d" % number)
        by_size.offer(b"x" * OFFERED)
    feed.send(b"!")
    assert not feed.cut
    assert await anext(feed) == b"01!"
    assert len(await anext(by_size)) == OFFERED
    feed.offer(b"again")
    feed.end()
    assert [chunk async for chunk in feed] == [b"again"]
    assert not feed.cut


async def test_the_end_is_told_once() -> None:
    feed, told = Feed(), []
    feed.on_end(lambda: told.append(1))
    feed.end()
    feed.end()
    assert told == [1]
