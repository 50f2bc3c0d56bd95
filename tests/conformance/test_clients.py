"""The client scenarios of the suite against the gateway as a client; see clients.py by hand."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conformance import suite
from tests.conformance.clients import EXPECTED, Leg, legs, outcome

Results = dict[Leg, Future[list[str]]]


@pytest.fixture(scope="module")
def results(installed: tuple[Path, dict[str, Path]]) -> Iterator[Results]:
    """Every scenario's failures, two at a time."""
    program, entries = installed
    with ThreadPoolExecutor(2) as pool:
        try:
            yield {leg: pool.submit(outcome, program, entries, leg) for leg in legs()}
        finally:
            pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("leg", list(legs()), ids=str)
def test_the_gateway_is_the_client_that_the_scenario_wants(leg: Leg, results: Results) -> None:
    failures = results[leg].result(timeout=300)
    if str(leg) in suite.expected(EXPECTED):
        assert failures, "it passes: take it off the list of expected failures"
    else:
        assert failures == []


def test_expected_failures_name_scenarios_that_exist() -> None:
    assert suite.expected(EXPECTED) <= {str(leg) for leg in legs()}
