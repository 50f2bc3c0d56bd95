"""Servers that other people wrote, and a real gateway before them, each a process of its own."""

import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.conformance.install import environment, node, npm
from tests.peers.programs import CAPGATE, SERVED, Program, _process, _until

NPM = {
    "everything": "@modelcontextprotocol/server-everything@2026.8.31",
    "filesystem": "@modelcontextprotocol/server-filesystem@2026.8.31",
    "memory": "@modelcontextprotocol/server-memory@2026.8.31",
}
PYPI = {
    "time": "mcp-server-time>=2026.10",
    "git": "mcp-server-git>=2026.10",
    "fetch": "mcp-server-fetch>=2026.10",
}


def from_npm() -> dict[str, list[str]]:
    """Name → the command without arguments. Raises CalledProcessError or OSError."""
    program, _ = node()
    modules = npm("servers", *NPM.values())
    homes = {name: modules / package.rpartition("@")[0] for name, package in NPM.items()}
    return {name: [str(program), str(home / "dist/index.js")] for name, home in homes.items()}


def from_pypi() -> dict[str, list[str]]:
    """The same."""
    folder = environment("servers", *PYPI.values())
    return {name: [str(folder / f"mcp-server-{name}")] for name in PYPI}


@contextlib.contextmanager
def started(argv: Sequence[str], output: Path) -> Iterator[int]:
    """A program that prints the port it listens on."""
    with _process(argv, output, {}) as process:
        _until(process, output, lambda: _port(output))
        yield _port(output)


@contextlib.contextmanager
def served(
    folder: Path, backends: Mapping[str, Any], more: Mapping[str, Any] | None = None
) -> Iterator[Program]:
    """`capgate serve` with these `backends:`, once all of them are up; `more` sections beside."""
    settings, output = folder / "gateway.yaml", folder / "gateway.log"
    (folder / "capabilities").mkdir(exist_ok=True)
    none = {"capabilities": {"directories": [str(folder / "capabilities")]}}
    settings.write_text(json.dumps({**none, **(more or {}), "backends": backends}))
    words = [*CAPGATE, "serve", "--port", "0", "-c", str(settings)]
    with _process(words, output, {}) as process:
        _until(process, output, lambda: SERVED.search(output.read_text("utf-8")))
        found = SERVED.search(output.read_text("utf-8"))
        assert found
        program = Program(found[1].removesuffix("/mcp"), output)
        _until(process, output, lambda: _up(program.url) >= backends.keys())
        yield program


def _port(output: Path) -> int:
    """0 as long as it says none."""
    first, ended, _ = output.read_text().partition("\n")
    return int(first) if ended else 0


def health(url: str) -> dict[str, Any]:
    """What `/health` at this base URL tells; it does so whatever its status."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=10) as answer:  # noqa: S310  loopback
            told: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as refused:
        told = json.load(refused)
    return told


def _up(url: str) -> set[str]:
    found = health(url)["backends"]
    return {name for name, told in found.items() if told["status"] == "ok"}
