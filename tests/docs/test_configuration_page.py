"""docs/configuration.md names every key with its default, and its example loads."""

import re
from pathlib import Path

import pytest
from msgspec import NODEFAULT, UNSET, Struct, structs

from gateway.capability.load import load
from gateway.config.auth import ClientKey, Jwt
from gateway.config.backends import Backend
from gateway.config.load import understand
from gateway.config.model import Config
from gateway.config.policies import Condition, PolicyFor, Rule
from gateway.config.unmet import unmet
from gateway.config.variables import FILE_VARIABLE, VARIABLES
from gateway.credentials.redact import Redactor
from gateway.domain.catalog import Catalog
from gateway.domain.listing import Listing

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
ROWS = dict(
    re.findall(r"^\| `([\w.]+)` \|[^|]+\| ([^|]+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
)


ENTRIES = {
    "backends.NAME": Backend,
    "auth.api_keys.N": ClientKey,
    "auth.jwt": Jwt,
    "policies.NAME": PolicyFor,
    "policies.NAME.rules.N": Rule,
    "policies.NAME.rules.N.when.ARGUMENT": Condition,
}  # place of what a file may have many of, or none


def keys():
    yield from of("", Config)
    for place, struct in ENTRIES.items():
        yield from of(f"{place}.", struct)


def of(place, struct):
    for key in structs.fields(struct):
        made = key.default is NODEFAULT and key.default_factory is not NODEFAULT
        value = key.default_factory() if made else key.default
        if isinstance(value, Struct):
            yield from of(f"{place}{key.name}.", type(value))
        else:
            yield f"{place}{key.name}", value


KEYS = dict(keys())


def shown(default):
    if default is NODEFAULT:
        return "required"
    if default is UNSET or default in (None, (), {}, ""):
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
    assert len(examples) == 6
    for example in examples:
        loaded = understand(example.encode(), "gateway.yaml", {}, {})
        assert not loaded.issues
        assert list(unmet(loaded.config, "gateway.yaml", shipped())) == []


@pytest.mark.parametrize("name", [FILE_VARIABLE, *VARIABLES])
def test_every_variable_is_on_the_page(name):
    variable = VARIABLES.get(name)
    sets = "the file to read"
    if variable:
        sets = f"`{'.'.join(variable.place)}`" if variable.place else "nothing: "
    assert f"| `{name}` | {sets}" in PAGE.read_text("utf-8")
