"""What many of these tests are given: the whole gateway over a folder of their own, and httpbin."""

import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway import app
from gateway.config.load import Source, understand
from gateway.runtime.configured import Configured
from tests.peers.programs import Program, free_port, running


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


@pytest.fixture(scope="module")
def httpbin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """It answers with what it was asked; its secrets are those of the URL that it is asked at."""
    port = free_port()
    argv = [sys.executable, "-m", "flask", "--app", "httpbin", "run", "--port", str(port)]
    with running(argv, tmp_path_factory.mktemp("httpbin") / "log", port) as program:
        yield program
