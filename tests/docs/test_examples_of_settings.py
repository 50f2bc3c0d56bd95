"""Every gateway.yaml that a page shows loads, the snippets among them too."""

import re
from pathlib import Path

import pytest

from gateway.config.load import understand

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCES = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def shown() -> dict[str, str]:
    """`importing.md:1` is the first on that page; a capability file begins with its version."""
    return {
        f"{page.name}:{number}": text
        for page in PAGES
        for number, text in enumerate(FENCES.findall(page.read_text("utf-8")), 1)
        if "capability: 1" not in text
    }


SHOWN = shown()


def test_there_are_some_on_each_page_about_settings() -> None:
    pages = {place.partition(":")[0] for place in SHOWN}
    assert pages >= {"README.md", "configuration.md", "importing.md", "mcp-servers.md"}


@pytest.mark.parametrize("place", SHOWN)
def test_settings_on_the_pages_load(place: str) -> None:
    text = SHOWN[place]
    named = re.findall(r"(?:\$\{|env:)(\w+)", text)
    environ = {name: f"the-value-of-{name}" for name in named}
    assert [
        str(issue) for issue in understand(text.encode(), "gateway.yaml", environ, {}).issues
    ] == []
