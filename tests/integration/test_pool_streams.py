"""Event streams on our own HTTP/1.1 connections."""

import asyncio

import pytest

from gateway.errors import BadResponse
from gateway.http.connection import DRAIN_BYTES, Answer, Connection, Sink, WireError
from gateway.http.pool import Factory, Origin, Pool, Stage, connect
from tests.peers.raw import Raw, raw

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


async def dial(origin: Origin, factory: Factory) -> Connection:
    return await connect([origin.host], origin, factory, None, 5)


async def ask(pool: Pool, peer: Raw, sink: Sink | None = None, *, lasting: bool = False) -> Answer:
    origin = Origin(tls=False, host="127.0.0.1", port=peer.port)
    stage = Stage(sink=sink, lasting=lasting)
    async with asyncio.timeout(5):
        return await pool.exchange(
            origin, REQUEST, head_only=False, cap=4, repeatable=False, stage=stage
        )


class Sinking:
    """Keeps what it hears; has heard enough at `last`."""

    def __init__(self, last: bytes = b"\0") -> None:
        self.heard = b""
        self.last = last
        self.spoken = asyncio.Event()

    def __call__(self, chunk: bytes) -> bool:
        self.heard += chunk
        self.spoken.set()
        return self.last in chunk


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def test_a_stream_is_heard_to_its_end_beyond_the_cap_of_bodies() -> None:
    pool, sink = Pool(dial), Sinking()
    async with raw([STREAM + chunk(b"abc"), chunk(b"def") + END], [OK]) as peer:
        answer = await ask(pool, peer, sink)
        await ask(pool, peer)
        await pool.aclose()
    assert (sink.heard, answer.status, answer.body, answer.size) == (b"abcdef", 200, b"", 0)
    assert peer.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        STREAM.replace(b"event-stream", b"html"),
        STREAM.replace(b"200 OK", b"400 X"),
        STREAM.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"),
    ],
)
async def test_any_other_answer_is_collected(answer: bytes) -> None:
    pool, sink = Pool(dial), Sinking()
    async with raw([answer + chunk(b"abc") + END]) as peer:
        assert (await ask(pool, peer, sink)).body == b"abc"
        await pool.aclose()
    assert sink.heard == b""


async def test_a_stream_without_framing_ends_with_the_connection() -> None:
    pool, sink = Pool(dial), Sinking()
    head = b"HTTP/1.0 200 OK\r\ncontent-type: Text/Event-Stream; charset=utf-8\r\n\r\n"
    async with raw([head + b"abc", None]) as peer:
        await ask(pool, peer, sink)
        await pool.aclose()
    assert sink.heard == b"abc"


async def test_what_comes_after_enough_is_read_away_and_the_connection_serves_again() -> None:
    pool, sink = Pool(dial), Sinking(b"b")
    async with raw([STREAM + chunk(b"ab"), chunk(b"tail"), END], [OK]) as peer:
        await ask(pool, peer, sink)
        while "1 idle" not in repr(pool):
            await asyncio.sleep(0.001)
        await ask(pool, peer)
        await pool.aclose()
    assert sink.heard in {b"ab", b"abtail"}
    assert peer.connections == 1


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(chunk(b"x" * 1000) * (DRAIN_BYTES // 1000 + 1), id="too much"),
        pytest.param(b"zz\r\n", id="malformed"),
        pytest.param(END + OK, id="a second answer"),
        pytest.param(None, id="closed"),
    ],
)
async def test_a_connection_that_cannot_be_read_empty_is_closed(tail: bytes | None) -> None:
    pool, sink = Pool(dial), Sinking(b"b")
    async with raw([STREAM + chunk(b"ab")], [OK]) as peer:
        await ask(pool, peer, sink)
        if tail is None:
            peer.writers[0].close()
        else:
            peer.writers[0].write(tail)
        while "0 connections" not in repr(pool):
            await asyncio.sleep(0.001)
        await ask(pool, peer)
        await pool.aclose()
    assert peer.connections == 2


async def test_only_so_many_connections_wait_to_be_empty() -> None:
    pool = Pool(dial, per_origin=2)
    async with raw(*[[STREAM + chunk(b"ab")]] * 6) as peer:
        for _ in range(6):
            await ask(pool, peer, Sinking(b"b"))
        assert "2 connections" in repr(pool)
        await pool.aclose()
    assert "0 connections" in repr(pool)


async def test_what_a_sink_raises_ends_the_exchange() -> None:
    def sink(_: bytes) -> bool:
        raise BadResponse("not this")

    pool = Pool(dial)
    async with raw([STREAM + chunk(b"ab") + END]) as peer:
        with pytest.raises(BadResponse, match="not this"):
            await ask(pool, peer, sink)
        assert "0 connections, 0 in use" in repr(pool)
        await pool.aclose()


async def test_a_lasting_stream_takes_no_place_from_others() -> None:
    pool, sink = Pool(dial, per_origin=1), Sinking()
    async with raw([STREAM + chunk(b"a")], [STREAM + chunk(b"a")], [OK]) as peer:
        streams = [asyncio.ensure_future(ask(pool, peer, sink, lasting=True)) for _ in range(2)]
        while sink.heard != b"aa":
            sink.spoken.clear()
            await sink.spoken.wait()
        assert (await ask(pool, peer)).body == b"ok"
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
        assert "1 connections" in repr(pool)
        await pool.aclose()


async def test_a_request_cancelled_as_it_has_heard_enough_leaves_no_connection_behind() -> None:
    connections: set[Connection] = set()
    async with raw([]) as peer:
        origin = Origin(tls=False, host="127.0.0.1", port=peer.port)
        connection = await connect([origin.host], origin, lambda: Connection(connections), None, 5)
        exchange = connection.exchange(REQUEST, head_only=False, cap=9, sink=Sinking(b"b"))
        call = asyncio.create_task(exchange)
        await asyncio.sleep(0)
        connection.data_received(STREAM + chunk(b"ab"))
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert not connection.draining
        assert connections == set()


async def test_a_stream_that_breaks_off_is_an_error() -> None:
    """F3."""
    pool = Pool(dial)
    async with raw([STREAM + chunk(b"ab"), None]) as peer:
        with pytest.raises(WireError, match="within the answer"):
            await ask(pool, peer, Sinking())
        await pool.aclose()
