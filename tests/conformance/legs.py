"""The suite's server scenarios through the gateway, at one URL a backend.

The backends are our fixture server, by HTTP and by stdio, in a view of one era or both. A leg is
one release of the suite at one version against one of them; its scenarios run in one process.
"""

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conformance import suite
from tests.peers.conformance_server import VIEWS
from tests.peers.programs import ROOT
from tests.peers.real_servers import served, started

EXPECTED = Path(__file__).with_name("expected_backend_failures.txt")
FIXTURE = "tests.peers.conformance_server"
TRANSPORTS = ("http", "stdio")
LEGACY, MODERN = ("2025-06-18", "2025-11-25"), "2026-07-28"
AT_LEAST = {"stable": 32, "2025-06-18": 27, "2025-11-25": 33, MODERN: 40}  # scenarios of a version


@dataclass(frozen=True, slots=True)
class Leg:
    """`version` is `stable` for the release that asks with its own."""

    backend: str
    version: str

    def __str__(self) -> str:
        return f"{self.backend} {self.version}"

    @property
    def same_era(self) -> bool:
        era = "modern" if self.version == MODERN else "legacy"
        return self.backend.startswith(era)


def backends() -> Iterator[str]:
    yield from (f"{view}-{transport}" for view in VIEWS for transport in TRANSPORTS)


def legs() -> Iterator[Leg]:
    for backend in backends():
        yield from (Leg(backend, version) for version in AT_LEAST)


def outcomes(program: Path, entries: dict[str, Path], base: str, leg: Leg) -> suite.Outcomes:
    """By scenario, what its checks did not like."""
    stable = leg.version == "stable"
    entry = entries["stable" if stable else "alpha"]
    version = [] if stable else ["--spec-version", leg.version]
    url = f"{base}/mcp/{leg.backend}"
    command = [program, entry, "server", "--url", url, "--suite", "all", *version]
    return suite.run_all(command, suite.results("backends", leg.backend, leg.version))


def expected_failures(leg: Leg) -> frozenset[str]:
    """Scenarios; the list's lines are `backend version scenario`."""
    lines = suite.expected(EXPECTED)
    return frozenset(line.removeprefix(f"{leg} ") for line in lines if line.startswith(f"{leg} "))


@contextlib.contextmanager
def gateway(folder: Path) -> Iterator[str]:
    """The base URL of a gateway with the six backends, once all are up."""
    with contextlib.ExitStack() as stack:
        settings: dict[str, object] = {}
        for view in VIEWS:
            program = [sys.executable, "-m", FIXTURE, "--view", view]
            log = folder / f"{view}.log"
            port = stack.enter_context(started([*program, "--http", "0"], log))
            settings[f"{view}-http"] = {"http_url": f"http://127.0.0.1:{port}/mcp"}
            settings[f"{view}-stdio"] = {"command": program, "cwd": str(ROOT)}
        running = stack.enter_context(served(folder, settings))
        yield running.url


def main() -> int:
    """Print a line a leg: how many scenarios pass, and what fails beside the list."""
    program, entries = suite.install()
    folder = suite.results("gateway")
    folder.mkdir(parents=True, exist_ok=True)
    chosen, bad = sys.argv[1:], 0
    with gateway(folder) as base:
        for leg in legs():
            if chosen and not any(word in str(leg) for word in chosen):
                continue
            found = outcomes(program, entries, base, leg)
            failing = {name: told for name, told in found.items() if told}
            surprising = failing.keys() ^ expected_failures(leg)
            bad += len(surprising)
            print(f"{leg}: {len(found) - len(failing)}/{len(found)}", flush=True)  # noqa: T201
            for name in sorted(failing.keys() | surprising):
                mark = "!" if name in surprising else " "
                print(f"  {mark} {name}: {json.dumps(failing.get(name, 'passed'))}")  # noqa: T201
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
