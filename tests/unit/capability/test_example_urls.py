"""The examples of a file hold wherever the environment moves its `base_url`."""

import re
from pathlib import Path

import pytest

from gateway.capability.examples import checking as examples
from gateway.capability.load import load
from gateway.credentials.redact import Redactor

ROOT = Path(__file__).parents[3]
FILES = [
    file
    for file in sorted(ROOT.glob("*/**/capabilities/*.yaml"))
    if ".venv" not in file.parts and "base_url: ${" in file.read_text("utf-8")
]
FILE = """
capability: 1
name: shop
description: A shop
base_url: ${SHOP:-https://shop.example/v1}
tools:
  item:
    description: One item.
    args: {id: {type: string, required: true}}
    get: /items/{{ args.id }}
    examples: [{args: {id: a}, request: {url: "URL"}}]
"""


def faults(data: bytes, file: str, environ: dict[str, str]) -> list[str]:
    loaded = load(data, file, environ=environ, redactor=Redactor())
    assert loaded.tools
    return [f"{found}" for found in examples.check(loaded)]


@pytest.mark.parametrize(
    ("url", "holds"),
    [
        ("https://shop.example/v1/items/a", True),
        ("http://127.0.0.1:8080/items/a", True),
        ("https://shop.example/v1x/items/a", False),
        ("https://shop.example/v2/items/a", False),
        ("https://other.example/v1/items/a", False),
        ("https://shop.example/v1/items/b", False),
    ],
)
def test_a_url_below_the_files_own_base_is_meant_below_the_real_one(
    url: str, *, holds: bool
) -> None:
    data = FILE.replace("URL", url).encode()
    found = faults(data, "shop.yaml", {"SHOP": "http://127.0.0.1:8080/"})
    assert (not found) is holds
    at_home = faults(data, "shop.yaml", {})
    assert (not at_home) is (url == "https://shop.example/v1/items/a")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_shipped_examples_hold_elsewhere(file: Path) -> None:
    data = file.read_bytes()
    names = re.findall(r"\$\{([A-Z0-9_]+_URL[A-Z0-9_]*):-", data.decode())
    assert names
    assert faults(data, str(file), dict.fromkeys(names, "https://elsewhere.example/api")) == []
