"""Clients that other people wrote against the whole gateway, in each era they know.

Each does everything once, at a backend's own URL and through /mcp, and has to see what it would
see without a gateway: whatever era the backend is of.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.install import node, npm, started
from tests.conformance.legs import FIXTURE, gateway
from tests.peers import mcp1
from tests.peers.programs import ROOT

PEERS = Path(__file__).parents[1] / "peers"
PACKAGES = ("@modelcontextprotocol/sdk@1.32.2", "@modelcontextprotocol/client@2.4.0")
INSPECTOR = "@modelcontextprotocol/inspector@2.12.0"

CLIENTS = ("mcp1", "mcp2 legacy", "mcp2 modern", "ts1", "ts2 legacy", "ts2 modern")
BACKENDS = ("legacy-http", "legacy-stdio", "modern-http", "modern-stdio")
ASKED = ("elicitation/create", "sampling/createMessage", "roots/list")


@dataclass(frozen=True)
class Visit:
    """One client at one backend: at its own URL, or through /mcp."""

    client: str
    backend: str
    through_meta: bool

    def __str__(self) -> str:
        return f"{self.client} {self.backend}{' by /mcp' if self.through_meta else ''}"


VISITS = [
    Visit(client, backend, through_meta)
    for client in CLIENTS
    for backend in BACKENDS
    for through_meta in (False, True)
]


class Programs:
    """How each client is started. Raises CalledProcessError or OSError when one cannot be had."""

    def __init__(self) -> None:
        program, _ = node()
        home = npm("clients", *PACKAGES).parent
        for script in PEERS.glob("ts_clients_*.mjs"):  # a module is found beside its packages
            shutil.copy(script, home)
        old = [str(mcp1.install()), str(PEERS / "real_clients_mcp1.py")]
        new = [sys.executable, str(PEERS / "real_clients_mcp2.py")]
        self._argv = {
            "mcp1": (old, []),
            "mcp2 legacy": (new, ["legacy"]),
            "mcp2 modern": (new, ["modern"]),
            "ts1": ([str(program), str(home / "ts_clients_v1.mjs")], []),
            "ts2 legacy": ([str(program), str(home / "ts_clients_v2.mjs")], ["legacy"]),
            "ts2 modern": ([str(program), str(home / "ts_clients_v2.mjs")], ["modern"]),
        }

    def run(self, base: str, visit: Visit) -> dict[str, Any]:
        """What the client tells of its visit."""
        argv, more = self._argv[visit.client]
        url = f"{base}/mcp" if visit.through_meta else f"{base}/mcp/{visit.backend}"
        backend = [visit.backend] if visit.through_meta else []
        words = [*argv, url, *more, *backend]
        done = started(words)
        told: dict[str, Any] = json.loads(done.stdout) if done.stdout else {"failed": done.stderr}
        return told


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with gateway(tmp_path_factory.mktemp("clients")) as url:
        yield url


Told = dict[str, Future[dict[Visit, dict[str, Any]]]]


@pytest.fixture(scope="module")
def told(base: str) -> Iterator[Told]:
    """What every visit to a backend tells: one after the other, two backends at a time.

    A server with a single stream does not say to which of two requests its log belongs.
    """
    try:
        programs = Programs()
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"the clients cannot be installed here: {type(error).__name__}")

    def visits(backend: str) -> dict[Visit, dict[str, Any]]:
        return {visit: programs.run(base, visit) for visit in VISITS if visit.backend == backend}

    with ThreadPoolExecutor(2) as pool:
        yield {backend: pool.submit(visits, backend) for backend in BACKENDS}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("visit", VISITS, ids=str)
def test_a_client_sees_all_that_the_server_has(visit: Visit, told: Told) -> None:
    seen = told[visit.backend].result(timeout=300)[visit]
    saw_everything(seen, through_meta=visit.through_meta)


@pytest.mark.parametrize("era", ["legacy", "modern"])
@pytest.mark.parametrize("view", ["legacy", "modern"])
def test_a_client_sees_the_same_over_stdio(view: str, era: str, tmp_path: Path) -> None:
    """Client, gateway and server in a row of three programs."""
    program = [sys.executable, "-m", FIXTURE, "--view", view]
    settings = {"backends": {"alone": {"command": program, "cwd": str(ROOT)}}}
    config = tmp_path / "gateway.yaml"
    config.write_text(json.dumps(settings))
    serve = [sys.executable, "-m", "gateway", "serve", "--stdio", "-c", str(config)]
    script = str(PEERS / "real_clients_mcp2.py")
    done = started([sys.executable, script, json.dumps(serve), era, "alone"])
    assert done.returncode == 0, done.stderr[-3000:]
    saw_everything(json.loads(done.stdout), through_meta=True)


def saw_everything(seen: dict[str, Any], *, through_meta: bool) -> None:
    assert "tools" in seen, seen
    tools, prompts = seen.pop("tools"), seen.pop("prompts")
    resources, templates = seen.pop("resources"), seen.pop("templates")
    assert ("gateway_invoke" if through_meta else "test_simple_text") in tools
    assert any(name.endswith("test_simple_prompt") for name in prompts)
    assert any(uri.endswith("test://static-binary") for uri in resources)
    assert any("{id}" in template for template in templates)
    assert sorted(seen.pop("asked")) == sorted([*ASKED, *ASKED])
    assert seen == {
        "text": "This is a simple text response for testing.",
        "failed": True,
        "progress": [0, 50, 100],
        "elicited": "User response: action=accept, content={'response': 'Ada'}",
        "sampled": "LLM response: re: Hello",
        "roots": "roots: file:///srv",
        "several": "answered: client_roots greeting user_name",
        "logged": ["started", "working", "finished"],
        "prompt": "Prompt with arguments: arg1='one', arg2='two'",
        "read": "This is the content of test://static-text.",
        "completed": ["paris", "park", "party"],
    }


@pytest.fixture(scope="module")
def inspect(base: str) -> Any:
    """`inspect(place, *words)` is what the inspector's command line prints there, as JSON."""
    try:
        program, _ = node()
        command = npm("inspector", INSPECTOR) / ".bin" / "mcp-inspector"
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"the inspector cannot be installed here: {type(error).__name__}")

    def run(place: str, *words: str) -> Any:
        argv = [str(program), str(command.resolve()), "--cli", f"{base}/mcp{place}"]
        argv += ["--transport", "http", *words]
        done = started(argv)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_inspector_sees_what_a_backend_has(backend: str, inspect: Any) -> None:
    place = f"/{backend}"
    tools = inspect(place, "--method", "tools/list")["tools"]
    assert "test_simple_text" in {tool["name"] for tool in tools}
    call = ("--method", "tools/call", "--tool-name", "test_x_mcp_header")
    called = inspect(place, *call, "--tool-arg", "region=north")
    assert called["content"][0]["text"] == "region=north"
    read = inspect(place, "--method", "resources/read", "--uri", "test://static-text")
    assert read["contents"][0]["text"] == "This is the content of test://static-text."
    asked = ("--method", "prompts/get", "--prompt-name", "test_simple_prompt")
    assert inspect(place, *asked)["messages"][0]["role"] == "user"


def test_the_inspector_reaches_every_backend_by_the_one_url(inspect: Any) -> None:
    call = ("--method", "tools/call", "--tool-name", "gateway_invoke", "--tool-arg")
    for backend in BACKENDS:
        called = inspect("", *call, f"server={backend}", "tool=test_simple_text", "arguments={}")
        assert called["content"][0]["text"].startswith("This is a simple text")
