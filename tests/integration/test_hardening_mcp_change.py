"""MCP servers that hang, and ones that come, change and go while everything is in use: F2, F7 and
F11 of the hardening table.
"""

import asyncio
import json
import time
from pathlib import Path

import pytest

from tests.peers.hostile_mcp_gateway import CAPABILITIES, PATIENCE, WAYS, stdio, text, ways, world

ABLE = {CAPABILITIES: {"elicitation": {}}}
TIMEOUT = 0.4  # seconds
CYCLES = 6


def descriptors():
    return len([*Path("/proc/self/fd").iterdir()])


def children():
    threads = Path("/proc/self/task").glob("*/children")
    return {pid for thread in threads for pid in thread.read_text().split()}


def save(file, settings):
    new = file.with_suffix(".new")
    new.write_text(json.dumps(settings))
    new.rename(file)


@pytest.mark.parametrize("way", WAYS)
async def test_a_hanging_server_fails_its_calls_in_time_and_takes_no_other_along(tmp_path, way):
    """F2: and its place is free again."""
    more = {"timeout": f"{TIMEOUT * 1000:g}ms", "concurrency": 2}
    async with world(tmp_path, more=more) as here, asyncio.timeout(PATIENCE):
        other = next(one for one in WAYS if one != way)
        began = time.perf_counter()
        hanging = [asyncio.create_task(here.call(way, "hang", id)) for id in range(2)]
        while not all(task.done() for task in hanging):
            sent = time.perf_counter()
            assert text(await here.call(other, "echo", text="here")) == "here"
            assert time.perf_counter() - sent < TIMEOUT
            await asyncio.sleep(0.01)
        took = time.perf_counter() - began
        assert TIMEOUT - 0.01 <= took < TIMEOUT + 0.25
        for answer in await asyncio.gather(*hanging):
            assert f"did not answer within {TIMEOUT * 1000:.0f} ms" in text(answer)
        assert text(await here.call(way, "echo", text="here")) == "here"


async def in_pieces(file, data):
    with file.open("w") as written:
        for begin in range(0, len(data), len(data) // 3 + 1):
            written.write(data[begin : begin + len(data) // 3 + 1])
            written.flush()
            await asyncio.sleep(0.1)


async def cut_off(file, data):
    file.write_text(data[: len(data) // 2])
    await asyncio.sleep(0.3)
    file.write_text(data)


async def renamed(file, data):
    save(file, json.loads(data))


async def test_a_file_that_is_being_written_is_never_half_in_use(tmp_path):
    """F7: however it is written, no call fails, and only whole versions are ever served."""
    async with world(tmp_path) as here, asyncio.timeout(PATIENCE * 2):
        whole = json.loads(here.file.read_text())
        seen = set()
        stop = here.parts.current.subscribe(
            lambda _, new: seen.add(frozenset(new.catalog.backends))
        )
        load = Load(here)
        working = asyncio.create_task(load.run())
        for number in range(6):
            wanted = {**whole, "backends": {**whole["backends"], f"more{number}": stdio()}}
            write = (in_pieces, cut_off, renamed)[number % 3]
            await write(here.file, json.dumps(wanted, indent=1))
            await here.until(f"more{number}", status="ok")
        load.stop = True
        await working
        stop()
        assert load.failed == []
        assert load.count > 20
        assert all(names >= set(WAYS) and len(names) <= len(WAYS) + 1 for names in seen)


async def test_many_reloads_under_load_leave_nothing_behind(tmp_path):
    """Backends come, change, go and are killed while calls, streams and questions are open: those
    that stay do not feel it, and no task, descriptor or process is left.
    """
    async with world(tmp_path) as here, asyncio.timeout(PATIENCE * 3):
        port = here.served.port
        whole = json.loads(here.file.read_text())
        for way in WAYS:
            await here.call(way, "echo", text="here")
        load = Load(here)
        await load.some()
        before = counted()
        working = asyncio.create_task(load.run())
        for number in range(CYCLES):
            changing = {f"c-{name}": one for name, one in ways(port).items()}
            changing = {name: {**one, "description": str(number)} for name, one in changing.items()}
            extra = {"odd": stdio()} if number % 2 else {}
            save(here.file, {**whole, "backends": {**whole["backends"], **changing, **extra}})
            await here.until("c-stdio", status="ok")
            while here.parts.current.get().catalog.backends["c-ws"].description != str(number):
                await asyncio.sleep(0.01)
            if number % 3 == 0:
                await here.call("c-stdio", "end")
        load.stop = True
        await working
        save(here.file, whole)
        while len(here.parts.current.get().catalog.backends) > len(WAYS):
            await asyncio.sleep(0.01)
        assert load.failed == []
        assert load.count > 100
        after = await settled(before)
        assert after == before


def counted():
    return len(asyncio.all_tasks()), descriptors(), len(children())


async def settled(like):
    """Tasks, descriptors and processes, once they are no more than `like`."""
    for _ in range(200):
        if all(map(int.__le__, counted(), like)):
            return like
        await asyncio.sleep(0.05)
    return counted()


class Load:
    """Calls, streams and questions at backends that stay and at such that do not. `failed` are
    answers of those that stay.
    """

    def __init__(self, here):
        self.here = here
        self.failed = []
        self.count = 0
        self.stop = False

    async def some(self):
        await asyncio.gather(*(self.one(way) for way in WAYS), *map(self.listening, WAYS))

    async def run(self):
        names = [*WAYS, *(f"c-{way}" for way in WAYS), "odd"]
        while not self.stop:
            await asyncio.gather(
                *map(self.one, names), *map(self.listening, names), *map(self.asking, WAYS)
            )

    async def one(self, name):
        async with self.calling(name, "echo", text=name) as response:
            if response.status == 200:
                self.count += 1
            body = await response.text()
        if name in WAYS and f'"text": "{name}"' not in body:
            self.failed.append(body)

    async def asking(self, name):
        """Only of those that stay: what is asked by others is given its grace of 30 s to end."""
        async with self.calling(name, "ask", text=name) as response:
            body = await response.text()
        if "requestState" in body:
            result = json.loads(body)["result"]
            answers = {key: {"action": "decline"} for key in result["inputRequests"]}
            again = {"requestState": result["requestState"], "inputResponses": answers}
            async with self.calling(name, "ask", again, text=name) as response:
                await response.read()

    def calling(self, name, tool, more=None, **arguments):
        params = {"name": tool, "arguments": arguments, **(more or {}), "_meta": ABLE}
        return self.here.client(name).modern("tools/call", params)

    async def listening(self, name):
        wanted = {"toolsListChanged": True, "resourceSubscriptions": ["x://a"]}
        params = {"notifications": wanted}
        async with self.here.client(name).modern("subscriptions/listen", params) as response:
            if response.status == 200:
                await response.content.readline()
