"""The worked files of the format's contract, as they stand there, load and do what they say."""

from pathlib import Path

import pytest

from gateway.capability.examples.checking import check
from gateway.capability.load import load
from gateway.credentials.redact import Redactor
from gateway.domain.issue import Severity

FILES = sorted((Path(__file__).parent / "worked").glob("*.yaml"))


def test_there_are_six_of_them() -> None:
    assert len(FILES) == 6


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_worked_file_loads_and_passes_all_its_examples(file: Path) -> None:
    found = load(file.read_bytes(), file.name, environ={}, redactor=Redactor())
    wrong = [issue for issue in found.issues if issue.severity is Severity.ERROR]
    assert [str(issue) for issue in wrong] == []
    assert found.capability is not None
    assert [str(issue) for issue in check(found)] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_example_that_says_something_else_is_told(file: Path) -> None:
    """They pass because they are run, not because nobody looks."""
    text = file.read_text("utf-8").replace("base_url: https://", "base_url: https://other.")
    found = load(text.encode(), file.name, environ={}, redactor=Redactor())
    assert check(found) != ()
