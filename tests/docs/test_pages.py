"""What all pages show of commands, targets and links is there."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from gateway.cli import cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "examples").glob("*/README.md")),
]
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line} {self.kind}"


def blocks(*kinds: str) -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in FENCE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(Block(page.name, line, match[1].strip(), match[2]))
    return [block for block in found if block.kind in kinds]


def commands() -> list[tuple[str, list[str]]]:
    """Each `$ … capgate …` line of the console blocks, as words after the command."""
    found = []
    for block in blocks("console"):
        for line in block.text.splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True) if line[:2] == "$ " else []
            names = [index for index, word in enumerate(words) if word.endswith("bin/capgate")]
            if names or words[:1] == ["capgate"]:
                found.append((str(block), words[names[0] + 1 if names else 1 :]))
    return found


@pytest.mark.parametrize(("place", "words"), commands())
def test_a_shown_command_exists_with_its_options(place: str, words: list[str]) -> None:
    command = cli.get_command(click.Context(cli), words[0])
    assert command is not None, place
    command.make_parser(click.Context(command)).parse_args(words[1:])


def test_every_shell_target_that_is_shown_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = {name for page in PAGES for name in re.findall(r"`?make ([a-z-]+)", page.read_text())}
    assert {"run", "test"} <= shown
    assert {name for name in shown if f"make {name}" in _code()} <= targets


def _code() -> str:
    """All that stands in code, inline or fenced."""
    text = "\n".join(page.read_text() for page in PAGES)
    return "\n".join(
        [*re.findall(r"`[^`\n]+`", text), *(found[2] for found in FENCE.finditer(text))]
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def anchors(page: Path) -> list[str]:
    """Of its headings, as code hosts make them."""
    text = FENCE.sub("", page.read_text())
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return [re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_heading_finds_it(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", page.read_text()):
        there = anchors(page.parent / target if target else page)
        assert anchor in there, f"{page.name} links to {target}#{anchor}"
