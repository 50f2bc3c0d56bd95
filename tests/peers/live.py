"""A folder of files that is served and watched for real, in a made-up format that loads at once.

A file reads `NAME TEXT`: a backend NAME whose tool answers TEXT. Half of such a file is a good file
too, as with YAML. One that is empty or starts with `!` is broken.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.config.load import Source, understand
from gateway.config.model import Capabilities, Config
from gateway.domain.events import Event
from gateway.domain.issue import Issue
from gateway.runtime.configured import Configured
from gateway.runtime.reconcile import Reconciler
from gateway.runtime.reload import LoadWith, Reloader
from gateway.runtime.shelf import Load, Version
from gateway.runtime.snapshot import Current, Snapshot
from gateway.runtime.watch import Tell, Watcher, told
from tests.peers.backends import MemoryBackend

PATIENCE = 10.0  # seconds after which a test gives up: far more than anything here may take


def load_slowly(settings: Capabilities) -> Load:
    """As long as a real file takes: half a millisecond of Python."""
    load = load_with(settings)

    def loading(data: bytes, file: str) -> Version:
        sum(range(30_000))
        return load(data, file)

    return loading


def load_with(settings: Capabilities) -> Load:
    def load(data: bytes, file: str) -> Version:
        words = data.decode().split()
        if not words or words[0].startswith("!"):
            return Version(None, None, (Issue(file, "broken", 1, 1),))
        name = words[0]
        added = settings.vars.get(name, {}).get("added", "")
        text = f"{' '.join(words[1:])}{added}"
        return Version(name, lambda: MemoryBackend(name, word=text))

    return load


class Live:
    """`served()` is name → what its tool answers; `seen` every such state since the start."""

    def __init__(self, root: Path, tell: Tell, load_with: LoadWith) -> None:
        self.current = Current()
        self.events: list[Event] = []
        self.seen: list[dict[str, str]] = []
        self.looks = 0
        self._swapped = asyncio.Event()
        self.file = root.parent / "gateway.yaml"
        self.configs: list[Config] = []
        self.configured = Configured(
            Source(str(self.file)),
            understand(b"", str(self.file), {}, {}).config,
            lambda data: understand(data, str(self.file), {}, {}),
        )
        self.reconciler = Reconciler(self.current, self.events.append)
        self.reloader = Reloader(self.configured, load_with, self.reconciler, self.configs.append)
        self.watcher = Watcher(self._look, self.reloader.poll, tell=tell)
        self.current.subscribe(self._note)

    async def _look(self):
        self.looks += 1
        return await self.reloader.reload()

    def _note(self, _before: Snapshot, after: Snapshot) -> None:
        self.seen.append(self.served())
        self._swapped.set()

    def served(self) -> dict[str, str]:
        routes = self.current.get().routes
        return {name: route.__self__.backend.word for name, route in routes.items()}

    def health(self, name: str) -> str:
        return str(self.current.get().catalog.backends[name].health)

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait for a snapshot in which this holds."""
        async with asyncio.timeout(PATIENCE):
            while not reached():
                self._swapped.clear()
                await self._swapped.wait()


@asynccontextmanager
async def live(root: Path, tell: Tell = told, *, slow: bool = False) -> AsyncIterator[Live]:
    """Serve `root`, with a gateway.yaml beside it that may be written before or later."""
    world = Live(root, tell, load_slowly if slow else load_with)
    await world.reloader.reload(cold=True)
    watching = asyncio.create_task(world.watcher.run())
    try:
        yield world
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await world.reconciler.aclose()


def save(file: Path, text: str) -> None:
    """As careful editors do it: whole, by renaming over the old one."""
    temporary = file.parent / f".{file.name}.new"
    temporary.write_text(text)
    os.utime(temporary, (0, 0))
    temporary.rename(file)
