"""Every promise of the page has a test, and every row that code or tests name is on the page."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = re.findall(r"^\| ([TIF]\d+) \|", (ROOT / "docs" / "security.md").read_text(), re.MULTILINE)
NAMED = re.compile(r"(?<![A-Za-z0-9])([TIF]\d{1,2})(?: to ([TIF]\d{1,2}))?(?![A-Za-z0-9{])")
IN_NAMES = re.compile(r"_([tif]\d{1,2})(?=[_(])")


def named(folder: str) -> set[str]:
    found: set[str] = set()
    for path in (ROOT / folder).rglob("*.py"):
        text = path.read_text()
        found |= {row.upper() for row in IN_NAMES.findall(text)}
        for first, last in NAMED.findall(text):
            kind, end = first[0], int((last or first)[1:])
            found |= {f"{kind}{number}" for number in range(int(first[1:]), end + 1)}
    return found


@pytest.mark.parametrize("row", ROWS)
def test_a_promise_has_a_test(row: str) -> None:
    assert row in named("tests")


@pytest.mark.parametrize("folder", ["gateway", "tests"])
def test_a_row_that_is_named_is_on_the_page(folder: str) -> None:
    assert sorted(named(folder) - set(ROWS)) == []


def test_no_row_stands_there_twice() -> None:
    assert len(ROWS) == len(set(ROWS))
