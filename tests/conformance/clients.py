"""The suite's client scenarios against the gateway: it is the client of the suite's own servers."""

import json
import shlex
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conformance import suite

EXPECTED = Path(__file__).with_name("expected_client_failures.txt")
GATEWAY = "tests.peers.conformance_client"

LEGACY, MODERN = "2025-11-25", "2026-07-28"
SCENARIOS: dict[str, tuple[str, ...]] = {
    "initialize": (LEGACY,),
    "tools_call": (LEGACY, MODERN),
    "elicitation-sep1034-client-defaults": (LEGACY,),
    "sse-retry": (LEGACY,),
    "json-schema-2020-12-preservation": (LEGACY, MODERN),
    "json-schema-ref-no-deref": (MODERN,),
    "request-metadata": (MODERN,),
    "http-standard-headers": (MODERN,),
    "http-custom-headers": (MODERN,),
    "http-invalid-tool-headers": (MODERN,),
    "sep-2322-client-request-state": (MODERN,),
}
AUTH = (
    "metadata-default",
    "metadata-var1",
    "metadata-var2",
    "metadata-var3",
    "basic-cimd",
    "scope-from-www-authenticate",
    "scope-from-scopes-supported",
    "scope-omitted-when-undefined",
    "scope-step-up",
    "scope-retry-limit",
    "token-endpoint-auth-basic",
    "token-endpoint-auth-post",
    "token-endpoint-auth-none",
    "pre-registration",
)
AUTH_OF_2026 = (
    "resource-mismatch",
    "offline-access-scope",
    "offline-access-not-supported",
    "authorization-server-migration",
    "iss-supported",
    "iss-not-advertised",
    "iss-supported-missing",
    "iss-wrong-issuer",
    "iss-unexpected",
    "iss-normalized",
    "metadata-issuer-mismatch",
)


@dataclass(frozen=True, slots=True)
class Leg:
    scenario: str
    version: str

    def __str__(self) -> str:
        return f"{self.version} {self.scenario}"


def legs() -> Iterator[Leg]:
    for scenario, versions in SCENARIOS.items():
        yield from (Leg(scenario, version) for version in versions)
    for version in (LEGACY, MODERN):
        yield from (Leg(f"auth/{scenario}", version) for scenario in AUTH)
    yield from (Leg(f"auth/{scenario}", MODERN) for scenario in AUTH_OF_2026)


def outcome(program: Path, entries: dict[str, Path], leg: Leg) -> list[str]:
    """What the scenario's checks did not like, a line each."""
    with tempfile.TemporaryDirectory() as folder:  # for the tokens that it is given
        client = shlex.join(["env", f"XDG_STATE_HOME={folder}", sys.executable, "-m", GATEWAY])
        command = [program, entries["alpha"], "client", "--command", client, "--timeout", "60000"]
        asked = ["--scenario", leg.scenario, "--spec-version", leg.version]
        out = suite.results("clients", leg.version, leg.scenario.replace("/", "-"))
        return suite.run([*command, *asked], out)


def main() -> int:
    """Print a line a scenario; words on the command line choose among them."""
    program, entries = suite.install()
    expected, chosen, bad = suite.expected(EXPECTED), sys.argv[1:], 0
    for leg in legs():
        if not chosen or any(word in str(leg) for word in chosen):
            failures = outcome(program, entries, leg)
            surprising = bool(failures) != (str(leg) in expected)
            bad += surprising
            told = json.dumps(failures) if failures else "passed"
            print(f"{'!' if surprising else ' '} {leg}: {told}", flush=True)  # noqa: T201
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
