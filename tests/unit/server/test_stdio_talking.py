"""What servers say and ask while a request over stdio is open."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from gateway.domain.client import Client
from gateway.domain.events import Notice
from gateway.runtime.notices import Notices
from gateway.runtime.snapshot import Current
from gateway.server.changes import Changes
from gateway.server.endpoint import Endpoint
from gateway.server.hearing import Hub
from gateway.server.listen import Subscriptions
from gateway.server.stdio import Stdio
from gateway.server.surface import BackendSurface
from gateway.server.views import Views
from tests.peers.talking import ELICIT, NAME, Talk, talking

ABLE: dict[str, Any] = {"elicitation": {}}
ACCEPTED = {"action": "accept"}
INITIALIZE = {"protocolVersion": "2025-11-25", "capabilities": ABLE}
MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": ABLE,
}


class Peer:
    """A client that writes by `say` and reads by `hear`; `leave` closes its side."""

    def __init__(self, **talks: Talk) -> None:
        current = Current(talking(talks))
        self.notices = Notices()
        changes = Changes(current, lambda _: None)
        hub = Hub(Views(current, lambda _: None), current, changes, self.notices)
        self.endpoint = Endpoint(current, lambda _: None)
        self.front = Stdio(
            self.endpoint,
            BackendSurface("talker"),
            hub,
            Subscriptions(hub),
            self._take,
            self._offered,
        )
        self.reads = True  # else what may be left out is
        self._written: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._read: asyncio.Queue[Any] = asyncio.Queue()
        self._serving = asyncio.create_task(self.front.serve(self._lines(), grace=5))

    def _take(self, line: bytes) -> None:
        assert b"\n" not in line
        self._read.put_nowait(json.loads(line))

    def _offered(self, line: bytes) -> None:
        if self.reads:
            self._take(line)

    async def _lines(self) -> AsyncIterator[bytes]:
        while (line := await self._written.get()) is not None:
            yield line

    def say(self, **message: Any) -> None:
        self._written.put_nowait(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def call(self, id: int, tool: str, **params: Any) -> None:
        self.say(id=id, method="tools/call", params={"name": tool, **params})

    async def hear(self) -> Any:
        async with asyncio.timeout(5):
            return await self._read.get()

    async def initialize(self) -> None:
        self.say(id="init", method="initialize", params=INITIALIZE)
        assert (await self.hear())["id"] == "init"

    async def leave(self) -> list[Any]:
        """Ends the conversation; gives what was still said."""
        self._written.put_nowait(None)
        async with asyncio.timeout(5):
            await self._serving
        return [self._read.get_nowait() for _ in range(self._read.qsize())]


def hang(cancelled: asyncio.Event) -> Talk:
    async def endless(client: Client) -> str:
        try:
            return str(await client.ask(ELICIT, NAME))
        finally:
            cancelled.set()

    return endless


async def test_a_legacy_peer_is_asked_and_answers() -> None:
    peer = Peer()
    await peer.initialize()
    peer.call(1, "greet")
    question = await peer.hear()
    assert question["method"] == ELICIT
    peer.say(id="unknown", result={})
    peer.say(id=question["id"], result=ACCEPTED)
    answer = await peer.hear()
    assert answer["id"] == 1
    assert answer["result"]["content"][0]["text"] == f"hello {json.dumps(ACCEPTED)}"
    assert await peer.leave() == []


async def test_what_a_server_logs_unasked_is_left_out_when_nobody_reads() -> None:
    peer = Peer()
    await peer.initialize()
    log = Notice("talker", "notifications/message", {"level": "error", "data": "x"})
    peer.reads = False
    peer.notices.publish(log)
    peer.reads = True
    peer.notices.publish(log)
    assert [message["method"] for message in await peer.leave()] == ["notifications/message"]


async def test_a_cancelled_call_of_a_legacy_peer_withdraws_its_question() -> None:
    cancelled = asyncio.Event()
    peer = Peer(endless=hang(cancelled))
    await peer.initialize()
    peer.call(1, "endless")
    question = await peer.hear()
    peer.say(method="notifications/cancelled", params={"requestId": 1})
    withdrawn = await peer.hear()
    assert withdrawn["params"]["requestId"] == question["id"]
    assert cancelled.is_set()
    assert await peer.leave() == [], "no answer is due"


async def test_a_peer_that_leaves_can_no_longer_be_asked() -> None:
    peer = Peer()
    await peer.initialize()
    peer.call(1, "greet")
    await peer.hear()
    (answer,) = await peer.leave()
    assert answer["id"] == 1
    assert "ended its session" in answer["result"]["content"][0]["text"]


async def test_a_peer_that_initializes_anew_answers_no_old_question() -> None:
    peer = Peer()
    await peer.initialize()
    peer.call(1, "greet")
    await peer.hear()
    peer.say(id=2, method="initialize", params=INITIALIZE)
    answers = {(await peer.hear())["id"] for _ in range(2)}
    assert answers == {1, 2}
    await peer.leave()


async def test_a_modern_peer_parks_and_resumes() -> None:
    peer = Peer()
    peer.call(1, "greet", _meta=MODERN)
    result = (await peer.hear())["result"]
    answers = dict.fromkeys(result["inputRequests"], ACCEPTED)
    state = result["requestState"]
    peer.call(2, "greet", inputResponses=answers, requestState=state, _meta=MODERN)
    answer = await peer.hear()
    assert answer["id"] == 2
    assert answer["result"]["content"][0]["text"].startswith("hello")
    await peer.leave()


async def test_what_a_modern_peer_parked_is_cancelled_when_it_leaves() -> None:
    cancelled = asyncio.Event()
    peer = Peer(endless=hang(cancelled))
    peer.call(1, "endless", _meta=MODERN)
    assert (await peer.hear())["result"]["resultType"] == "input_required"
    assert await peer.leave() == []
    async with asyncio.timeout(5):
        await cancelled.wait()
    assert len(peer.endpoint.parking) == 0


async def test_a_modern_peer_hears_of_its_request_what_it_asked_for() -> None:
    peer = Peer()
    meta = {**MODERN, "progressToken": 5, "io.modelcontextprotocol/logLevel": "error"}
    peer.call(1, "report", _meta=meta)
    said = [await peer.hear() for _ in range(4)]
    assert [one["params"].get("progress") for one in said[:2]] == [1, 2]
    assert said[2]["params"]["level"] == "error"
    assert said[3]["id"] == 1
    peer.call(2, "report", _meta=MODERN)
    assert (await peer.hear())["id"] == 2
    await peer.leave()
