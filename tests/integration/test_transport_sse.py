"""HTTP with SSE (2024-11-05) against the SDK's own server and a scripted one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from gateway.errors import (
    BackendUnavailable,
    BadResponse,
    DeadlineExceeded,
    GatewayError,
    SessionLost,
)
from gateway.http.direct import Direct
from gateway.http.failures import ConnectionLost, Refused
from gateway.transports.base import Means
from gateway.transports.sse import Sse, SseTransport, opened
from tests.peers.mcp_wire_hearer import Hearer, asked, called, initialized, result
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
from tests.peers.mcp_wire_sdk import served, sse

NOTE = b'{"jsonrpc":"2.0","method":"notifications/x"}'
PLACE = event(b"/messages?session=1", b"event: endpoint\n")


@contextlib.asynccontextmanager
async def connected(
    origin: str, hearer: Hearer | None = None, seconds: float = 5
) -> AsyncIterator[SseTransport]:
    http = Direct(public_only=False)
    try:
        async with asyncio.timeout(20):
            means = Means("wire", http)
            transport = await opened(f"{origin}/sse", hearer or Hearer(), means, seconds)
            try:
                yield transport
            finally:
                await transport.aclose()
    finally:
        await http.aclose()


class Room:
    """A server: what `say` is given goes out on the stream, which the test may end."""

    def __init__(self) -> None:
        self.pieces: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def __call__(self, request: Request, writer: asyncio.StreamWriter) -> None:
        if request.method == "POST":
            await self.post(request, writer)
            return
        writer.write(stream() + PLACE)
        while (piece := await self.pieces.get()) is not None:
            writer.write(piece)
        writer.write(END)

    async def post(self, request: Request, writer: asyncio.StreamWriter) -> None:
        await self.say(message(request.id))
        await accepted(request, writer)

    async def say(self, data: bytes) -> None:
        await self.pieces.put(event(data))


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
async def test_the_sdks_server_is_called() -> None:
    hearer = Hearer()
    async with served(sse()) as origin:
        http = Direct(public_only=False)
        transport = await Sse(f"{origin}/sse").connect(hearer, Means("wire", http))
        async with asyncio.timeout(20):
            await initialized(transport)
            outs = [called("echo", text=str(number)) for number in range(20)]
            answers = await asyncio.gather(*map(transport.request, outs))
            await transport.request(called("count"))
        await transport.aclose()
        await http.aclose()
    texts = [result(answer)["content"][0]["text"] for answer in answers]
    assert texts == [str(number) for number in range(20)]
    assert hearer.messages.get_nowait()[:2] == (None, "notifications/progress")
    assert hearer.losses.empty()


async def test_requests_go_where_the_first_event_says() -> None:
    async with scripted(Room()) as peer, connected(peer.origin) as transport:
        out = asked()
        assert result(await transport.request(out)) == {"of": out.id}
        await transport.send(NOTE)
    assert [(request.method, request.target) for request in peer.requests] == [
        ("GET", "/sse"),
        ("POST", "/messages?session=1"),
        ("POST", "/messages?session=1"),
    ]


@pytest.mark.parametrize(
    "place",
    [
        b"http://127.0.0.1:1/messages",
        b"//evil.example/messages",
        b"https://127.0.0.1/messages",
        b"file:///etc/passwd",
        b"http://user:pw@127.0.0.1/",
        b"http://[::1",
        b"\xff",
        b"/" + b"a" * 5000,
    ],
)
async def test_a_place_elsewhere_is_refused(place: bytes) -> None:
    """The server must not choose where our credentials go."""
    script = then_silence(stream() + event(place, b"event: endpoint\n"))
    hearer = Hearer()
    async with scripted(script) as peer:
        with pytest.raises((BadResponse, DeadlineExceeded)):
            async with connected(peer.origin, hearer, 0.3):
                pass
        await peer.left.wait()
    assert len(peer.requests) == 1
    assert hearer.losses.empty()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (then_silence(stream()), DeadlineExceeded),
        (then_silence(b""), DeadlineExceeded),
        (forever(stream(), b"4\r\n: x\n\r\n"), DeadlineExceeded),
        (says(stream() + END), ConnectionLost),
        (then_end(stream(), reset=True), ConnectionLost),
        (says(whole(b"{}")), BadResponse),
        (says(whole(b"", status=b"405 X")), Refused),
        (says(whole(b"", status=b"503 X")), BackendUnavailable),
        (says(whole(b"", b"Location: /", status=b"307 X")), BadResponse),
    ],
)
async def test_a_server_that_names_no_place_cannot_be_connected(
    answer: Answer, error: type[GatewayError]
) -> None:
    hearer = Hearer()
    async with scripted(answer) as peer:
        with pytest.raises(error):
            async with connected(peer.origin, hearer, 0.3):
                pass
    assert hearer.losses.empty()


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(None, id="ended"),
        pytest.param(b"zz\r\n", id="broken"),
    ],
)
async def test_everything_waiting_is_lost_with_the_stream(end: bytes | None) -> None:
    """F3."""

    class Silent(Room):
        async def post(self, request: Request, writer: asyncio.StreamWriter) -> None:
            await accepted(request, writer)
            await self.pieces.put(end)

    hearer = Hearer()
    async with scripted(Silent()) as peer, connected(peer.origin, hearer) as transport:
        with pytest.raises(ConnectionLost):
            await transport.request(asked())
        assert await hearer.losses.get()
        with pytest.raises(BackendUnavailable):
            await transport.request(asked())
    assert hearer.losses.empty()


async def test_only_responses_that_are_waited_for_count() -> None:
    """I57: unknown ids, id reuse, and what the server says to us."""

    class Chatty(Room):
        async def post(self, request: Request, writer: asyncio.StreamWriter) -> None:
            await self.say(b"garbage")
            await self.say(message(10**9))
            await self.say(message("1"))
            await self.say(NOTE)
            await self.say(message(request.id, {"first": request.id}))
            await self.say(message(request.id, {"second": request.id}))
            await accepted(request, writer)

    hearer = Hearer()
    async with scripted(Chatty()) as peer, connected(peer.origin, hearer) as transport:
        for _ in range(3):
            out = asked()
            assert result(await transport.request(out)) == {"first": out.id}
        assert hearer.messages.get_nowait() == (None, "notifications/x", None)


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, SessionLost), (403, Refused), (500, BackendUnavailable)],
)
async def test_a_refused_post_is_an_error_at_once(status: int, error: type[GatewayError]) -> None:
    class Refusing(Room):
        async def post(self, request: Request, writer: asyncio.StreamWriter) -> None:
            writer.write(whole(b"secret", status=b"%d X" % status))

    async with scripted(Refusing()) as peer, connected(peer.origin) as transport:
        with pytest.raises(error) as caught:
            await transport.request(asked())
    assert "secret" not in caught.value.explain()


async def test_closing_ends_what_waits_and_tells_nobody() -> None:
    class Silent(Room):
        post = staticmethod(accepted)  # type: ignore[assignment]

    hearer = Hearer()
    async with scripted(Silent()) as peer, connected(peer.origin, hearer) as transport:
        request = asyncio.ensure_future(transport.request(asked()))
        while len(peer.requests) < 2:
            peer.arrived.clear()
            await peer.arrived.wait()
        await transport.aclose()
        with pytest.raises((ConnectionLost, BackendUnavailable)):
            await request
        await peer.left.wait()
    assert hearer.losses.empty()


async def test_a_connecting_that_is_cancelled_leaves_nothing_behind() -> None:
    async with scripted(then_silence(stream())) as peer:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1), connected(peer.origin):
                pass
        await peer.left.wait()
