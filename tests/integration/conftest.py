"""The whole gateway, as `capgate serve` wires it, over a folder of the test's own files."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway import app
from gateway.config.load import Source, understand
from gateway.runtime.configured import Configured


@dataclass(frozen=True)
class Whole:
    """A running gateway: `url` is that of `/mcp`, `folder` that of its capability files."""

    parts: app.Parts
    folder: Path
    base: str

    @property
    def url(self) -> str:
        return f"{self.base}/mcp"


Start = Callable[..., AbstractAsyncContextManager[Whole]]


def configured(folder: Path, **settings: object) -> Configured:
    """Port 0, logging off but for errors; `settings` as `section__key=value`."""
    said = {
        ("server", "port"): 0,
        ("log", "level"): "error",
        ("capabilities", "directories"): (str(folder),),
    }
    said |= {tuple(name.split("__", 1)): value for name, value in settings.items()}  # type: ignore[misc]
    source = Source(str(folder.parent / "gateway.yaml"))
    loaded = understand(b"", source.file, {}, said)
    assert loaded.config is not None, loaded.issues
    return Configured(source, loaded.config, lambda data: understand(data, source.file, {}, said))


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """`async with start({"items": YAML}) as gateway:` serves these files."""

    @contextlib.asynccontextmanager
    async def starting(
        files: dict[str, str] | None = None, *, mock: bool = False, **settings: object
    ) -> AsyncIterator[Whole]:
        folder = tmp_path / "capabilities"
        folder.mkdir(exist_ok=True)
        for name, text in (files or {}).items():
            (folder / f"{name}.yaml").write_text(text)
        async with app.listening(configured(folder, **settings), mock=mock) as (parts, port):
            yield Whole(parts, folder, f"http://127.0.0.1:{port}")

    return starting
