"""A service that cannot be had: its tests are skipped, or fail where every one is wanted."""

import sys
from pathlib import Path

import pytest

from tests.peers.programs import free_port
from tests.services.install import Unavailable
from tests.services.starting import service, wanted


def missing() -> None:
    raise Unavailable("no apt-get on this machine")


def test_tests_are_skipped_where_a_service_cannot_be_had() -> None:
    with pytest.raises(pytest.skip.Exception, match="no apt-get on this machine"):
        wanted("a service", missing, every=False)


def test_tests_fail_where_every_service_is_wanted() -> None:
    with pytest.raises(pytest.fail.Exception, match="no apt-get on this machine"):
        wanted("a service", missing, every=True)


def test_what_installs_slowly_is_only_asked_for_where_every_service_is_wanted() -> None:
    assert wanted("a service", lambda: 7, quick=False, every=True) == 7
    with pytest.raises(pytest.skip.Exception, match="make test-services"):
        wanted("a service", lambda: 7, quick=False, every=False)


def test_a_service_is_there_once_it_answers_and_ended_after(tmp_path: Path) -> None:
    port = free_port()
    argv = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with service(argv, tmp_path / "log", f"http://127.0.0.1:{port}/nothing") as program:
        assert program.url == f"http://127.0.0.1:{port}"
    with (
        pytest.raises(AssertionError, match="it ended"),
        service([sys.executable, "-c", "print('no')"], tmp_path / "log", program.url),
    ):
        pass
