"""The official conformance suite against our front at /mcp; see run.py to run it by hand."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conformance.install import ROOT
from tests.conformance.run import Leg, expected_failures, legs, run

Results = dict[Leg, Future[list[str]]]


@pytest.fixture(scope="module")
def results(installed: tuple[Path, dict[str, Path]]) -> Iterator[Results]:
    """Every leg's failures, three at a time, against one gateway."""
    node, entries = installed
    command = [sys.executable, "-m", "tests.peers.conformance_gateway", "0"]
    with (
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as peer,
        ThreadPoolExecutor(3) as pool,
    ):
        assert peer.stdout is not None
        url = f"http://127.0.0.1:{int(peer.stdout.readline())}/mcp"
        try:
            yield {leg: pool.submit(run, node, entries[leg.release], url, leg) for leg in legs()}
        finally:
            pool.shutdown(cancel_futures=True)
            peer.terminate()


@pytest.mark.parametrize("leg", list(legs()), ids=str)
def test_scenario_passes_unless_listed_as_expected_failure(leg: Leg, results: Results) -> None:
    failures = results[leg].result(timeout=180)
    if str(leg) in expected_failures():
        assert failures, "it passes: take it off the list of expected failures"
    else:
        assert failures == []


def test_expected_failures_name_scenarios_that_exist() -> None:
    assert expected_failures() <= {str(leg) for leg in legs()}
