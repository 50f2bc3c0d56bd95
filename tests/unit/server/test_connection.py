import asyncio
import re
from collections.abc import Awaitable, Callable

import pytest

from gateway.server.connection import FAREWELL_BYTES, HELD, Connection
from gateway.server.deadlines import FAREWELL
from gateway.server.exchange import Exchange
from gateway.server.feed import Feed
from gateway.server.house import House
from gateway.server.limits import Limits
from gateway.server.reply import STREAMED, Reply, Unreadable, stream
from tests.peers.wire import Wire

Answer = Callable[[Exchange], Awaitable[Reply]]

LIMITS = Limits(head=10, body=30, stalled=45, idle=75, largest_body=200_000)


def get(target: str, *lines: str, version: str = "1.1") -> bytes:
    head = "".join(f"{line}\r\n" for line in ("Host: x", *lines))
    return f"GET {target} HTTP/{version}\r\n{head}\r\n".encode()


def post(body: bytes, *lines: str, length: int | None = None) -> bytes:
    told = len(body) if length is None else length
    return get("/", *lines, f"Content-Length: {told}").replace(b"GET", b"POST") + body


async def echo(exchange: Exchange) -> Reply:
    body = await exchange.read()
    return Reply(200, b"%b:%b" % (exchange.target.encode(), body))


class Slow:
    """Answers when told to, and remembers how it ended."""

    def __init__(self, *, cancellable: bool = False) -> None:
        self.go = asyncio.Event()
        self.cancellable = cancellable
        self.ended: list[str] = []

    async def __call__(self, exchange: Exchange) -> Reply:
        if self.cancellable:
            exchange.cancel_when_gone()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.ended.append("cancelled")
            raise
        self.ended.append("answered")
        return Reply(200, exchange.target.encode())


def connected(answer: Answer, limits: Limits = LIMITS) -> tuple[Wire, Connection, House]:
    house = House(answer, limits)
    connection = Connection(house)
    return Wire(connection), connection, house


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def statuses(wire: Wire) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d+)", bytes(wire.written))]


async def test_requests_in_one_piece_are_answered_in_order() -> None:
    wire, connection, _ = connected(echo)
    connection.data_received(get("/1") + post(b"abc") + get("/2"))
    await settled()
    bodies = re.findall(rb"\r\n\r\n([^H]+)", bytes(wire.written))
    assert bodies == [b"/1:", b"/:abc", b"/2:"]
    assert not wire.closed


async def test_a_second_request_waits_for_the_first_and_too_many_are_not_read() -> None:
    slow = Slow()
    wire, connection, _ = connected(slow)
    connection.data_received(get("/1"))
    await settled()
    connection.data_received(get("/2") * 10)
    assert wire.reading
    connection.data_received(post(b"x" * HELD))
    assert not wire.reading
    await settled()
    assert not wire.written
    slow.go.set()
    await settled()
    assert statuses(wire) == [200] * 12
    assert wire.reading


async def test_a_body_in_many_pieces_behind_another_request_is_read_whole() -> None:
    wire, connection, _ = connected(echo)
    sent = get("/1") + post(b"y" * 150_000)
    for at in range(0, len(sent), 20_000):
        connection.data_received(sent[at : at + 20_000])
    await settled()
    assert wire.written.endswith(b"/:" + b"y" * 150_000)
    assert statuses(wire) == [200, 200]


@pytest.mark.parametrize(
    ("sent", "header", "closed"),
    [
        (get("/"), b"", False),
        (get("/", "Connection: close"), b"close", True),
        (get("/", version="1.0"), b"close", True),
        (get("/", "Connection: keep-alive", version="1.0"), b"keep-alive", False),
    ],
)
async def test_an_answer_tells_whether_the_connection_goes_on(
    sent: bytes,
    header: bytes,
    closed: bool,  # noqa: FBT001
) -> None:
    wire, connection, _ = connected(echo)
    connection.data_received(sent)
    await settled()
    found = re.findall(rb"Connection: (.*?)\r\n", bytes(wire.written))
    assert found == ([header] if header else [])
    assert wire.closed is closed


async def test_head_is_answered_without_the_body_but_with_its_length() -> None:
    wire, connection, _ = connected(echo)
    connection.data_received(get("/abc").replace(b"GET", b"HEAD"))
    await settled()
    assert b"Content-Length: 5\r\n" in wire.written
    assert wire.written.endswith(b"\r\n\r\n")


async def test_an_answer_without_a_body_has_a_length_unless_it_must_not() -> None:
    for status, length in ((202, b"Content-Length: 0\r\n"), (204, b"")):

        async def empty(_: Exchange, status: int = status) -> Reply:
            return Reply(status)

        wire, connection, _ = connected(empty)
        connection.data_received(get("/"))
        await settled()
        assert (b"Content-Length" in wire.written) == bool(length)
        assert wire.written.endswith(length + b"\r\n")


async def refuse(_: Exchange) -> Reply:
    return Reply(404, b"{}")


async def test_a_body_nobody_read_is_read_away_and_the_next_request_answered() -> None:
    wire, connection, _ = connected(refuse)
    connection.data_received(post(b"abc", length=6))
    await settled()
    assert statuses(wire) == [404]
    connection.data_received(b"def" + get("/"))
    await settled()
    assert statuses(wire) == [404, 404]


async def test_a_body_that_was_not_asked_for_is_not_waited_for() -> None:
    """It may come or not, so no next request can be told from it."""
    wire, connection, _ = connected(refuse)
    connection.data_received(post(b"", "Expect: 100-continue", length=6))
    await settled()
    assert statuses(wire) == [404]
    assert b"Connection: close" in wire.written
    assert wire.ended


async def test_after_a_malformed_request_the_answer_is_safe_from_what_follows() -> None:
    """Closing with unread data would take the answer back."""
    wire, connection, house = connected(echo)
    connection.data_received(get("/1") + b"NONSENSE\r\n\r\n")
    await settled()
    assert statuses(wire) == [200, 400]
    assert (wire.ended, wire.closed) == (True, False)
    connection.data_received(get("/2"))
    await settled()
    assert statuses(wire) == [200, 400]
    assert connection.overdue(0) is None
    assert connection.overdue(FAREWELL + 1) is None
    await settled()
    assert wire.closed
    assert not house.connections


async def test_who_sends_on_for_ever_after_the_last_answer_is_cut() -> None:
    wire, connection, _ = connected(echo)
    connection.data_received(b"NONSENSE\r\n\r\n")
    await settled()
    for _ in range(FAREWELL_BYTES // 65_536 + 1):
        connection.data_received(bytes(65_536))
    assert wire.closed


async def test_who_asks_on_without_reading_the_answers_waits() -> None:
    """I11."""
    wire, connection, _ = connected(echo)
    connection.pause_writing()
    connection.data_received(get("/") * 100)
    await settled()
    assert statuses(wire) == [200]
    connection.resume_writing()
    await settled()
    assert len(statuses(wire)) == 100


@pytest.mark.parametrize(("cancellable", "end"), [(True, "cancelled"), (False, "answered")])
async def test_going_away_cancels_what_asked_for_that(cancellable: bool, end: str) -> None:  # noqa: FBT001
    """I21."""
    slow = Slow(cancellable=cancellable)
    wire, connection, house = connected(slow)
    connection.data_received(get("/"))
    await settled()
    wire.close()
    await settled()
    slow.go.set()
    await settled()
    assert slow.ended == [end]
    assert not house.tasks
    assert not house.connections


async def test_who_was_gone_before_it_could_be_cancelled_is_cancelled() -> None:
    gone, cancelled = asyncio.Event(), asyncio.Event()

    async def late(exchange: Exchange) -> Reply:
        await gone.wait()
        exchange.cancel_when_gone()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return Reply(200)

    wire, connection, _ = connected(late)
    connection.data_received(get("/"))
    await settled()
    wire.close()
    await settled()
    gone.set()
    await settled()
    assert cancelled.is_set()


async def test_going_away_ends_a_body_that_is_waited_for() -> None:
    wire, connection, house = connected(echo)
    connection.data_received(post(b"a", length=5))
    await settled()
    wire.close()
    await settled()
    assert not house.tasks


@pytest.mark.parametrize("version", ["1.1", "1.0"])
async def test_a_stream_goes_out_as_it_comes(version: str) -> None:
    feed = Feed()

    async def streaming(_: Exchange) -> Reply:
        return stream(feed)

    wire, connection, _ = connected(streaming)
    connection.data_received(get("/", version=version) + get("/"))
    for piece in (b"data: 1\n\n", b"data: 2\n\n"):
        feed.send(piece)
        await settled()
        assert piece in wire.written
    feed.end()
    await settled()
    if version == "1.1":
        assert b"\r\n\r\n9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n0\r\n\r\nHTTP/1.1" in wire.written
    else:
        assert wire.written.endswith(b"\r\n\r\ndata: 1\n\ndata: 2\n\n")
        assert wire.closed


async def test_a_stream_can_begin_before_its_answer_is_ready() -> None:
    feed, go = Feed(), asyncio.Event()

    async def talking(exchange: Exchange) -> Reply:
        if exchange.target == "/next":
            return Reply(200, b"next")
        exchange.begin(feed)
        feed.send(b"first")
        await go.wait()
        feed.send(b"last")
        feed.end()
        return STREAMED

    wire, connection, _ = connected(talking)
    connection.data_received(get("/") + get("/next"))
    await settled()
    assert wire.written.endswith(b"5\r\nfirst\r\n")
    go.set()
    await settled()
    assert b"4\r\nlast\r\n0\r\n\r\nHTTP/1.1 200" in wire.written
    assert wire.written.endswith(b"next")


@pytest.mark.parametrize("early", [True, False])
async def test_a_stream_ends_when_its_reader_goes_away(early: bool) -> None:  # noqa: FBT001
    """Also when that is known before the first piece could go out."""
    feed, go = Feed(), asyncio.Event()

    async def talking(exchange: Exchange) -> Reply:
        await go.wait()
        exchange.begin(feed)
        await asyncio.Event().wait()
        return STREAMED

    wire, connection, house = connected(talking)
    connection.data_received(get("/"))
    await settled()
    if early:
        wire.close()
        await settled()
    go.set()
    await settled()
    wire.close()
    await settled()
    assert feed.ended
    for task in house.tasks:
        task.cancel()
    await settled()


async def test_a_stream_whose_reader_left_too_much_does_not_look_whole() -> None:
    feed = Feed(most=3)

    async def streaming(_: Exchange) -> Reply:
        return stream(feed)

    wire, connection, _ = connected(streaming)
    connection.data_received(get("/"))
    await settled()
    for _ in range(5):
        feed.send(b"x")
    await settled()
    assert wire.closed
    assert not wire.written.endswith(b"0\r\n\r\n")


async def test_deadlines() -> None:
    """T4, I10, I11: each from when it is first seen, by what is waited for."""

    async def answer(exchange: Exchange) -> Reply:
        try:
            return Reply(200, await exchange.read())
        except Unreadable as error:
            return error.reply

    for sent, patience, why, status in (
        (b"", LIMITS.head, "slow_head", []),
        (b"GET / HT", LIMITS.head, "slow_head", []),
        (post(b"a", length=5), LIMITS.body, None, [408]),
    ):
        wire, connection, _ = connected(answer)
        connection.data_received(sent)
        await settled()
        assert connection.overdue(100) is None
        assert connection.overdue(100 + patience) is None
        assert connection.overdue(101 + patience) == why
        await settled()
        assert statuses(wire) == status
        assert wire.ended


async def test_a_running_call_has_no_deadline_here_and_idling_has() -> None:
    slow = Slow()
    wire, connection, _ = connected(slow)
    connection.data_received(get("/"))
    await settled()
    assert [connection.overdue(at) for at in (0, 10_000)] == [None, None]
    assert not wire.closed
    slow.go.set()
    await settled()
    assert connection.overdue(10_001) is None
    assert connection.overdue(10_001 + LIMITS.idle) is None
    assert not wire.closed
    assert connection.overdue(10_002 + LIMITS.idle) is None
    assert wire.closed


async def test_an_answer_that_nobody_takes_is_cut_also_when_it_is_the_last() -> None:
    """I11."""
    wire, connection, _ = connected(echo)
    connection.data_received(b"NONSENSE\r\n\r\n")
    await settled()
    wire.unread = 1
    assert [connection.overdue(at) for at in (0, FAREWELL + 1, LIMITS.stalled)] == [None] * 3
    assert not wire.closed
    assert connection.overdue(LIMITS.stalled + 1) == "slow_reader"
    assert wire.closed


async def test_when_all_close_each_answer_is_the_last() -> None:
    wire, connection, house = connected(echo)
    house.closing = True
    connection.data_received(get("/1") + get("/2"))
    await settled()
    assert statuses(wire) == [200]
    assert b"Connection: close" in wire.written
    assert wire.closed
