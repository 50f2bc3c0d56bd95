"""Our outgoing HTTP against a peer that misbehaves: one clear error, and nothing else affected."""

import asyncio
import contextlib
import json
import random
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from gateway.errors import BackendError, BadResponse, DeadlineExceeded, Reached
from gateway.http.failures import ConnectionLost
from gateway.http.message import HttpRequest, HttpResponse
from gateway.http.outgoing import Outgoing
from tests.peers.faulty_http import FAULTS, Faulty, faulty

CAP = 1_000_000
SECRET = "s3cret"


@contextlib.asynccontextmanager
async def peer_and_client() -> AsyncIterator[tuple[Faulty, Outgoing]]:
    async with faulty() as peer:
        outgoing = Outgoing()
        try:
            yield peer, outgoing
        finally:
            await outgoing.aclose()


async def ask(
    peer: Faulty, outgoing: Outgoing, path: str, *, seconds: float = 5, method: str = "GET"
) -> HttpResponse:
    request = HttpRequest(method, f"{peer.origin}/{path}?key={SECRET}")
    async with asyncio.timeout(10):
        return await outgoing.send(request, seconds=seconds, cap=CAP, private=True)


async def failure(name: str, *, seconds: float = 5) -> BackendError:
    """What comes of the fault called `name`; asserts that the next call is a good one."""
    async with peer_and_client() as (peer, outgoing):
        with pytest.raises(BackendError) as caught:
            await ask(peer, outgoing, name, seconds=seconds)
        assert json.loads((await ask(peer, outgoing, "echo/next")).body) == f"next?key={SECRET}"
    assert SECRET not in caught.value.explain()
    return caught.value


@pytest.mark.parametrize(
    "name", ["hang", "hang_within_headers", "hang_within_body", "drip", "announced_gigabyte"]
)
async def test_a_peer_that_takes_for_ever_is_left_when_time_is_up(name: str) -> None:
    """F2, F5."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    error = await failure(name, seconds=0.1)
    assert isinstance(error, DeadlineExceeded)
    assert str(error) == "timeout after 0.1 s"
    assert error.reached is Reached.SENT_UNKNOWN
    assert loop.time() - started < 2


@pytest.mark.parametrize("name", ["close_at_once", "reset_at_once"])
async def test_a_connection_closed_without_an_answer_leaves_the_outcome_unknown(name: str) -> None:
    """F3."""
    error = await failure(name)
    assert isinstance(error, ConnectionLost)
    assert error.reached is Reached.SENT_UNKNOWN
    assert "without an answer" in str(error)


@pytest.mark.parametrize(
    "name", ["reset_after_headers", "reset_within_body", "close_within_body", "half_close"]
)
async def test_half_an_answer_is_never_taken_for_a_whole_one(name: str) -> None:
    """F3."""
    error = await failure(name)
    assert isinstance(error, ConnectionLost)
    assert error.reached is Reached.COMPLETED
    assert "broke off" in str(error)


@pytest.mark.parametrize(
    "name",
    [
        "garbage",
        "bad_chunk_size",
        "two_lengths",
        "length_and_chunks",
        "long_header",
        "header_flood",
        "trailer_flood",
        "endless_trailer",
        "endless_chunk_extension",
        "informational_storm",
        "switching",
    ],
)
async def test_what_is_not_valid_http_is_a_bad_response(name: str) -> None:
    """I58."""
    error = await failure(name)
    assert isinstance(error, BadResponse)
    assert not error.retryable


@pytest.mark.parametrize("name", ["endless", "endless_chunks", "gzip_bomb", "deflate_bomb"])
async def test_an_answer_over_the_cap_ends_there_and_takes_little_memory(name: str) -> None:
    """I59, T3."""
    tracemalloc.start()
    error = await failure(name)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(error, BadResponse)
    assert "larger than 1,000,000 bytes" in str(error)
    assert peak < 5 * CAP  # the peer, in this same process, holds some of it


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("truncated_gzip", "not the gzip data"),
        ("not_gzip", "not the gzip data"),
        ("brotli", "nobody asked for: 'br'"),
        ("nested_gzip", "nobody asked for: 'gzip, gzip'"),
    ],
)
async def test_an_encoding_that_is_not_what_it_says_is_a_bad_response(name: str, text: str) -> None:
    """I59."""
    error = await failure(name)
    assert isinstance(error, BadResponse)
    assert text in str(error)


async def test_every_fault_the_peer_knows_ends_in_an_answer_or_an_error_of_ours() -> None:
    async with peer_and_client() as (peer, outgoing):
        calls = [ask(peer, outgoing, name, seconds=0.5) for name in FAULTS]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [o for o in outcomes if not isinstance(o, HttpResponse | BackendError)] == []


async def test_a_trailer_does_not_pass_for_a_header() -> None:
    async with peer_and_client() as (peer, outgoing):
        answer = await ask(peer, outgoing, "trailer_as_header")
    assert answer.body == b"{}"
    assert "x-late" not in answer.headers


async def test_an_answer_nobody_asked_for_does_not_reach_the_next_call() -> None:
    """F3: no cross-talk."""
    async with peer_and_client() as (peer, outgoing):
        assert (await ask(peer, outgoing, "data_after_the_answer")).body == b"{}"
        assert b"next" in (await ask(peer, outgoing, "echo/next")).body
        assert peer.connections == 2


async def test_every_call_gets_its_own_answer_among_faults() -> None:
    """F3, the small everyday version: unique ids, faults on the same pool, none mixed up."""
    noise = ["close_at_once", "reset_within_body", "half_close", "garbage", "data_after_the_answer"]
    dice = random.Random(7)

    async def one(number: int) -> bool:
        if dice.random() < 0.2:
            with contextlib.suppress(BackendError):
                await ask(peer, outgoing, dice.choice(noise))
            return True
        answer = await ask(peer, outgoing, f"echo/{number}")
        return bool(json.loads(answer.body) == f"{number}?key={SECRET}")

    async with peer_and_client() as (peer, outgoing):
        for start in range(0, 1000, 50):
            assert all(await asyncio.gather(*map(one, range(start, start + 50))))


@pytest.mark.parametrize("name", ["hang", "hang_within_body", "drip"])
async def test_a_cancelled_call_hangs_up_at_once(name: str) -> None:
    """I21."""
    async with peer_and_client() as (peer, outgoing):
        call = asyncio.create_task(ask(peer, outgoing, name))
        await peer.arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(1):
            await peer.hung_up.wait()
        assert b"next" in (await ask(peer, outgoing, "echo/next")).body


async def test_a_post_is_not_sent_twice_when_the_connection_closes() -> None:
    async with peer_and_client() as (peer, outgoing):
        await ask(peer, outgoing, "echo/warm")  # leaves a connection to be reused
        with pytest.raises(ConnectionLost):
            await ask(peer, outgoing, "close_at_once", method="POST")
        assert [head.split(" ")[0] for head in peer.heads] == ["GET", "POST"]
