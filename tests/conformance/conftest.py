"""What every run of the suite needs."""

import subprocess
from pathlib import Path

import pytest

from tests.conformance import suite


@pytest.fixture(scope="session")
def installed() -> tuple[Path, dict[str, Path]]:
    """Node and the suite's entries by release; without them nothing here can run."""
    try:
        return suite.install()
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"the conformance suite cannot be installed here: {type(error).__name__}")
