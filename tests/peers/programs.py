"""Real programs on loopback ports, ours among them: started, waited for, and stopped again."""

import contextlib
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0  # seconds to come up or to stop: far more than any of them takes
CAPGATE = (sys.executable, "-m", "gateway")
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SERVED = re.compile(r" at (http://\S+/mcp)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Program:
    """`url` is where it listens, without a path; `log` what it has printed so far."""

    url: str
    output: Path

    @property
    def log(self) -> str:
        return COLOUR.sub("", self.output.read_text("utf-8", "replace"))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """What a child sees: ours, without what would change what it says, and `more`."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONASYNCIODEBUG"}  # noqa: TID251 (a child's)
    return {**inherited, "NO_COLOR": "1", **more}


@contextlib.contextmanager
def running(
    argv: Sequence[str], output: Path, port: int, environ: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """The program, once somebody listens at `port`."""
    with _process(argv, output, environ or {}) as process:
        _until(process, output, lambda: _listens(port))
        yield Program(f"http://127.0.0.1:{port}", output)


@contextlib.contextmanager
def gateway(
    output: Path, *folders: str | Path, environ: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """`capgate serve` over these folders, in a process of its own, at any free port."""
    chosen = [word for folder in folders for word in ("--capabilities", str(folder))]
    with _process([*CAPGATE, "serve", "--port", "0", *chosen], output, environ or {}) as process:
        _until(process, output, lambda: SERVED.search(output.read_text("utf-8")))
        found = SERVED.search(output.read_text("utf-8"))
        assert found
        yield Program(found[1].removesuffix("/mcp"), output)


def console(readme: Path) -> list[tuple[list[str], str]]:
    """The capgate commands of a page's console blocks, as words, and what each answers there."""
    found: list[tuple[list[str], str]] = []
    for block in CONSOLE.findall(readme.read_text("utf-8")):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, answer = part.partition("\n")
            words = shlex.split(command, comments=True)
            if words[0] in {"capgate", ".venv/bin/capgate"}:
                found.append((words[1:], answer.strip()))
    return found


def capgate(words: Sequence[str], environ: Mapping[str, str]) -> str:
    """What the command prints; it must succeed."""
    done = subprocess.run(
        [*CAPGATE, *words],
        cwd=ROOT,
        env=environment(environ),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextlib.contextmanager
def _process(
    argv: Sequence[str], output: Path, environ: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    with output.open("wb") as file:
        process = subprocess.Popen(
            argv, cwd=ROOT, env=environment(environ), stdout=file, stderr=file
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()
            process.wait()


def _until(process: subprocess.Popen[bytes], output: Path, ready: Callable[[], object]) -> None:
    """Wait until `ready()`; a program that ends before, or never comes up, fails the test."""
    deadline = monotonic() + PATIENCE
    while not ready():
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.02)  # it should not end
            raise AssertionError(f"it ended: {output.read_text('utf-8', 'replace')}")
        assert monotonic() < deadline, f"not up: {output.read_text('utf-8', 'replace')}"


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
