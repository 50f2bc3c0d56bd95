"""What holds for every test.

Properties see the same examples in every run, whatever the machine's speed: a red build means a
change, never a dice roll. `pytest --hypothesis-profile=explore` looks for new examples; what it
finds becomes an `@example` or a test of its own.
"""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

CALM = [HealthCheck.too_slow, HealthCheck.filter_too_much]
settings.register_profile("house", deadline=None, derandomize=True, suppress_health_check=CALM)
settings.register_profile("explore", deadline=None, suppress_health_check=CALM)
settings.load_profile("house")


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """The gateway sets up the process's logging when it starts; the next test has its own."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
