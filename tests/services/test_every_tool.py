"""No tool of an example goes untested: each is named by the test that drives its service."""

from pathlib import Path

import pytest

from gateway.capability.load import load
from gateway.credentials.redact import Redactor
from tests.peers.programs import ROOT

EXAMPLES = sorted(path.name for path in (ROOT / "examples").iterdir() if path.is_dir())


def driving(example: str) -> str:
    """The text of all test files that start this example."""
    files = [
        *ROOT.glob("tests/services/test_*.py"),
        *ROOT.glob("tests/integration/test_examples_*"),
    ]
    texts = [file.read_text("utf-8") for file in files if file.suffix == ".py"]
    return "".join(text for text in texts if f'"examples" / "{example}"' in text)


def tools_of(file: Path) -> list[str]:
    return list(load(file.read_bytes(), str(file), environ={}, redactor=Redactor()).tools)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_tool_of_an_example_is_driven(example: str) -> None:
    text, files = driving(example), (ROOT / "examples" / example / "capabilities").glob("*.y*ml")
    assert text, "it has no test"
    untested = [tool for file in files for tool in tools_of(file) if not named(tool, text)]
    assert untested == []


def named(tool: str, text: str) -> bool:
    return f'"{tool}"' in text or f':{tool}"' in text
