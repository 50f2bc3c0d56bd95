"""Our own HTTP/1.1 connections against a peer that says exactly what each test wants said."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from gateway.http.connection import Answer, Connection, TooLarge, WireError
from gateway.http.pool import Factory, Origin, Pool, Stage, connect
from tests.peers.raw import Raw, raw

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def dial(origin: Origin, factory: Factory) -> Connection:
    return await connect([origin.host], origin, factory, None, 5)


@contextlib.asynccontextmanager
async def a_pool(**settings: float) -> AsyncIterator[Pool]:
    pool = Pool(dial, **settings)  # type: ignore[arg-type]
    try:
        yield pool
    finally:
        await pool.aclose()


async def ask(
    pool: Pool, peer: Raw, *, repeatable: bool = True, head_only: bool = False, cap: int = 100
) -> Answer:
    origin = Origin(tls=False, host="127.0.0.1", port=peer.port)
    async with asyncio.timeout(5):
        return await pool.exchange(
            origin, REQUEST, head_only=head_only, cap=cap, repeatable=repeatable, stage=Stage()
        )


async def test_a_connection_serves_again_after_a_clean_answer() -> None:
    async with raw([OK], [OK]) as peer, a_pool() as pool:
        first = await ask(pool, peer)
        second = await ask(pool, peer)
    assert (first.status, first.body, second.body) == (200, b"ok", b"ok")
    assert peer.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(
            OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), id="asked to close"
        ),
        pytest.param(OK + b"x", id="a byte too many"),
        pytest.param(OK + OK, id="a second answer"),
        pytest.param(OK.replace(b"1.1", b"1.0"), id="HTTP/1.0"),
    ],
)
async def test_a_connection_that_might_be_out_of_step_is_not_used_again(answer: bytes) -> None:
    async with raw([answer], [OK]) as peer, a_pool() as pool:
        assert (await ask(pool, peer)).body == b"ok"
        assert (await ask(pool, peer)).body == b"ok"
    assert peer.connections == 2


async def test_an_answer_may_come_in_any_pieces() -> None:
    chunked = (
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nA: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n"
    )
    pieces = [chunked[i : i + 1] for i in range(len(chunked))]
    async with raw(pieces) as peer, a_pool() as pool:
        answer = await ask(pool, peer)
    assert answer.body == b"abcde"
    assert answer.headers[0] == ("a", "1")


async def test_a_body_without_framing_ends_with_the_connection() -> None:
    async with raw([b"HTTP/1.1 200 OK\r\n\r\nall of", b" it", None]) as peer, a_pool() as pool:
        assert (await ask(pool, peer)).body == b"all of it"


async def test_the_answer_to_head_has_no_body() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"
    async with raw([head]) as peer, a_pool() as pool:
        answer = await ask(pool, peer, head_only=True)
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize(
    "answer",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n folded\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 40,
        b"HTTP/1.1 200 OK\r\nX\x00: 1\r\n\r\n",
    ],
)
async def test_a_malformed_answer_is_an_error_and_ends_the_connection(answer: bytes) -> None:
    async with raw([answer], [OK]) as peer, a_pool() as pool:
        with pytest.raises(WireError) as caught:
            await ask(pool, peer)
        assert caught.value.answered
        assert (await ask(pool, peer)).body == b"ok"
    assert peer.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + b"x" * 101,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 101,
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"A%d: b\r\n" % i for i in range(300)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 200_000 + b"\r\n\r\n",
    ],
)
async def test_an_answer_over_a_cap_stops_there(answer: bytes) -> None:
    """I58, I59."""
    async with raw([answer]) as peer, a_pool() as pool:
        with pytest.raises(TooLarge):
            await ask(pool, peer)


async def test_a_stale_connection_is_replaced_for_a_repeatable_request() -> None:
    async with raw([OK], [None], [OK]) as peer, a_pool() as pool:
        await ask(pool, peer)
        assert (await ask(pool, peer)).body == b"ok"
    assert len(peer.requests) == 3


async def test_a_request_that_may_have_been_carried_out_is_not_repeated() -> None:
    async with raw([OK], [None], [OK]) as peer, a_pool() as pool:
        await ask(pool, peer)
        with pytest.raises(WireError):
            await ask(pool, peer, repeatable=False)
    assert len(peer.requests) == 2


async def test_half_an_answer_is_an_error_and_not_repeated() -> None:
    """F3."""
    async with raw([OK], [OK[:-1], None], [OK]) as peer, a_pool() as pool:
        await ask(pool, peer)
        with pytest.raises(WireError, match="within the answer"):
            await ask(pool, peer)
    assert len(peer.requests) == 2


async def test_a_cancelled_exchange_closes_its_connection_and_frees_its_place() -> None:
    async with raw([], [OK]) as peer, a_pool(per_origin=1) as pool:
        waiting = asyncio.create_task(ask(pool, peer))
        async with asyncio.timeout(5):
            while not peer.requests:
                await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (await ask(pool, peer)).body == b"ok"
    assert peer.connections == 2


async def test_more_callers_than_connections_take_turns() -> None:
    async with raw(*[[OK]] * 20) as peer, a_pool(per_origin=2) as pool:
        answers = await asyncio.gather(*[ask(pool, peer) for _ in range(20)])
    assert [answer.body for answer in answers] == [b"ok"] * 20
    assert peer.connections == 2


async def test_a_connection_idle_for_too_long_is_not_used() -> None:
    now = [0.0]
    async with raw([OK], [OK]) as peer:
        pool = Pool(dial, clock=lambda: now[0], idle_seconds=10)
        await ask(pool, peer)
        now[0] = 11
        await ask(pool, peer)
        await pool.aclose()
    assert peer.connections == 2


async def test_idle_connections_are_swept_away() -> None:
    async with raw([OK]) as peer, a_pool(idle_seconds=0.01) as pool:
        await ask(pool, peer)
        async with asyncio.timeout(5):
            while "0 connections" not in repr(pool):
                await asyncio.sleep(0.005)


async def test_a_call_cancelled_as_its_answer_completes_leaves_no_connection_behind() -> None:
    """F3: nobody would ever use or close it."""
    connections: set[Connection] = set()
    async with raw([OK]) as peer:
        origin = Origin(tls=False, host="127.0.0.1", port=peer.port)
        connection = await connect([origin.host], origin, lambda: Connection(connections), None, 5)
        call = asyncio.create_task(connection.exchange(REQUEST, head_only=False, cap=100))
        await asyncio.sleep(0)
        connection.data_received(OK)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert not connection.reusable
        assert connections == set()


async def test_a_dial_cancelled_as_it_connects_leaves_no_connection_behind() -> None:
    connections: set[Connection] = set()
    async with raw() as peer:
        origin = Origin(tls=False, host="127.0.0.1", port=peer.port)
        for turns in range(8):
            dial = connect([origin.host], origin, lambda: Connection(connections), None, 5)
            call = asyncio.create_task(dial)
            for _ in range(turns):
                await asyncio.sleep(0)
            call.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                (await call).close()
        assert connections == set()
