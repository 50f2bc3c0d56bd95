"""The files we ship, and those of the examples: they load, say what they do, and prove it."""

from collections import Counter
from functools import cache
from pathlib import Path

import msgspec
import pytest

from gateway.capability.examples.checking import check
from gateway.capability.load import Loaded, load
from gateway.credentials.redact import Redactor
from gateway.domain.signature import first_sentence
from gateway.domain.tokens import estimate_tokens

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "capabilities").rglob("*.y*ml"))
EXAMPLES = sorted(ROOT.glob("examples/*/capabilities/*.y*ml"))
HEADER = "# yaml-language-server: $schema="
MOST_TOKENS = 230  # of one definition; the four meta-tools together take 250

every_file = pytest.mark.parametrize(
    "file", [*SHIPPED, *EXAMPLES], ids=lambda file: str(file.relative_to(ROOT))
)


@cache
def loaded(file: Path) -> Loaded:
    return load(file.read_bytes(), str(file), environ={}, redactor=Redactor())


def test_there_are_tools_for_a_newcomer() -> None:
    tools = [name for file in SHIPPED for name in loaded(file).tools]
    assert len(SHIPPED) >= 18
    assert len(tools) >= 50


def test_most_of_them_need_no_key() -> None:
    assert sum(bool(loaded(file).secrets) for file in SHIPPED) * 4 < len(SHIPPED)


@every_file
def test_a_file_loads_without_any_finding(file: Path) -> None:
    assert [str(issue) for issue in loaded(file).issues] == []
    assert loaded(file).capability is not None


@every_file
def test_all_examples_of_a_file_hold(file: Path) -> None:
    assert [str(issue) for issue in check(loaded(file))] == []


@every_file
def test_an_editor_finds_the_schema_of_a_file(file: Path) -> None:
    first = file.read_text("utf-8").splitlines()[0]
    assert first.startswith(HEADER)
    assert (file.parent / first.removeprefix(HEADER)).resolve() == (
        ROOT / "schemas" / "capability.schema.json"
    )


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_each_tool_shows_a_call_from_arguments_to_result(file: Path) -> None:
    for name, compiled in loaded(file).tools.items():
        whole = [
            example
            for example in compiled.tool.examples
            if "url" in (example.request or {}) and example.reply and example.error is None
        ]
        assert whole, f"{name} has no example with a request, a reply and its result"


@every_file
def test_a_definition_costs_a_model_little(file: Path) -> None:
    for name, compiled in loaded(file).tools.items():
        tokens = estimate_tokens(len(msgspec.json.encode(compiled.tool.tool.definition)))
        assert tokens <= MOST_TOKENS, f"{name}: {tokens} tokens"


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_the_first_sentence_says_what_a_tool_does(file: Path) -> None:
    """Search answers show no more than that."""
    for name, compiled in loaded(file).tools.items():
        sentence = first_sentence(compiled.tool.tool.description)
        assert 4 <= len(sentence.split()) <= 45, f"{name}: {sentence}"
        assert not sentence.endswith("…"), f"{name}: {sentence}"


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_every_shipped_tool_only_reads(file: Path) -> None:
    """What comes with the gateway can do no harm, whoever calls it."""
    for name, compiled in loaded(file).tools.items():
        assert compiled.tool.tool.definition["annotations"]["readOnlyHint"] is True, name


def test_backend_names_are_unique_and_those_of_their_files() -> None:
    files = {file.stem: loaded(file).capability for file in SHIPPED}
    assert all(found and found.name == stem for stem, found in files.items())
    names = Counter(found.name for file in EXAMPLES if (found := loaded(file).capability))
    assert not names.keys() & files.keys()
    assert max(names.values()) == 1


def test_no_address_is_reached_without_tls_but_our_own() -> None:
    for file in SHIPPED:
        found = loaded(file).capability
        assert found
        assert found.origin.startswith(("https://", "http://127.0.0.1")), found.origin
