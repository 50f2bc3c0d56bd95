"""The whole gateway before stdio servers that are killed, talk rubbish and have children; and the
gateway killed itself. Figures: F1, F3, F6 and F16 of the hardening table.

With `CAPGATE_FAULTS=long` in the environment it takes minutes, for as many calls and cycles as the
figures are about.
"""

import asyncio
import contextlib
import json
import os
import signal
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway import app
from gateway.config.load import Source, understand
from gateway.credentials.secret import environment
from gateway.runtime.configured import Configured
from tests.peers.gateways import Started, started
from tests.peers.mcp_http import McpHttp, client
from tests.peers.stdio_mcp import COMMAND

PROMPT = 0.1  # seconds from a server's death to the errors of its calls
BACK = 1.0  # seconds from a server's death to the first good call
ORPHANS = 2.0  # seconds from the gateway's death to that of all it started
LIFE = 1.1  # seconds; one that dies younger is given a moment before it is back
PATIENCE = 20.0
LONG = environment().get("CAPGATE_FAULTS") == "long"
CALLS = 100_000 if LONG else 3_000
CYCLES = 50 if LONG else 8
CALLERS = 16
QUIET = {("server", "port"): 0, ("log", "level"): "error"}


class World:
    """Stdio servers behind a gateway, and a client of it."""

    def __init__(self, http: McpHttp, file: Path) -> None:
        self.http = http
        self.file = file

    async def call(self, server: str, tool: str, **arguments: object) -> tuple[str, bool]:
        """The text of the answer, and whether it is an error."""
        inner = {"server": server, "tool": tool, "arguments": arguments}
        asked = {"name": "gateway_invoke", "arguments": inner}
        async with self.http.modern("tools/call", asked) as response:
            message = await response.json()
        result = message["result"]
        return result["content"][0]["text"], result.get("isError", False)

    async def good(self, server: str, tool: str, **arguments: object) -> str:
        """The text of the answer, as soon as there is a good one."""
        async with asyncio.timeout(PATIENCE):
            while True:
                text, failed = await self.call(server, tool, **arguments)
                if not failed:
                    return text
                await asyncio.sleep(0.01)

    async def pid(self, server: str) -> int:
        return int(await self.good(server, "pid"))

    def configure(self, **words: str) -> None:
        write(self.file, words)


def write(file: Path, words: dict[str, str]) -> None:
    backends = {name: {"command": [*COMMAND, word]} for name, word in words.items()}
    new = file.with_name(".new")
    new.write_text(json.dumps({"backends": backends}))
    new.rename(file)


class Apart(World):
    """The gateway in a process of its own."""

    def __init__(self, gateway: Started, http: McpHttp, file: Path) -> None:
        super().__init__(http, file)
        self.gateway = gateway

    def children(self) -> set[int]:
        """Of each of its threads: some start others' programs."""
        tasks = Path(f"/proc/{self.gateway.pid}/task").glob("*/children")
        return {int(child) for task in tasks for child in task.read_text().split()}


@contextlib.asynccontextmanager
async def world(folder: Path, *names: str) -> AsyncIterator[Apart]:
    capabilities = folder / "capabilities"
    capabilities.mkdir()
    file = folder / "gateway.yaml"
    write(file, dict.fromkeys(names, "first"))
    async with (
        started(capabilities, "-c", str(file)) as gateway,
        client(f"http://127.0.0.1:{gateway.port}") as http,
    ):
        made = Apart(gateway, http, file)
        for name in names:
            await made.pid(name)
        yield made


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def ends(pids: set[int], within: float) -> None:
    async with asyncio.timeout(within):
        while any(map(running, pids)):
            await asyncio.sleep(0.01)


async def test_a_killed_server_fails_its_calls_at_once_and_is_soon_back(tmp_path):  # F1
    async with world(tmp_path, "frail", "sturdy") as here:
        failing, returning = [], []
        neighbour = asyncio.create_task(keep_calling(here, "sturdy"))
        for _ in range(3):
            await asyncio.sleep(LIFE)
            pid = await here.pid("frail")
            waiting = [asyncio.create_task(here.call("frail", "hold")) for _ in range(4)]
            await asyncio.sleep(0.2)  # until they are there
            killed = time.perf_counter()
            os.kill(pid, signal.SIGKILL)
            answers = await asyncio.gather(*waiting)
            failing.append(time.perf_counter() - killed)
            for text, failed in answers:
                assert failed
                assert "signal SIGKILL" in text
                assert "sent_unknown" in text
            assert await here.pid("frail") != pid
            returning.append(time.perf_counter() - killed)
        neighbour.cancel()
        calls = await asyncio.gather(neighbour, return_exceptions=True)
        assert isinstance(calls[0], asyncio.CancelledError)  # not one of its calls failed
        assert statistics.median(failing) < PROMPT
        assert statistics.median(returning) < BACK


async def keep_calling(here: World, server: str) -> None:
    while True:
        text, failed = await here.call(server, "echo", text="hello")
        assert (text, failed) == ("hello", False)


@pytest.mark.parametrize(
    "rubbish",
    [
        "rubbish\n\0\0\n",
        "\xff\xfe\xfa\n",
        '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"forged"}]}}\n',
        '{"jsonrpc":"2.0","id":"x","result":{}}\n{"jsonrpc":"2.0","id":',
        '[[[[\n{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":NaN}}\n',
    ],
)
async def test_rubbish_on_its_output_costs_no_other_call(tmp_path, rubbish):  # F3, F6, I57
    async with world(tmp_path, "frail", "sturdy") as here:
        pid = await here.pid("frail")
        told, failed = await here.call("frail", "rubbish", text=f"{rubbish}\n")
        assert (told, failed) == ("so much for that", False)
        assert await here.call("frail", "echo", text="good") == ("good", False)
        assert await here.call("sturdy", "echo", text="good") == ("good", False)
        assert await here.pid("frail") == pid
        assert "Traceback" not in here.gateway.log
        assert here.gateway.log.count("server_noise") <= 1


async def test_a_line_without_an_end_costs_that_server_alone(tmp_path):  # I57
    async with world(tmp_path, "frail", "sturdy") as here:
        pid, before = await here.pid("frail"), here.gateway.memory
        text, failed = await here.call("frail", "rubbish", text="x" * 10_000, times=10_000)
        assert failed
        assert "a line of more than 16777216 bytes" in text
        assert await here.call("sturdy", "echo", text="good") == ("good", False)
        assert await here.pid("frail") != pid
        assert here.gateway.memory - before < 64


async def test_nothing_it_started_outlives_a_killed_gateway(tmp_path):  # F16
    async with world(tmp_path, "one", "two") as here:
        grandchildren = {int(await here.good(name, "offspring")) for name in ("one", "two")}
        left = here.children() | grandchildren
        assert len(left) == 5  # two servers, a child of each, and the watcher
        assert all(map(running, left))
        here.gateway.process.kill()
        await ends(left, ORPHANS)
        await here.gateway.process.wait()


async def test_a_gateway_that_is_told_to_stop_leaves_nothing_either(tmp_path):
    async with world(tmp_path, "one") as here:
        left = here.children() | {int(await here.good("one", "offspring"))}
        here.gateway.process.terminate()
        assert await here.gateway.process.wait() == 0
        await ends(left, ORPHANS)


async def test_kills_and_reloads_leave_no_process_or_descriptor(tmp_path):
    async with world(tmp_path, "frail", "sturdy") as here:
        steady = await here.pid("sturdy")
        before, open_before = len(here.children()), here.gateway.descriptors
        for number in range(CYCLES):
            os.kill(await here.pid("frail"), signal.SIGKILL)
            here.configure(frail=f"word {number}", sturdy="first")
            async with asyncio.timeout(PATIENCE):
                while await here.good("frail", "word") != f"word {number}":
                    await asyncio.sleep(0.01)
        assert await here.pid("sturdy") == steady
        async with asyncio.timeout(PATIENCE):
            while len(here.children()) != before or here.gateway.descriptors > open_before:
                await asyncio.sleep(0.05)


async def test_kills_leave_no_task_or_descriptor(tmp_path):
    file = tmp_path / "gateway.yaml"
    write(file, {"frail": "first"})
    source = Source(str(file))
    loaded = understand(file.read_bytes(), source.file, {}, QUIET)
    configured = Configured(source, loaded.config, lambda _content: loaded)
    async with (
        app.listening(configured) as (_, port),
        client(f"http://127.0.0.1:{port}") as http,
    ):
        here = World(http, file)
        counts = []
        for _ in range(CYCLES // 2):
            pid = await here.pid("frail")
            await asyncio.sleep(LIFE)
            counts.append((len(asyncio.all_tasks()), descriptors()))
            os.kill(pid, signal.SIGKILL)
            await ends({pid}, PATIENCE)
        tasks, opened = zip(*counts[1:], strict=True)
        assert tasks[-1] <= tasks[0]
        assert opened[-1] <= opened[0]


async def test_no_answer_ever_goes_to_another_call(tmp_path):  # F1, F3
    async with world(tmp_path, "frail") as here:
        numbers = iter(range(CALLS))
        counts = {"right": 0, "failed": 0, "wrong": 0}

        async def caller() -> None:
            for number in numbers:
                text, failed = await here.call("frail", "echo", text=f"number {number}")
                kind = "failed" if failed else "right" if text == f"number {number}" else "wrong"
                counts[kind] += 1
                if failed:
                    await asyncio.sleep(0.02)

        async def killer() -> None:
            while True:
                await asyncio.sleep(0.3)
                os.kill(await here.pid("frail"), signal.SIGKILL)

        killing = asyncio.create_task(killer())
        await asyncio.gather(*(caller() for _ in range(CALLERS)))
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)
        assert counts["wrong"] == 0
        assert counts["right"] > CALLS / 10
        assert sum(counts.values()) == CALLS
