"""How long a saved file takes to be served, what a burst costs, and whether the loop stays free.

Everything is real but the front: files on disk, the watcher, the loader, REST backends, the index.
A file counts as served when the snapshot that holds its new text is published.

    python benchmarks/reload.py [--files 1000] [--edits 200] [--many 10000]
"""

import argparse
import asyncio
import contextlib
import logging
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from gateway import app
from gateway.config.issues import report
from gateway.config.load import Source, understand
from gateway.runtime.configured import Configured
from gateway.runtime.snapshot import Current
from gateway.runtime.watch import Watcher

TICK = 0.01  # seconds

HEAD = """capability: 1
name: {name}
description: Records of {topic} and their history, {mark}
base_url: https://api.example.com/v2
tools:
"""
TOOL = """  {verb}_{noun}:
    description: {verb} the {noun} of {topic}; filters by day and by owner.
    args:
      {noun}_id: {{type: string, required: true, description: Which {noun}}}
      owner: {{type: string}}
      limit: {{type: integer, minimum: 1, maximum: 100, default: 20}}
    get: /{noun}s/{{{{ args.{noun}_id }}}}
    query: {{owner: "{{{{ args.owner }}}}", limit: "{{{{ args.limit }}}}"}}
    response:
      select: $.items
      map: {{id: $.id, title: $.title, owner: $.owner.name}}
"""
VERBS = ("get", "list", "find", "count", "export")
NOUNS = ("order", "ticket")
TOPICS = ("sales", "weather", "cargo", "billing", "travel", "support", "stock", "payroll")


def text(number: int, mark: str, tools: int) -> str:
    topic = TOPICS[number % len(TOPICS)]
    pairs = [(verb, noun) for verb in VERBS for noun in NOUNS][:tools]
    body = [TOOL.format(verb=verb, noun=noun, topic=topic) for verb, noun in pairs]
    return HEAD.format(name=f"b{number}", topic=topic, mark=mark) + "".join(body)


class World:
    """A running gateway without its front, over a folder of `files` files."""

    def __init__(self, root: Path, tools: int) -> None:
        root.mkdir()
        self.root = root
        self.tools = tools
        self.swaps = 0
        self._swapped = asyncio.Event()

    def write(self, numbers: range, mark: str) -> None:
        for number in numbers:
            self.save(number, mark)

    def save(self, number: int, mark: str) -> None:
        """By rename, as careful editors do."""
        new = self.root / f".b{number}.new"
        new.write_text(text(number, mark, self.tools))
        new.rename(self.root / f"b{number}.yaml")

    def save_in_place(self, number: int, mark: str) -> None:
        (self.root / f"b{number}.yaml").write_text(text(number, mark, self.tools))

    def follow(self, current: Current) -> None:
        self.current = current
        current.subscribe(lambda _before, _after: self._note())

    def _note(self) -> None:
        self.swaps += 1
        self._swapped.set()

    async def until(self, numbers: range, mark: str) -> None:
        """Until all these files are served with this mark."""
        while True:
            backends = self.current.get().catalog.backends
            if all(backends[f"b{number}"].description.endswith(mark) for number in numbers):
                return
            self._swapped.clear()
            await self._swapped.wait()


class Ticker:
    """The longest time during which the loop did not come round."""

    def __init__(self) -> None:
        self.worst = 0.0

    async def run(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(TICK)
            self.worst = max(self.worst, time.perf_counter() - began - TICK)


@contextlib.asynccontextmanager
async def running(root: Path, tools: int, files: int) -> AsyncIterator[World]:
    world = World(root, tools)
    world.write(range(files), "start")
    file = str(root.parent / "none.yaml")
    loaded = understand(f"capabilities: {{directories: [{root}]}}".encode(), file, {}, {})
    if loaded.config is None:
        raise SystemExit(report(loaded.issues))
    configured = Configured(Source(file), loaded.config, lambda _content: loaded)
    began = time.perf_counter()
    async with app.opened(configured) as parts:
        logging.getLogger().setLevel("ERROR")
        print(f"  cold start: {time.perf_counter() - began:.2f} s, {parts.current.get().catalog}")
        world.follow(parts.current)
        watcher = asyncio.create_task(Watcher(parts.reloader.reload).run())
        try:
            yield world
        finally:
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)


@contextlib.contextmanager
def ticking() -> Iterator[Ticker]:
    ticker = Ticker()
    task = asyncio.ensure_future(ticker.run())
    try:
        yield ticker
    finally:
        task.cancel()


def figures(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, round(len(ordered) * 0.99))]
    middle = statistics.median(ordered)
    return f"p50 {middle * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, max {ordered[-1] * 1000:.0f} ms"


async def edits(world: World, count: int, files: int) -> None:
    pick = random.Random(1)
    for how, save in (("renamed over", world.save), ("in place", world.save_in_place)):
        taken = []
        with ticking() as ticker:
            for edit in range(count):
                number, mark = pick.randrange(files), f"{how} {edit}"
                save(number, mark)
                began = time.perf_counter()
                await world.until(range(number, number + 1), mark)
                taken.append(time.perf_counter() - began)
        print(
            f"  {count} files {how}: {figures(taken)}; longest stall {ticker.worst * 1000:.0f} ms"
        )


async def burst(world: World, count: int) -> None:
    swaps = world.swaps
    with ticking() as ticker:
        await asyncio.to_thread(world.write, range(count), "burst")
        began = time.perf_counter()
        await world.until(range(count), "burst")
        taken = time.perf_counter() - began
        await asyncio.sleep(0.5)  # the old versions are closed meanwhile
    print(
        f"  burst of {count}: {world.swaps - swaps} reloads, settled after {taken:.2f} s, "
        f"longest stall {ticker.worst * 1000:.0f} ms"
    )


async def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--files", type=int, default=1000)
    options.add_argument("--tools", type=int, default=10)
    options.add_argument("--edits", type=int, default=200)
    options.add_argument("--many", type=int, default=10_000)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(f"{given.files} files of {given.tools} tools")
        root = Path(folder, "some")
        async with running(root, given.tools, given.files) as world:
            await edits(world, given.edits, given.files)
            await burst(world, given.files)
        print(f"{given.many} files of 1 tool")
        root = Path(folder, "many")
        async with running(root, 1, given.many) as world:
            await edits(world, max(given.edits // 10, 1), given.many)


if __name__ == "__main__":
    asyncio.run(main())
