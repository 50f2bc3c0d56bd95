"""docs/capabilities.md: every file on it loads and passes its examples, and no key is forgotten."""

import re
from pathlib import Path

import msgspec
import pytest

from gateway.capability.examples.checking import check
from gateway.capability.expressions.filters import FILTERS
from gateway.capability.expressions.language import TESTS
from gateway.capability.file.model import Capability
from gateway.capability.load import Loaded, load
from gateway.config.field_docs import structs
from gateway.config.issues import report
from gateway.credentials.redact import Redactor

PAGE = (Path(__file__).parents[2] / "docs/capabilities.md").read_text("utf-8")
FENCE = re.compile(r"^```(.*)\n((?s:.)*?)^```$", re.MULTILINE)
FENCES = FENCE.findall(PAGE)
FILES = [text for language, text in FENCES if language == "yaml"]


def loaded(text: str, file: str) -> Loaded:
    return load(text.encode(), file, environ={}, redactor=Redactor())


@pytest.mark.parametrize("text", FILES, ids=lambda text: text.split("description: ")[1][:24])
def test_every_file_loads_and_passes_its_examples(text: str) -> None:
    found = loaded(text, "page.yaml")
    assert [str(issue) for issue in found.issues] == []
    assert found.capability is not None
    assert [str(issue) for issue in check(found)] == []


def test_the_mistakes_are_told_as_shown() -> None:
    ((_, wrong),) = [fence for fence in FENCES if fence[0] == "yaml refused"]
    ((_, said),) = [fence for fence in FENCES if fence[0] == "text"]
    issues = loaded(wrong, "dogs.yaml").issues
    assert report(issues, lambda _: wrong.splitlines()) == said.rstrip("\n")


def test_the_rest_of_the_mistakes_is_told_as_said() -> None:
    ((_, wrong),) = [fence for fence in FENCES if fence[0] == "yaml refused"]
    mended = {"dsc": "desc", "?x=1": "", "strin": "string", "requierd": "required"}
    for bad, good in (mended | {"respnse": "response"}).items():
        wrong = wrong.replace(bad, good)
    messages = [issue.message for issue in loaded(wrong, "dogs.yaml").issues]
    assert messages == ["args.bred is not declared"]


def keys() -> set[str]:
    return {
        field.encode_name
        for struct in structs(Capability)
        for field in msgspec.structs.fields(struct)
    }


@pytest.mark.parametrize("name", sorted(keys() | set(FILTERS) | set(TESTS)))
def test_every_key_filter_and_test_is_on_the_page(name: str) -> None:
    assert re.search(rf"[`{{: ]{re.escape(name)}\b|`{re.escape(name)}", PAGE)


def test_the_contents_name_all_sections_in_their_order() -> None:
    sections = re.findall(r"^###? (.+)$", FENCE.sub("", PAGE), re.MULTILINE)
    head = PAGE.partition("\n## ")[0]
    listed = re.findall(r"\]\(#([^)]+)\)", head)
    assert listed == [re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in sections]
