"""The tree on the page is the tree on the disk."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
TREE = PAGE[PAGE.index("## The tree") : PAGE.index("## Words")]


def test_every_module_of_a_package_is_in_the_tree_and_nothing_else() -> None:
    told: dict[str, set[str]] = {}
    for row in re.findall(r"^\| `(.*)$", TREE, re.MULTILINE):
        package, _, modules = row.partition("/`")
        told.setdefault(package, set()).update(re.findall(r"`(\w+)`", modules))
    there = {
        str(path.parent.relative_to(ROOT / "gateway")): {
            module.stem for module in path.parent.glob("*.py") if module.stem != "__init__"
        }
        for path in (ROOT / "gateway").rglob("*/__init__.py")
    }
    assert told == there


def test_every_file_it_names_exists() -> None:
    named = set(re.findall(r"`((?:\w+/)*[a-z_]+\.py)`", PAGE))
    missing = [name for name in named if not list((ROOT / "gateway").rglob(Path(name).name))]
    assert sorted(name for name in missing if not (ROOT / name).exists()) == []
