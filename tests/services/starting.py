"""What every test of a real service begins with: the service is had, started, and ready to answer.

A service that cannot be had skips its tests, and one that takes long to install is not asked for;
with CAPGATE_SERVICES=all, as `make test-services` sets it, all are wanted, and lacking one fails.
"""

import contextlib
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from tests.peers.programs import Program, _process, _until
from tests.services.install import Unavailable

EVERY = os.environ.get("CAPGATE_SERVICES") == "all"  # noqa: TID251 (the tests' own switch)
T = TypeVar("T")


def wanted(name: str, install: Callable[[], T], *, quick: bool = True, every: bool = EVERY) -> T:
    """What `install()` gives. It raises Unavailable, OSError or SubprocessError when it cannot."""
    if not quick and not every:
        pytest.skip(f"{name} takes long to install: make test-services has it")
    try:
        return install()
    except (Unavailable, OSError, subprocess.SubprocessError) as error:
        said = (
            f"no {name} here: {error if isinstance(error, Unavailable) else type(error).__name__}"
        )
        if every:
            pytest.fail(said)
        pytest.skip(said)


@contextlib.contextmanager
def service(
    argv: Sequence[str | Path],
    output: Path,
    ready_url: str,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Program]:
    """The program, once `ready_url` answers with anything but a 5xx; ended by its own id after."""
    origin = "/".join(ready_url.split("/", 3)[:3])
    with _process([str(word) for word in argv], output, environ or {}) as process:
        _until(process, output, lambda: _answers(ready_url))
        yield Program(origin, output)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  loopback
            return bool(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code < 500
    except OSError:
        return False
