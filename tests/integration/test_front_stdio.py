"""The stdio front as a real process, line by line."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.server.limits import Limits

ROOT = Path(__file__).resolve().parents[2]
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
TAG = "io.modelcontextprotocol/subscriptionId"


class Peer:
    """Sends lines and reads lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self.stdin = process.stdin
        self.stdout = process.stdout

    def send(self, message: Any) -> None:
        raw = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.stdin.write(raw + b"\n")

    def request(self, id: int | str, method: str, **params: Any) -> None:
        self.send({"jsonrpc": "2.0", "id": id, "method": method, "params": params})

    def modern(self, id: int | str, method: str, **params: Any) -> None:
        self.request(id, method, **params, _meta=META)

    def notify(self, method: str, **params: Any) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    async def read(self) -> Any:
        return json.loads(await self.stdout.readline())

    async def initialize(self, version: str = "2025-11-25") -> None:
        self.request("init", "initialize", protocolVersion=version)
        assert (await self.read())["result"]["protocolVersion"] == version
        self.notify("notifications/initialized")

    async def end(self) -> list[Any]:
        """Close the input; what else was said until the process ended."""
        self.stdin.close()
        rest = await self.stdout.read()
        assert await self.process.wait() == 0
        return [json.loads(line) for line in rest.splitlines()]


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.peers.stdio_gateway"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=64 * 1024 * 1024,
    )
    async with asyncio.timeout(20):
        yield Peer(process)
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.communicate()


async def test_both_eras_are_served_by_one_process(peer: Peer) -> None:
    peer.modern(1, "server/discover")
    assert "2026-07-28" in (await peer.read())["result"]["supportedVersions"]
    await peer.initialize()
    peer.request(2, "tools/list")
    assert "resultType" not in (await peer.read())["result"]
    peer.modern(3, "tools/list")
    assert (await peer.read())["result"]["resultType"] == "complete"
    assert await peer.end() == []


async def test_a_request_of_neither_era_is_told_what_to_send(peer: Peer) -> None:
    peer.request(1, "tools/list")
    found = await peer.read()
    assert (found["id"], found["error"]["code"]) == (1, -32602)
    assert "initialize" in found["error"]["message"]
    peer.request(2, "ping")
    assert await peer.read() == {"jsonrpc": "2.0", "id": 2, "result": {}}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", -32700),
        (b"[]", -32600),
        (b"\xff", -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}', -32600),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600),
        (b"x" * (Limits().largest_body + 1), -32600),
    ],
    ids=["cut", "empty", "bytes", "twice", "batch", "long"],
)
async def test_a_bad_line_costs_one_error_and_nothing_else(
    line: bytes, code: int, peer: Peer
) -> None:
    """I13, I14."""
    peer.send(line)
    found = await peer.read()
    assert (found["id"], found["error"]["code"]) == (None, code)
    peer.request(1, "ping")
    assert (await peer.read())["id"] == 1


async def test_blank_lines_and_responses_are_ignored(peer: Peer) -> None:
    """I22."""
    peer.send(b"")
    peer.send(b"  \r")
    peer.send({"jsonrpc": "2.0", "id": 9, "result": {}})
    peer.request(1, "ping")
    assert (await peer.read())["id"] == 1


async def test_a_slow_call_holds_up_no_other_and_can_be_cancelled(peer: Peer) -> None:
    await peer.initialize()
    peer.request("slow", "tools/call", name="hang")
    peer.request(2, "tools/call", name="now", arguments={"text": "hi"})
    assert (await peer.read())["id"] == 2
    peer.notify("notifications/cancelled", requestId="slow")
    peer.request(3, "ping")
    assert (await peer.read())["id"] == 3
    assert await peer.end() == []


async def test_a_legacy_peer_hears_that_the_tools_changed(peer: Peer) -> None:
    await peer.initialize()
    peer.request(1, "tools/call", name="grow")
    both = [await peer.read(), await peer.read()]
    assert {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"} in both
    peer.request(2, "tools/list")
    assert "grown" in [found["name"] for found in (await peer.read())["result"]["tools"]]


async def test_a_modern_peer_hears_it_by_its_subscriptions_until_it_cancels_them(
    peer: Peer,
) -> None:
    for id in ("a", "b"):
        peer.modern(id, "subscriptions/listen", notifications={"toolsListChanged": True})
        acknowledged = await peer.read()
        assert acknowledged["params"]["_meta"][TAG] == id
    peer.notify("notifications/cancelled", requestId="a")
    peer.modern(1, "tools/call", name="grow")
    both = [await peer.read(), await peer.read()]
    assert [found["params"]["_meta"] for found in both if "params" in found] == [{TAG: "b"}]
    rest = await peer.end()
    assert (rest[0]["id"], rest[0]["result"]["resultType"]) == ("b", "complete")
    assert rest[1]["params"]["requestId"] == "b"


async def test_batches_are_answered_where_the_revision_has_them(peer: Peer) -> None:
    await peer.initialize("2025-03-26")
    peer.send([{"jsonrpc": "2.0", "id": id, "method": "ping"} for id in (1, 2)])
    assert [found["id"] for found in await peer.read()] == [1, 2]


async def test_a_stray_print_does_not_reach_the_wire(peer: Peer) -> None:
    await peer.initialize()
    peer.request(1, "tools/call", name="shout")
    assert (await peer.read())["id"] == 1
    peer.stdin.close()
    _, said = await peer.process.communicate()
    assert b"not a message" in said


async def test_the_end_of_input_lets_calls_end_and_gives_up_on_the_rest(peer: Peer) -> None:
    await peer.initialize()
    peer.request(1, "tools/call", name="now")
    peer.request(2, "tools/call", name="hang")
    assert [found["id"] for found in await peer.end()] == [1]


async def test_a_peer_that_reads_late_gets_every_answer(peer: Peer) -> None:
    await peer.initialize()
    text = "x" * 100_000
    for id in range(200):
        peer.request(id, "tools/call", name="now", arguments={"text": text})
        await peer.stdin.drain()
    found = {(await peer.read())["id"] for _ in range(200)}
    assert found == set(range(200))
