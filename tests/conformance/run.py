"""Run the official MCP conformance suite against a gateway's own surface, /mcp.

python -m tests.conformance.run http://127.0.0.1:39400/mcp

Installs what it needs under `.conformance/`. Prints a line a scenario and exits 1 when one fails
that is not in `expected_failures.txt`.
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conformance import suite

EXPECTED = Path(__file__).with_name("expected_failures.txt")

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
    return suite.expected(EXPECTED)


def run(program: Path, entry: Path, url: str, leg: Leg) -> list[str]:
    """What failed, a line each. A scenario that checked nothing has failed."""
    command = [program, entry, "server", "--url", url, "--scenario", leg.scenario]
    out = suite.results(leg.release, f"{leg.scenario}-{leg.version}")
    return suite.run([*command, "--spec-version", leg.version], out)


def main(url: str) -> int:
    try:
        program, entries = suite.install()
    except (OSError, subprocess.SubprocessError) as error:
        print(f"the suite cannot be installed: {error}")  # noqa: T201  a script's output
        return 2
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
