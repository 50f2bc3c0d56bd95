"""The suite's scenarios of the tasks extension, against a server by hand and behind the gateway.

What a listen stream tells of a task has no scenario yet that runs ("tasks-status-notifications"
skips itself); tests/integration/test_tasks_whole.py has it.
"""

import contextlib
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conformance import suite
from tests.peers.programs import ROOT
from tests.peers.real_servers import served, started

SERVER = [sys.executable, "-m", "tests.peers.tasks_server", "--view", "modern"]
SCENARIOS = (
    "tasks-lifecycle",
    "tasks-capability-negotiation",
    "tasks-wire-fields",
    "tasks-request-state-removal",
    "tasks-mrtr-input",
    "tasks-request-headers",
    "tasks-dispatch-and-envelope",
    "tasks-required-task-error",
    "tasks-mrtr-composition",
)
WAYS = ("directly", "http", "stdio")
AT_ONCE = 4  # scenarios, which mostly wait

Results = dict[tuple[str, str], Future[list[str]]]


@pytest.fixture(scope="module")
def results(
    tmp_path_factory: pytest.TempPathFactory, installed: tuple[Path, dict[str, Path]]
) -> Iterator[Results]:
    """The outcomes, by way and scenario."""
    program, entries = installed
    folder: Path = tmp_path_factory.mktemp("tasks")
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(started([*SERVER, "--http", "0"], folder / "server.log"))
        settings: dict[str, object] = {
            "http": {"http_url": f"http://127.0.0.1:{port}/mcp"},
            "stdio": {"command": SERVER, "cwd": str(ROOT)},
        }
        gateway = stack.enter_context(served(folder, settings)).url
        urls = {way: f"{gateway}/mcp/{way}" for way in settings}
        urls["directly"] = f"http://127.0.0.1:{port}/mcp"
        pool = stack.enter_context(ThreadPoolExecutor(AT_ONCE))

        def run(way: str, scenario: str) -> list[str]:
            asked = [
                program,
                entries["alpha"],
                "server",
                "--url",
                urls[way],
                "--scenario",
                scenario,
            ]
            return suite.run(asked, suite.results("tasks", way, scenario))

        try:
            yield {(way, each): pool.submit(run, way, each) for each in SCENARIOS for way in WAYS}
        finally:
            pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("way", WAYS)
def test_tasks_pass_as_the_extension_has_them(way: str, scenario: str, results: Results) -> None:
    assert results[way, scenario].result(timeout=300) == []
