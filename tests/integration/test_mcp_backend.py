"""Real servers as backends: killed, flapping, hanging, lying, and closed (F1, F11, I53, I57)."""

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.backends.mcp import McpBackend
from gateway.backends.settings import McpSettings
from gateway.domain.call import Call, Relayed
from gateway.domain.identity import ANONYMOUS
from gateway.domain.listing import Status
from gateway.domain.tool import Tool, ToolRef
from gateway.errors import BackendUnavailable, GatewayError, Reached
from gateway.http.direct import Direct
from gateway.protocol.eras import LATEST_LEGACY, MODERN, Revision
from gateway.protocol.jsonrpc import loads
from gateway.transports import Http, Stdio
from gateway.transports.base import Means, TransportKind
from gateway.transports.reaper import reaper
from tests.peers.backend_bare_server import COMMAND

SDK = (sys.executable, str(Path(__file__).parents[1] / "peers" / "backend_sdk_server.py"))
PATIENCE = 30.0


class Served:
    """A started backend, and ways to call it."""

    def __init__(self, kind: TransportKind, **settings: Any) -> None:
        self.backend = McpBackend(
            McpSettings("peer", **settings), kind, Means("peer", Direct(public_only=False))
        )
        self.turned = asyncio.Event()

    async def until(self, seen: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not seen():
                self.turned.clear()
                await self.turned.wait()

    async def up(self) -> None:
        await self.until(lambda: self.backend.listing.health.status is Status.OK)

    async def down(self) -> None:
        await self.until(
            lambda: (
                self.backend.listing.settled and self.backend.listing.health.status is Status.DOWN
            )
        )

    async def call(self, name: str, /, **arguments: Any) -> str:
        tool = Tool(ToolRef("peer", name), {"name": name, "inputSchema": {"type": "object"}})
        deadline = asyncio.get_running_loop().time() + PATIENCE
        result = await self.backend.call(Call("1", tool, arguments, ANONYMOUS, deadline))
        assert isinstance(result, Relayed)
        return str(loads(result.raw)["content"][0]["text"])

    async def kill(self) -> None:
        os.kill(int(await self.call("pid")), signal.SIGKILL)


@contextlib.asynccontextmanager
async def serving(kind: TransportKind, **settings: Any) -> AsyncIterator[Served]:
    """Afterwards no child of it is left."""
    served = Served(kind, **settings)
    before = children()
    await served.backend.start(served.turned.set, lambda _: None)
    try:
        yield served
    finally:
        await served.backend.aclose()
        async with asyncio.timeout(PATIENCE):
            while children() - before - {str(reaper().pid)}:
                await asyncio.sleep(0.005)


def children() -> set[str]:
    found = set()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, IndexError):
            if entry.name.isdigit():
                facts = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(facts[1]) == os.getpid():
                    found.add(entry.name)
    return found


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def kept() -> int:
    return sum(task.get_name().startswith("keep") for task in asyncio.all_tasks())


async def test_a_server_of_the_sdk_is_listed_called_killed_and_back() -> None:
    async with serving(Stdio(SDK)) as served:
        await served.up()
        listing = served.backend.listing
        assert [tool.ref.name for tool in listing.tools] == ["echo", "pid", "hang", "die", "grow"]
        assert [prompt["name"] for prompt in listing.prompts] == ["greet"]
        assert [resource["uri"] for resource in listing.resources] == ["memo://one"]
        assert listing.instructions == "ask it anything"
        assert await served.call("echo", text="hi", times=2) == "hihi"
        await asyncio.sleep(1.05)  # it counts as stable
        in_flight = asyncio.create_task(served.call("hang"))
        await asyncio.sleep(0.05)
        loop = asyncio.get_running_loop()
        before = loop.time()
        await served.kill()
        with pytest.raises(GatewayError, match="SIGKILL") as failed:
            await in_flight
        assert loop.time() - before < 0.5  # 100 ms on a machine that does nothing else
        assert failed.value.reached is Reached.SENT_UNKNOWN
        assert served.backend.listing.tools is listing.tools
        await served.up()
        assert served.backend.listing.tools is listing.tools
        assert await served.call("echo", text="again") == "again"


@pytest.mark.parametrize("revision", [MODERN, LATEST_LEGACY], ids=lambda revision: revision.era)
async def test_a_tool_that_a_server_of_the_sdk_adds_is_offered(revision: Revision) -> None:
    async with serving(Stdio(SDK), revision=revision) as served:
        await served.up()
        await served.call("grow", name="grown")
        await served.until(
            lambda: "grown" in [tool.ref.name for tool in served.backend.listing.tools]
        )


async def test_a_killed_server_is_back_within_a_second_and_the_next_call_does_not_notice() -> None:
    async with serving(Stdio(COMMAND)) as served:
        await served.up()
        await asyncio.sleep(1.05)
        first = await served.call("pid")
        loop = asyncio.get_running_loop()
        before = loop.time()
        with pytest.raises(GatewayError, match="exit code 3; it said: out of cheese"):
            await served.call("die")
        second = await served.call("pid")
        assert loop.time() - before < 1.0
        assert second != first


async def test_under_kills_no_call_gets_another_ones_answer() -> None:
    wrong = right = failed = 0
    async with serving(Stdio(COMMAND), concurrency=32) as served:
        await served.up()
        stop = asyncio.Event()

        async def caller(number: int) -> None:
            nonlocal wrong, right, failed
            turn = 0
            while not stop.is_set():
                turn += 1
                try:
                    text = await served.call("echo", id=f"{number}.{turn}")
                except GatewayError:
                    failed += 1
                    await asyncio.sleep(0.01)
                    continue
                matches = loads(text.encode()) == {"id": f"{number}.{turn}"}
                right, wrong = right + matches, wrong + (not matches)

        callers = [asyncio.create_task(caller(number)) for number in range(16)]
        for _ in range(6):
            await asyncio.sleep(0.2)
            with contextlib.suppress(GatewayError):
                await served.kill()
        stop.set()
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*callers)
    assert wrong == 0
    assert right > 100
    assert failed > 0


async def test_kills_and_replacements_leave_nothing_behind() -> None:
    async with serving(Stdio(COMMAND)) as served:  # what a process starts once is started now
        await served.up()
    gc.collect()
    before = children(), descriptors(), kept()
    for _ in range(25):
        async with serving(Stdio(COMMAND)) as served:
            await served.up()
            hanging = asyncio.create_task(served.call("hang"))
            await asyncio.sleep(0)
            with contextlib.suppress(GatewayError):
                await served.kill()
            with pytest.raises(GatewayError):
                await hanging
    gc.collect()
    assert (children(), descriptors(), kept()) == before


async def test_a_server_that_dies_at_once_is_tried_less_and_less_and_says_why() -> None:
    async with serving(Stdio((*COMMAND, "stillborn"))) as served:
        await served.down()
        health = served.backend.listing.health
        assert "no licence for today" in str(health.reason)
        assert "exit code 4" in str(health.reason)
        served.turned.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await served.turned.wait()
        assert served.backend.listing.health is health  # no news at each try
        with pytest.raises(BackendUnavailable, match=r"no licence for today.*; ") as failed:
            await served.call("echo")
        assert failed.value.reached is Reached.NOT_SENT


async def test_a_program_that_is_not_there_is_not_hunted_for() -> None:
    async with serving(Stdio(("no-such-program-here",))) as served:
        await served.down()
        assert "no-such-program-here" in str(served.backend.listing.health.reason)
        assert "tried again every minute" in str(served.backend.listing.health.reason)
        with pytest.raises(BackendUnavailable, match=r"next try in [2-6]\d s"):
            await served.call("echo")


async def test_a_server_that_lists_lies_serves_the_rest() -> None:
    async with serving(Stdio((*COMMAND, "hostile"))) as served:
        await served.up()
        listing = served.backend.listing
        names = [tool.ref.name for tool in listing.tools]
        assert names == ["echo", "hang", "die", "pid", "long"]
        assert len(listing.tools[-1].description) < 20_000
        assert "\u202e" not in listing.tools[-1].description
        told = {issue.path for issue in listing.health.issues}
        assert {"tool 'a b/../..'", "tool 'null'", "tool 'remote'", "tool 'deep'"} <= told
        assert await served.call("echo", a=1) == '{"a": 1}'


async def test_a_list_in_a_circle_ends() -> None:
    async with serving(Stdio((*COMMAND, "endless"))) as served:
        await served.up()
        assert len(served.backend.listing.tools) == 40


async def test_an_idle_server_is_closed_and_woken_by_the_next_call() -> None:
    async with serving(Stdio(COMMAND), idle_timeout=0.1) as served:
        await served.up()
        first = await served.call("pid")
        await served.until(lambda: served.backend.listing.health.reason is not None)
        assert str(served.backend.listing.health) == "ok (asleep, wakes on call)"
        seconds = await asyncio.gather(*(served.call("pid") for _ in range(5)))
        assert len({first, *seconds}) == 2


async def test_two_hundred_servers_that_accept_and_say_nothing_delay_nobody() -> None:
    accepted: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(
        lambda _, writer: accepted.append(writer), "127.0.0.1", 0, backlog=512
    )
    port = server.sockets[0].getsockname()[1]
    kind = Http(f"http://127.0.0.1:{port}/mcp")
    many = [Served(kind) for _ in range(200)]
    loop = asyncio.get_running_loop()
    before = loop.time()
    for served in many:
        await served.backend.start(served.turned.set, lambda _: None)
    assert loop.time() - before < 1.0
    async with asyncio.timeout(PATIENCE):
        while len(accepted) < 20:
            await asyncio.sleep(0.01)
    await asyncio.gather(*(served.backend.aclose() for served in many))
    for writer in accepted:
        writer.close()
    server.close()
