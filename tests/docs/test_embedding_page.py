"""docs/embedding.md names all that a program can use, and shows code that compiles."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import gateway

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "embedding.md").read_text("utf-8")
STUB = ast.parse((ROOT / "gateway" / "__init__.pyi").read_text("utf-8"))


def listed() -> list[str]:
    """What the stub says there is."""
    [names] = [
        node.value
        for node in STUB.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    return [str(name) for name in ast.literal_eval(names)]


def test_the_stub_lists_what_is_there() -> None:
    assert sorted(listed()) == sorted(gateway._PUBLIC)
    assert set(listed()) <= set(dir(gateway))


@pytest.mark.parametrize("name", listed())
def test_every_public_name_is_there_and_on_the_page(name: str) -> None:
    assert getattr(gateway, name) is not None
    assert re.search(rf"\b{name}\b", PAGE) or name == "Caller"


def test_what_is_not_public_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Gateway'"):
        gateway.Gateway  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize(
    "name", [name for name in dir(gateway.Capgate) if not name.startswith("_")]
)
def test_every_method_is_on_the_page_with_its_parameters(name: str) -> None:
    assert f"gw.{name}(" in PAGE
    shown = re.search(rf"`(?:await )?gw\.{name}\(([^`]*)\)`", PAGE)
    if shown is None:
        return
    told = re.findall(r"\b([a-z]+)(?==|,|$)", shown[1])
    known = list(inspect.signature(getattr(gateway.Capgate, name)).parameters)[1:]
    assert [one for one in told if one not in ("None", "False")] == known


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
def test_code_on_the_page_compiles(block: str) -> None:
    compile(block, "embedding.md", "exec")
