"""What reaches the front as raw bytes: malformed HTTP, bombs, the slow and the many."""

import asyncio
import contextlib
import gzip
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from gateway.domain.call import Call
from gateway.domain.tool import ToolResult
from gateway.server.compose import Options
from gateway.server.exchange import Exchange
from gateway.server.front import Front
from gateway.server.limits import Limits
from gateway.server.reply import Reply
from tests.peers.memory_gateway import Gateway, running, snapshot, tool

HEAD = (
    "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    "Accept: application/json, text/event-stream\r\n"
)
PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
QUICK = Limits(head=0.3, body=0.3, stalled=0.4, connections=5)
LARGE = 10 * 1024 * 1024


async def much(_: Call) -> ToolResult:
    return ToolResult(({"type": "text", "text": "x" * LARGE},))


@contextlib.asynccontextmanager
async def front(limits: Limits | None = None) -> AsyncIterator[Gateway]:
    offered = snapshot(1, {"weather": [tool("weather", "now")]}, {"weather": much})
    async with running(offered, Options(port=0, limits=limits or Limits())) as gateway:
        yield gateway


async def exchange(gateway: Gateway, sent: bytes, within: float = 5) -> bytes:
    """All that comes back until the front closes, or until nothing has come for a moment."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.server.port)
    writer.write(sent)
    received = b""
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(within):
            while not received.endswith(b"}") and (chunk := await reader.read(65536)):
                received += chunk
    writer.close()
    return received


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


async def still_serves(gateway: Gateway) -> bool:
    answer = await exchange(gateway, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return status(answer) == 200


@pytest.mark.parametrize(
    "head",
    [
        HEAD + "Content-Length: 40\r\nTransfer-Encoding: chunked\r\n",
        HEAD + "Content-Length: 40\r\nContent-Length: 41\r\n",
        HEAD + "Content-Length: +40\r\n",
        HEAD + "Content-Length: 40\r\nX-Folded: a\r\n b\r\n",
        HEAD + "Content-Length: 40\r\nX-Nul: a\0b\r\n",
        HEAD.replace("\r\n", "\n") + "Content-Length: 40\n",
        HEAD + "Content-Length: 40\r\nHost: localhost\r\n",
        HEAD + f"X-Long: {'x' * 10_000}\r\nContent-Length: 40\r\n",
        HEAD + "X-Many: 1\r\n" * 300 + "Content-Length: 40\r\n",
        HEAD.replace("Host: localhost", "Host: a/health?x="),
        HEAD.replace("Host: localhost\r\n", ""),
        HEAD.replace("POST /mcp", "POST http://evil.example/mcp"),
    ],
    ids=lambda head: repr(head)[-60:],
)
async def test_malformed_http_is_a_400_and_the_connection_closes(head: str) -> None:
    """I4, I5, I6, T13."""
    async with front() as gateway:
        answer = await exchange(gateway, head.encode() + b"\r\n" + PING, within=3)
        assert status(answer) == 400
        assert b"connection: close" in answer.lower() or b"HTTP/1.0" in answer
        assert b"Traceback" not in answer
        assert b"aiohttp" not in answer
        assert await still_serves(gateway)


@pytest.mark.parametrize(
    ("twice", "expected"),
    [
        ("Origin: http://localhost\r\n", 403),
        ("Mcp-Session-Id: x\r\n", 404),
        ("X-Harmless: 1\r\n", 400),
    ],
)
async def test_a_header_sent_twice_equals_no_single_value(twice: str, expected: int) -> None:
    """I2: 400 is what a good request without a session gets."""
    async with front() as gateway:
        head = f"{HEAD}{twice}{twice.upper()}Content-Length: {len(PING)}\r\n\r\n"
        assert status(await exchange(gateway, head.encode() + PING)) == expected


async def test_tls_on_the_plain_port_is_refused_at_once() -> None:
    """I7."""
    hello = bytes.fromhex("16030100c8010000c40303") + b"\x00" * 190
    async with front() as gateway:
        async with asyncio.timeout(1):
            answer = await exchange(gateway, hello)
        assert answer == b"" or status(answer) == 400
        assert await still_serves(gateway)


@pytest.mark.parametrize(("extra", "expected"), [(0, 400), (1, 413)])
async def test_a_body_one_byte_over_the_limit_is_too_large(extra: int, expected: int) -> None:
    """I8: 400 because a body of spaces is no JSON, but it was read."""
    size = Limits().largest_body + extra
    sent = f"{HEAD}Content-Length: {size}\r\n\r\n".encode() + b" " * size
    async with front() as gateway:
        assert status(await exchange(gateway, sent)) == expected


@pytest.mark.parametrize(("largest", "expected"), [(1_000, 413), (3_000_000, 400)])
async def test_the_limit_is_the_operators_in_both_directions(largest: int, expected: int) -> None:
    """Of a chunked body, whose length nobody announces; 400 again means that it was read."""
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (2_000_000, b" " * 2_000_000)
    sent = f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode() + body
    async with front(Limits(largest_body=largest)) as gateway:
        assert status(await exchange(gateway, sent)) == expected


async def test_a_huge_announced_body_is_refused_before_it_comes() -> None:
    """I8."""
    async with front() as gateway, asyncio.timeout(2):
        sent = f"{HEAD}Content-Length: 3000000000\r\n\r\n".encode()
        assert status(await exchange(gateway, sent)) == 413


async def test_a_chunked_body_over_the_limit_is_too_large() -> None:
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    sent = f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk * 20
    async with front() as gateway:
        assert status(await exchange(gateway, sent)) == 413


async def test_a_compressed_bomb_is_too_large_and_a_compressed_body_is_read() -> None:
    """I9."""
    async with front() as gateway:
        for body, expected in ((gzip.compress(b" " * 50_000_000), 413), (gzip.compress(PING), 400)):
            head = f"{HEAD}Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
            answer = await exchange(gateway, head.encode() + body)
            assert status(answer) == expected
        assert b"initialize first" in answer  # it was understood: only its session is missing


async def test_a_body_cut_off_or_badly_compressed_is_a_400() -> None:
    async with front() as gateway:
        head = f"{HEAD}Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n"
        assert status(await exchange(gateway, head.encode() + b"junk")) == 400


async def test_a_head_that_does_not_end_is_cut() -> None:
    """I10, T4."""
    async with front(QUICK) as gateway:
        async with asyncio.timeout(3):
            assert await exchange(gateway, b"POST /mcp HTTP/1.1\r\nHost: loc") == b""
            assert await exchange(gateway, b"") == b""
        assert await still_serves(gateway)


async def test_a_slow_second_head_is_cut_but_idling_is_not() -> None:
    """I10: on a connection that has served before."""
    get = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with front(QUICK) as gateway, asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.server.port)
        for pause in (0, QUICK.head * 2):
            await asyncio.sleep(pause)
            writer.write(get)
            assert b"200 OK" in await reader.readuntil(b"alive\n")
        writer.write(get[:20])
        assert await reader.read() == b""
        writer.close()


async def test_slow_heads_do_not_hold_up_good_calls() -> None:
    """I10."""
    async with front(Limits(head=1.0)) as gateway, asyncio.timeout(10):
        slow = [await asyncio.open_connection("127.0.0.1", gateway.server.port) for _ in range(100)]
        for _, writer in slow:
            writer.write(b"POST /mcp HTTP/1.1\r\n")
        assert await still_serves(gateway)
        assert [await reader.read() for reader, _ in slow] == [b""] * 100
        for _, writer in slow:
            writer.close()


async def test_a_body_that_does_not_come_is_a_408() -> None:
    """I11."""
    async with front(QUICK) as gateway:
        answer = await exchange(gateway, f"{HEAD}Content-Length: 40\r\n\r\n".encode() + b"{")
        assert status(answer) == 408


async def test_a_reader_that_does_not_read_its_large_answer_is_cut() -> None:
    """I11."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": "now", "_meta": meta}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    head = HEAD.replace("/mcp", "/mcp/weather") + (
        "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: now\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    async with front(QUICK) as gateway, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.server.port, limit=1024)
        writer.write((head + body).encode())
        while gateway.server.connections:
            await asyncio.sleep(0.05)
        received = 0
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(65536):
                received += len(chunk)
        assert received < LARGE
        writer.close()


async def test_a_client_that_waits_to_be_asked_for_its_body_is_asked() -> None:
    head = f"{HEAD}Expect: 100-continue\r\nContent-Length: {len(PING)}\r\n\r\n"
    async with front() as gateway, asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.server.port)
        writer.write(head.encode())
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(PING)
        assert (
            status(await reader.readuntil(b"}")) == 400
        )  # understood: only its session is missing
        writer.close()


async def test_a_fault_of_ours_tells_nothing() -> None:
    async def fail(_: Exchange) -> Reply:
        raise RuntimeError("token=hunter2")

    broken = Front(fail)
    await broken.start("127.0.0.1", 0)
    try:
        url = f"http://127.0.0.1:{broken.port}/"
        async with aiohttp.ClientSession() as http, http.get(url) as response:
            assert (response.status, await response.text()) == (500, "internal error\n")
    finally:
        await broken.aclose()


async def test_connections_over_the_limit_get_a_503_and_room_comes_back() -> None:
    """F13."""
    async with front(QUICK) as gateway, asyncio.timeout(5):
        held = [
            await asyncio.open_connection("127.0.0.1", gateway.server.port)
            for _ in range(QUICK.connections)
        ]
        assert status(await exchange(gateway, b"")) == 503
        for _, writer in held:
            writer.close()
        while gateway.server.connections:
            await asyncio.sleep(0.01)
        assert await still_serves(gateway)
