"""Streams of a real API while they run: progress, pauses, ends of every kind."""

import asyncio
import contextlib
import gzip
import json
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from gateway.backends.cache import Cache
from gateway.backends.rest import RestBackend
from gateway.capability.load import load
from gateway.credentials.redact import Redactor
from gateway.domain.call import Call
from gateway.domain.client import Context, Nobody
from gateway.domain.identity import ANONYMOUS
from gateway.domain.tool import JsonObject, Tool, ToolRef, ToolResult
from gateway.errors import BackendError, BadResponse, DeadlineExceeded, GatewayError
from gateway.http.outgoing import Outgoing
from tests.peers.web import serving

FILE = """\
capability: 1
name: api
description: An API that streams
base_url: http://127.0.0.1:{port}
timeout: {timeout}
limits: {{transfer: 100k}}
retry: {{max: 2, max_wait: 1s}}
tools:
  sse: {{description: Read., get: /s, response: {{as: sse, each: $.t, join: true}}}}
  lines: {{description: Read., get: /s, response: {{as: ndjson, limit: 3}}}}
  all: {{description: Read., get: /s, response: {{as: ndjson}}}}
"""
Stream = Callable[[web.Request, web.StreamResponse], Awaitable[None]]


class Told(Nobody):
    """A client that notes its progress, and can be waited for."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.came = asyncio.Event()

    def notify(self, method: str, params: JsonObject) -> None:
        assert method == "notifications/progress"
        self.messages.append(params["message"])
        self.came.set()

    async def next(self) -> Any:
        async with asyncio.timeout(5):
            await self.came.wait()
        self.came.clear()
        return self.messages[-1]


class Api:
    def __init__(self, backend: RestBackend, requests: list[web.Request]) -> None:
        self.backend = backend
        self.requests = requests
        self.client = Told()

    async def call(self, tool: str, seconds: float = 5) -> Any:
        listed = Tool(ToolRef("api", tool), {"name": tool})
        deadline = asyncio.get_running_loop().time() + seconds
        context = Context(self.client)
        result = await self.backend.call(Call("1", listed, {}, ANONYMOUS, deadline, context))
        assert isinstance(result, ToolResult)
        return json.loads(result.structured or b"null")


@contextlib.asynccontextmanager
async def streaming(
    stream: Stream, *, kind: str = "text/event-stream", pause: str = "5s", **headers: str
) -> AsyncIterator[Api]:
    requests: list[web.Request] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        requests.append(request)
        response = web.StreamResponse(headers={"Content-Type": kind, **headers})
        await response.prepare(request)
        await stream(request, response)
        return response

    outgoing = Outgoing()
    async with serving(handle) as port:
        text = FILE.format(port=port, timeout=pause)
        found = load(text.encode(), "api.yaml", environ={}, redactor=Redactor()).capability
        assert found is not None
        yield Api(RestBackend(found, outgoing, Cache()), requests)
        await outgoing.aclose()


def event(text: str) -> bytes:
    return b"data: " + json.dumps({"t": text}).encode() + b"\n\n"


async def test_each_event_is_told_while_the_stream_still_runs() -> None:
    goes_on = asyncio.Event()

    async def stream(_: web.Request, response: web.StreamResponse) -> None:
        for text in ("a", "b", "c"):
            await response.write(event(text))
            await goes_on.wait()
            goes_on.clear()

    async with streaming(stream) as api:
        call = asyncio.create_task(api.call("sse"))
        for text in ("a", "b", "c"):
            assert await api.client.next() == text
            assert not call.done()
            goes_on.set()
        assert await call == "abc"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_compressed_stream_is_heard_as_it_comes(encoding: str) -> None:
    goes_on = asyncio.Event()

    async def stream(_: web.Request, response: web.StreamResponse) -> None:
        packer = zlib.compressobj(wbits=31 if encoding == "gzip" else 15)
        for text in ("a", "b"):
            packed = packer.compress(event(text)) + packer.flush(zlib.Z_SYNC_FLUSH)
            await response.write(packed)
            await goes_on.wait()
        await response.write(packer.flush())

    async with streaming(stream, **{"Content-Encoding": encoding}) as api:
        call = asyncio.create_task(api.call("sse"))
        assert await api.client.next() == "a"
        goes_on.set()
        assert await call == "ab"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (gzip.compress(event("a") * 100)[:-20], "broke off within its compressed data"),
        (b"no gzip", "not the compressed data it says it is"),
        (gzip.compress(b"data: " + b"x" * 30_000_000), "larger than 100,000 bytes"),
        (gzip.compress(event("a")) + b"more", "not the compressed data it says it is"),
    ],
    ids=["cut", "other", "bomb", "tail"],
)
async def test_a_broken_compression_is_an_error_i59(body: bytes, reason: str) -> None:
    async def stream(_: web.Request, response: web.StreamResponse) -> None:
        with contextlib.suppress(ConnectionError):
            await response.write(body)

    async with streaming(stream, **{"Content-Encoding": "gzip"}) as api:
        with pytest.raises(BadResponse, match=reason):
            await api.call("sse")
        assert len(api.requests) == 1


async def forever(_: web.Request, response: web.StreamResponse) -> None:
    with contextlib.suppress(ConnectionError):
        for number in range(10_000):
            await response.write(b'{"n":%d}\n' % number)
            await asyncio.sleep(0.005)


async def test_a_limit_and_done_end_a_stream_that_never_ends() -> None:
    async def done(request: web.Request, response: web.StreamResponse) -> None:
        await response.write(event("a") + b"data: [DONE]\n\n")
        await forever(request, response)

    async with streaming(forever, kind="application/x-ndjson") as api:
        assert await api.call("lines") == [{"n": 0}, {"n": 1}, {"n": 2}]
    async with streaming(done) as api:
        assert await api.call("sse") == "a"


async def test_a_stream_that_never_ends_is_bounded_by_the_call_i60() -> None:
    async with streaming(forever, kind="application/x-ndjson") as api:
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded, match=r"the call's time is up, after \d+ events"):
            await api.call("all", seconds=0.5)
        assert time.monotonic() - started < 1


async def test_comments_for_ever_are_bounded_by_the_transfer_cap_i60() -> None:
    async def comments(_: web.Request, response: web.StreamResponse) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b": still here\n" * 1000)

    async with streaming(comments) as api:
        with pytest.raises(BadResponse, match="larger than 100,000 bytes"):
            await api.call("sse")


async def test_a_pause_is_bounded_and_pieces_within_it_are_not() -> None:
    async def slow(_: web.Request, response: web.StreamResponse) -> None:
        for text in "abcdef":
            await response.write(event(text))
            await asyncio.sleep(0.1)

    async def stuck(_: web.Request, response: web.StreamResponse) -> None:
        await response.write(event("a"))
        await asyncio.sleep(30)

    async with streaming(slow, pause="400ms") as api:
        assert await api.call("sse") == "abcdef"
    async with streaming(stuck, pause="200ms") as api:
        with pytest.raises(DeadlineExceeded, match=r"nothing more came for 0\.2 s, after 1 event"):
            await api.call("sse")
        assert len(api.requests) == 1


async def test_what_breaks_off_after_an_event_is_not_tried_again() -> None:
    async def breaks(request: web.Request, response: web.StreamResponse) -> None:
        await response.write(event("a") + event("b"))
        assert request.transport is not None
        request.transport.abort()

    async with streaming(breaks) as api:
        with pytest.raises(BackendError, match="broke off within its answer, after 2 events"):
            await api.call("sse")
        assert len(api.requests) == 1
        assert api.client.messages == ["ab"]


async def test_what_breaks_off_before_anything_came_is_tried_again() -> None:
    async def first_breaks(request: web.Request, response: web.StreamResponse) -> None:
        count.append(1)
        if len(count) == 1 and request.transport is not None:
            request.transport.abort()
        else:
            await response.write(event("a"))

    count: list[int] = []
    async with streaming(first_breaks) as api:
        assert await api.call("sse") == "a"
        assert len(api.requests) == 2


async def test_cancelling_drops_the_connection_within_a_second() -> None:
    gone = asyncio.Event()

    async def stream(_: web.Request, response: web.StreamResponse) -> None:
        try:
            while True:
                await response.write(event("a"))
                await asyncio.sleep(0.02)
        except (ConnectionError, asyncio.CancelledError):
            gone.set()
            raise

    async with streaming(stream) as api:
        call = asyncio.create_task(api.call("sse"))
        await api.client.next()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(1):
            await gone.wait()


async def test_an_error_page_in_place_of_a_stream_is_told() -> None:
    async def handle(_: web.Request) -> web.Response:
        return web.json_response({"message": "no such model"}, status=404)

    outgoing = Outgoing()
    async with serving(handle) as port:
        text = FILE.format(port=port, timeout="5s")
        found = load(text.encode(), "api.yaml", environ={}, redactor=Redactor()).capability
        assert found is not None
        api = Api(RestBackend(found, outgoing, Cache()), [])
        with pytest.raises(GatewayError, match=r"HTTP 404 from api\.sse: no such model"):
            await api.call("sse")
        await outgoing.aclose()


async def test_an_encoding_nobody_asked_for_is_an_error() -> None:
    async def stream(_: web.Request, response: web.StreamResponse) -> None:
        await response.write(event("a"))

    async with streaming(stream, **{"Content-Encoding": "br"}) as api:
        with pytest.raises(BadResponse, match="an encoding nobody asked for: 'br'"):
            await api.call("sse")


class Turning(Told):
    """Notes in which turn of the loop it was told something."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = 0
        self.told_in: set[int] = set()
        self._go_on()

    def _go_on(self) -> None:
        self.turn += 1
        self.next_turn = asyncio.get_running_loop().call_soon(self._go_on)

    def notify(self, method: str, params: JsonObject) -> None:
        super().notify(method, params)
        self.told_in.add(self.turn)


async def test_a_read_full_of_events_takes_turns_with_others_f4() -> None:
    """A quarter of a megabyte of events, read at once, took half a second."""

    async def stream(_: web.Request, response: web.StreamResponse) -> None:
        await response.write(b"1\n" * 45_000)

    async with streaming(stream, kind="application/x-ndjson") as api:
        api.client = turning = Turning()
        await api.call("all")
        turning.next_turn.cancel()
        assert len(turning.told_in) >= 90_000 // 8192
