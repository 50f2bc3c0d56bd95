from gateway.protocol.sse import Parser
from gateway.server.channel import Channel, LegacyChannel
from gateway.server.feed import Feed
from gateway.server.outboxes import Memory, Outboxes
from gateway.server.reply import STREAMED


async def texts(feed: Feed) -> list[tuple[str, str]]:
    parser = Parser()
    return [(event.id, event.data) async for chunk in feed for event in parser.feed(chunk)]


async def test_nothing_begins_until_something_is_said() -> None:
    begun: list[Feed] = []
    for channel in (Channel(begun.append), LegacyChannel(begun.append, Outboxes(Memory()), 9)):
        assert not channel.begun
        channel.close()
    assert begun == []


async def test_a_modern_stream_holds_what_was_said_and_the_answer_without_ids() -> None:
    begun: list[Feed] = []
    channel = Channel(begun.append)
    channel.say(b"a")
    channel.send(b"b")
    assert channel.begun
    assert channel.finish(b"answer") is STREAMED
    (feed,) = begun
    assert await texts(feed) == [("", "a"), ("", "b"), ("", "answer")]


async def test_a_legacy_stream_is_numbered_and_kept() -> None:
    begun: list[Feed] = []
    outboxes = Outboxes(Memory())
    channel = LegacyChannel(begun.append, outboxes, 2000)
    channel.say(b"a")
    channel.finish(b"answer")
    (feed,) = begun
    assert await texts(feed) == [("1-0", ""), ("1-1", "a"), ("1-2", "answer")]
    found = outboxes.find("1-1")
    assert found is not None
    assert found[1] == 1


async def test_a_cancelled_legacy_request_ends_its_stream_without_an_answer() -> None:
    begun: list[Feed] = []
    channel = LegacyChannel(begun.append, Outboxes(Memory()), None)
    channel.send(b"a")
    channel.finish(None)
    assert await texts(begun[0]) == [("1-1", "a")]


async def test_what_a_server_says_after_its_answer_is_nobody_s() -> None:
    begun: list[Feed] = []
    for channel in (Channel(begun.append), LegacyChannel(begun.append, Outboxes(Memory()), None)):
        channel.close()
        channel.say(b"late")
        channel.send(b"late")
    assert begun == []


async def test_what_is_said_after_the_answer_that_began_a_task_goes_out_unasked() -> None:
    begun: list[Feed] = []
    outboxes = Outboxes(Memory())
    channel = LegacyChannel(begun.append, outboxes, None)
    channel.close()
    channel.say(b"lost")
    channel.lasting = True
    channel.say(b"progress")
    stream = Feed()
    outboxes.unasked.attach(stream, None, None)
    stream.end()
    assert begun == []
    assert [data for _, data in await texts(stream)] == ["progress"]
