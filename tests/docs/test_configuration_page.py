"""docs/configuration.md names every key with its default, and its example loads."""

import re
from pathlib import Path

import pytest
from msgspec import Struct, structs

from gateway.capability.load import load
from gateway.config.backends import Backend
from gateway.config.load import understand
from gateway.config.model import Config
from gateway.config.unmet import unmet
from gateway.config.variables import FILE_VARIABLE, VARIABLES
from gateway.credentials.redact import Redactor
from gateway.domain.catalog import Catalog
from gateway.domain.listing import Listing

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
ROWS = dict(
    re.findall(r"^\| `([\w.]+)` \|[^|]+\| ([^|]+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
)


def keys():
    config, server = Config(), Backend()
    for section in structs.fields(Config):
        value = getattr(config, section.name)
        if isinstance(value, Struct):
            for key in structs.fields(value):
                yield f"{section.name}.{key.name}", getattr(value, key.name)
        else:
            yield section.name, value
    for key in structs.fields(Backend):
        yield f"backends.NAME.{key.name}", getattr(server, key.name)


KEYS = dict(keys())


def shown(default):
    if default in (None, (), {}, ""):
        return "none"
    if isinstance(default, tuple):
        return ", ".join(f"`{one}`" for one in default)
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_on_the_page_with_its_default(key):
    assert ROWS[key].strip() == shown(KEYS[key])


def test_the_page_has_no_key_that_is_not_there():
    assert set(ROWS) == set(KEYS)


def shipped():
    """What capabilities/ offers."""
    listings = []
    for path in (PAGE.parents[1] / "capabilities").glob("*.yaml"):
        found = load(path.read_bytes(), str(path), environ={}, redactor=Redactor())
        tools = tuple(compiled.tool.tool for compiled in found.tools.values())
        listings.append(Listing(path.stem, "", tools))
    return Catalog(listings)


def test_the_example_loads_and_names_what_is_there():
    examples = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        loaded = understand(example.encode(), "gateway.yaml", {}, {})
        assert not loaded.issues
        assert list(unmet(loaded.config, "gateway.yaml", shipped())) == []


@pytest.mark.parametrize("name", [FILE_VARIABLE, *VARIABLES])
def test_every_variable_is_on_the_page(name):
    variable = VARIABLES.get(name)
    sets = f"`{'.'.join(variable.place)}`" if variable else "the file to read"
    assert f"| `{name}` | {sets} |" in PAGE.read_text("utf-8")
