"""The official MCP conformance suite as a program: its two releases, and how each is asked.

A scenario's outcome is what its checks did not like, a line each; nothing means that it passed. One
that checked nothing has failed.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.conformance.install import HOME, node, npm, started

PACKAGE = "@modelcontextprotocol/conformance"
RELEASES = {"stable": "0.1.16", "alpha": "0.2.0-alpha.12"}
ONE, ALL = 120, 300  # seconds that one scenario, or all of them, may take
DISLIKED = ("FAILURE", "WARNING")
ADVISORY = frozenset({"server-sse-polling"})  # whose warnings are of what is only recommended
NAMED = re.compile(r"^(?:server-)?(?P<name>.+?)-\d{4}-\d\d-\d\dT")

Outcomes = dict[str, list[str]]


def install() -> tuple[Path, dict[str, Path]]:
    """Node and, by release, the suite's entry. Raises CalledProcessError or OSError."""
    program, _ = node()
    entries = {
        release: npm(release, f"{PACKAGE}@{version}") / PACKAGE / "dist/index.js"
        for release, version in RELEASES.items()
    }
    return program, entries


def run(command: Sequence[str | Path], out: Path, disliked: Sequence[str] = DISLIKED) -> list[str]:
    """One scenario's outcome; `command` without where to write."""
    done = _started(command, out, ONE)
    checks = [check for file in out.rglob("checks.json") for check in json.loads(file.read_text())]
    return _outcome(checks, done, disliked)


def run_all(command: Sequence[str | Path], out: Path) -> Outcomes:
    """Every scenario's outcome by its name: those that the command's suite and version have."""
    done = _started(command, out, ALL)
    found: Outcomes = {}
    for file in sorted(out.glob("*/checks.json")):
        named = NAMED.match(file.parent.name)
        checks = json.loads(file.read_text())
        if named and checks:
            advised = named["name"] in ADVISORY
            disliked = DISLIKED[:1] if advised else DISLIKED
            found[named["name"]] = _outcome(checks, done, disliked)
    return found


def expected(file: Path) -> frozenset[str]:
    """The lines of a list of expected failures, without comments."""
    lines = (line.partition("#")[0].strip() for line in file.read_text().splitlines())
    return frozenset(line for line in lines if line)


def results(*names: str) -> Path:
    return HOME.joinpath("results", *names)


def _outcome(
    checks: Sequence[Mapping[str, str]],
    done: subprocess.CompletedProcess[str],
    disliked: Sequence[str],
) -> list[str]:
    if not any(check["status"] in ("SUCCESS", *DISLIKED) for check in checks):
        return [f"nothing was checked: {(done.stdout + done.stderr)[-300:]}"]
    return [
        f"{check['id']}: {check.get('errorMessage', '')}"
        for check in checks
        if check["status"] in disliked
    ]


def _started(
    command: Sequence[str | Path], out: Path, patience: int
) -> subprocess.CompletedProcess[str]:
    shutil.rmtree(out, ignore_errors=True)
    return started([*map(str, command), "-o", str(out)], patience)
