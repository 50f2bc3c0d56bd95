"""Streamable HTTP against a server that breaks off, floods or falls silent."""

import asyncio
import json

import pytest

from gateway.errors import (
    BadResponse,
    GatewayError,
    Reached,
)
from gateway.http.failures import ConnectionLost
from tests.peers.mcp_wire_connected import NOTE, connected, opening
from tests.peers.mcp_wire_hearer import Hearer, asked, result
from tests.peers.mcp_wire_script import (
    END,
    Answer,
    Request,
    accepted,
    event,
    forever,
    message,
    says,
    scripted,
    stream,
    then_end,
    then_silence,
    whole,
)
from tests.peers.mcp_wire_script import result as good


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(then_end(b""), id="closed at once"),
        pytest.param(then_end(b"", reset=True), id="reset at once"),
        pytest.param(then_end(b"\x00\xff\x16 not http\r\n\r\n"), id="garbage"),
        pytest.param(then_end(whole(b"{" * 10)[:-5]), id="closed within a body"),
        pytest.param(then_end(whole(b"{" * 10)[:-5], reset=True), id="reset within a body"),
        pytest.param(then_end(stream()), id="closed after the head of a stream"),
        pytest.param(then_end(stream() + event(NOTE)), id="closed within a stream"),
        pytest.param(then_end(stream() + event(NOTE), reset=True), id="reset within a stream"),
        pytest.param(says(stream() + event(NOTE) + b"zz\r\n"), id="bad chunk"),
        pytest.param(says(stream() + event(NOTE) + END), id="a stream without a response"),
        pytest.param(says(stream() + END), id="an empty stream"),
    ],
)
async def test_a_broken_answer_is_an_error_at_once_and_meets_no_other_request(
    answer: Answer,
) -> None:
    """F3."""
    async with scripted(answer, good) as peer, connected(peer) as transport:
        with pytest.raises(GatewayError) as caught:
            async with asyncio.timeout(1):
                await transport.request(asked())
        assert caught.value.reached is not Reached.NOT_SENT
        out = asked()
        assert result(await transport.request(out)) == {"of": out.id}


@pytest.mark.parametrize("reset", [False, True])
async def test_a_stream_that_broke_is_taken_up_where_it_broke(*, reset: bool) -> None:
    """What came of the next event before the break does not count as heard."""
    begun = event(b"", b"id: a-1\nretry: 100\n") + event(NOTE, b"id: a-2\n")
    half = b"9\r\nid: a-3\nd\r\n"

    async def rest(_: Request, writer: asyncio.StreamWriter) -> None:
        id = json.loads(peer.requests[0].body)["id"]
        writer.write(stream() + event(message(id)) + END)

    hearer = Hearer()
    cut = then_end(stream() + begun + half, reset=reset)
    busy, empty = says(whole(b"", status=b"503 X")), says(stream() + END)
    script = scripted(cut, busy, empty, rest)
    async with script as peer, connected(peer, hearer) as transport:
        out = asked()
        assert result(await transport.request(out)) == {"of": out.id}
    assert [request.method for request in peer.requests] == ["POST", "GET", "GET", "GET"]
    assert {request.headers.get("last-event-id") for request in peer.requests[1:]} == {"a-2"}
    assert hearer.messages.get_nowait()[:2] == (out.id, "notifications/x")


async def test_a_stream_that_cannot_be_taken_up_is_lost() -> None:
    begun = stream() + event(b"", b"id: 1\nretry: 1\n") + END
    none = says(whole(b"", status=b"405 X"))
    async with scripted(says(begun), none) as peer, connected(peer) as transport:
        with pytest.raises(ConnectionLost) as caught:
            await transport.request(asked())
    assert caught.value.reached is Reached.SENT_UNKNOWN
    assert len(peer.requests) == 2


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(forever(stream(), b"10000\r\n" + b"x" * 65536 + b"\r\n"), id="no newline"),
        pytest.param(
            forever(stream(), b"6\r\ndata: \r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
            id="an endless event",
        ),
        pytest.param(forever(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536), id="an endless body"),
    ],
)
async def test_an_endless_answer_ends_at_its_bound(answer: Answer) -> None:
    """I59, I60."""
    async with scripted(answer) as peer, connected(peer) as transport:
        with pytest.raises(BadResponse, match="larger"):
            await transport.request(asked())
        await peer.left.wait()


async def test_endless_comments_are_bounded_by_the_callers_time_alone() -> None:
    """I60: a cancelled request closes its stream."""
    answer = forever(stream(), b"4\r\n: x\n\r\n")
    async with scripted(answer) as peer, connected(peer) as transport:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await transport.request(asked())
        await peer.left.wait()


async def test_closing_the_transport_ends_its_requests() -> None:
    async with scripted(then_silence(b"")) as peer, connected(peer) as transport:
        request = asyncio.ensure_future(transport.request(asked()))
        await peer.arrived.wait()
        await transport.aclose()
        with pytest.raises(ConnectionLost):
            await request


# -- the standing stream ------------------------------------------------------------------------


async def test_the_standing_stream_is_taken_up_again_from_where_it_ended() -> None:
    hearer = Hearer()
    first = says(stream() + event(NOTE, b"id: 7\nretry: 1\n") + END)
    second = then_silence(stream() + event(NOTE))
    async with scripted(first, second) as peer, connected(peer, hearer) as transport:
        transport.follow((("MCP-Protocol-Version", "2025-11-25"),))
        for _ in range(2):
            assert await hearer.messages.get() == (None, "notifications/x", None)
        assert [request.headers.get("last-event-id") for request in peer.requests] == [None, "7"]
        assert {request.headers["accept"] for request in peer.requests} == {"text/event-stream"}
        assert {r.headers["mcp-protocol-version"] for r in peer.requests} == {"2025-11-25"}


async def test_a_new_session_has_a_standing_stream_of_its_own() -> None:
    hearer = Hearer()

    async def serving(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.method == "POST":
            await opening(request, writer)
        elif request.method == "DELETE":
            await accepted(request, writer)
        else:
            await then_silence(stream() + event(NOTE, b"id: 7\n"))(request, writer)

    async with scripted(serving) as peer, connected(peer, hearer) as transport:
        for _ in range(2):
            await transport.request(asked("initialize"))
            transport.follow(())
            await hearer.messages.get()
        await peer.left.wait()
        streams = [request for request in peer.requests if request.method == "GET"]
        assert [request.headers.get("last-event-id") for request in streams] == [None, None]


async def test_a_server_without_a_standing_stream_is_not_asked_twice() -> None:
    hearer = Hearer()
    none = says(whole(b"", status=b"405 X"))
    async with scripted(none, good) as peer, connected(peer, hearer) as transport:
        transport.follow(())
        await peer.arrived.wait()
        await transport.request(asked())
        task = transport._standing._task
        assert task is not None
        await task
    assert [request.method for request in peer.requests] == ["GET", "POST"]
    assert hearer.losses.empty()


async def test_a_standing_stream_without_its_session_says_that_it_is_lost() -> None:
    hearer = Hearer()
    gone = says(whole(b"", status=b"404 X"))
    async with scripted(opening, gone) as peer, connected(peer, hearer) as transport:
        await transport.request(asked("initialize"))
        transport.follow(())
        assert "session" in await hearer.losses.get()
