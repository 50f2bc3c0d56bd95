"""The official conformance suite against a server behind the gateway; see legs.py by hand."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conformance import suite
from tests.conformance.legs import (
    AT_LEAST,
    Leg,
    backends,
    expected_failures,
    gateway,
    legs,
    outcomes,
)

Results = dict[str, Future[dict[Leg, suite.Outcomes]]]


@pytest.fixture(scope="module")
def results(
    tmp_path_factory: pytest.TempPathFactory, installed: tuple[Path, dict[str, Path]]
) -> Iterator[Results]:
    """Every backend's legs one after the other, two backends at a time, against one gateway."""
    program, entries = installed
    folder: Path = tmp_path_factory.mktemp("backends")
    with gateway(folder) as base, ThreadPoolExecutor(2) as pool:
        try:

            def run(backend: str) -> dict[Leg, suite.Outcomes]:
                mine = [leg for leg in legs() if leg.backend == backend]
                return {leg: outcomes(program, entries, base, leg) for leg in mine}

            yield {backend: pool.submit(run, backend) for backend in backends()}
        finally:
            pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("leg", list(legs()), ids=str)
def test_a_backend_passes_what_is_not_listed_as_expected_failure(leg: Leg, results: Results):
    found = results[leg.backend].result(timeout=600)[leg]
    assert len(found) == AT_LEAST[leg.version]
    failing = {name: told for name, told in found.items() if told}
    assert failing.keys() - expected_failures(leg) == set(), failing
    assert expected_failures(leg) - failing.keys() == set(), "take it off the list"


def test_nothing_is_expected_to_fail_where_client_and_server_speak_the_same_era():
    same = [leg for leg in legs() if leg.same_era]
    assert [expected_failures(leg) for leg in same] == [frozenset()] * len(same)
