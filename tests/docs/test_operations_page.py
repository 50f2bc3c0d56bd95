"""docs/operations.md names every error code, metric and log event there is."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.errors import GatewayError
from gateway.observe.metrics import Metrics

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "operations.md").read_text("utf-8")
EVENTS = re.compile(r"\blog\.(?:log\(level|\w+\(?)\s*[(,]?\s*\"([a-z_]+)\"")


def rows(heading) -> set[str]:
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `([\w/]+)` \|", section, re.MULTILINE))


def codes(root: type[GatewayError]) -> Iterator[str]:
    yield root.code
    for child in root.__subclasses__():
        yield from codes(child)


def test_every_error_code_is_in_the_table_and_no_other():
    assert rows("Error codes") == set(codes(GatewayError))


def test_every_metric_is_in_the_table_and_no_other():
    page = Metrics().render().decode()
    ours = set(re.findall(r"^# TYPE (capgate_\w+)", page, re.MULTILINE))
    assert rows("Metrics") == ours


@pytest.mark.parametrize("module", ["runtime", "observe"])
def test_every_event_of_the_log_is_in_the_table(module):
    told = {
        event
        for file in (ROOT / "gateway" / module).glob("*.py")
        for event in EVENTS.findall(file.read_text("utf-8"))
    }
    assert told
    assert told <= rows("Logs")
