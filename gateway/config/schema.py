"""JSON Schemas from the models → `schemas/*.json`, for editors: `python -m gateway.config.schema`.

The rule: nothing is said here of a file kind that its model does not say; only how editors like it.
Draft-07 is what every editor's YAML support understands.
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from gateway.capability.file.flow_checks import PLACES
from gateway.capability.file.model import BODIES, METHODS, Capability
from gateway.config.argument_schema import argument_schema
from gateway.config.field_docs import field_docs, structs
from gateway.config.model import Config

SCHEMAS: Mapping[str, type[msgspec.Struct]] = {"capability": Capability, "gateway": Config}
TITLES = {
    "capability": "A capability file, format 1: one REST API and its tools",
    "gateway": "gateway.yaml: the gateway itself",
}
DIALECT = "http://json-schema.org/draft-07/schema#"

Json = dict[str, Any]

_REFERENCE = {"type": "string", "pattern": r"\$\{|^(env|file):"}
_CHOICE = re.compile(r"\^\(([\w|]+)\)\$")


def render(kind: str) -> str:
    """The text of `schemas/{kind}.schema.json`."""
    return json.dumps(schema(kind), indent=2, ensure_ascii=False) + "\n"


def schema(kind: str) -> Json:
    """The JSON Schema of a file kind."""
    root = SCHEMAS[kind]
    _, found = msgspec.json.schema_components((root,), ref_template="#/$defs/{name}")
    defs = {name: _tidy(part) for name, part in found.items()}
    for struct in structs(root):
        _describe(defs[struct.__name__], struct)
    if kind == "capability":
        _constrain(defs)
    else:
        defs = {name: _with_references(part) for name, part in defs.items()}
    top = defs.pop(root.__name__)
    return {"$schema": DIALECT, **top, "title": TITLES[kind], "$defs": dict(sorted(defs.items()))}


def _tidy(part: Any) -> Any:
    """As an author sees it: no `null` (one leaves the key out), no empty defaults, `x-*` free."""
    if isinstance(part, list):
        return [_tidy(item) for item in part]
    if not isinstance(part, dict):
        return part
    tidy = {key: _tidy(value) for key, value in part.items() if not _idle(key, value)}
    if "anyOf" in tidy:
        tidy = _alternatives(tidy)
    if tidy.get("additionalProperties") is False:
        tidy["patternProperties"] = {"^x-": {}}
    return _keyed(tidy, tidy["propertyNames"]["pattern"]) if "propertyNames" in tidy else tidy


def _keyed(part: Json, pattern: str) -> Json:
    """A mapping with bounded keys; known ones are properties, so that an editor completes them."""
    choice = _CHOICE.fullmatch(pattern)
    if choice is None:  # to editors YAML's merge key is a key like any other
        return {**part, "propertyNames": {"anyOf": [{"pattern": pattern}, {"const": "<<"}]}}
    inner = part.pop("additionalProperties", {})
    del part["propertyNames"]
    names = choice[1].split("|")
    return {**part, "properties": dict.fromkeys(names, inner), "additionalProperties": False}


def _idle(key: str, value: Any) -> bool:
    return key in ("default", "required") and value in (None, [], (), {})


def _alternatives(part: Json) -> Json:
    rest = {key: value for key, value in part.items() if key != "anyOf"}
    kept = [one for one in part["anyOf"] if one != {"type": "null"}]
    if {"type": "number"} in kept:
        kept = [one for one in kept if one != {"type": "integer"}]
    if len(kept) > 1:
        return {"anyOf": kept, **rest}
    return {"allOf": kept, **rest} if "$ref" in kept[0] else {**kept[0], **rest}


def _describe(part: Json, struct: type) -> None:
    for name, text in field_docs(struct).items():
        spec = part["properties"].get(name, {})
        if "$ref" in spec:  # draft-07 sees nothing beside a reference
            spec = {"allOf": [spec]}
        part["properties"][name] = {"description": text, **spec}


def _constrain(defs: Json) -> None:
    """The rules over several keys that `checks.py` holds, as far as an editor can tell."""
    tool = defs["ToolSpec"]
    bodies = _required(BODIES)
    tool["oneOf"] = _required((*METHODS, "steps"))
    requests = defs["Step"], defs["RequestSpec"]
    for one in requests:
        one["oneOf"] = _required(METHODS)
    for one in (tool, *requests):
        one["allOf"] = [{"oneOf": [*bodies, {"not": {"anyOf": bodies}}]}]
    defs["Paginate"]["oneOf"] = _required(("cursor", "page", "offset", "next_url", "link"))
    for name in ("Cursor", "Counted", "PageSize"):
        defs[name]["oneOf"] = _required(PLACES)
    tool["properties"]["args"]["additionalProperties"] = {"$ref": "#/$defs/Schema"}
    tool["properties"]["output"] = {
        "description": tool["properties"]["output"]["description"],
        "allOf": [{"$ref": "#/$defs/Schema"}],
    }
    hints = tool["properties"]["annotations"]["properties"]
    hints |= {name: {"type": "string" if name == "title" else "boolean"} for name in hints}
    defs["ErrorRule"]["anyOf"] = _required(("status", "when"))
    defs["Auth"]["oneOf"] = _required(tuple(defs["Auth"]["properties"]))
    defs["Schema"] = argument_schema()


def _required(names: tuple[str, ...]) -> list[Json]:
    return [{"required": [name]} for name in names]


def _with_references(part: Any) -> Any:
    """In gateway.yaml `${VAR}` may stand where a number, a choice or a pattern is asked for."""
    if isinstance(part, list):
        return [_with_references(item) for item in part]
    if not isinstance(part, dict):
        return part
    if "anyOf" in part:
        return {**part, "anyOf": [*part["anyOf"], _REFERENCE]}
    if part.get("type") in ("integer", "number", "boolean") or {"enum", "pattern"} & part.keys():
        outer = {key: part[key] for key in ("description", "default") if key in part}
        inner = {key: value for key, value in part.items() if key not in outer}
        return {**outer, "anyOf": [inner, _REFERENCE]}
    return {
        key: value if key in ("propertyNames", "default") else _with_references(value)
        for key, value in part.items()
    }


def stale(folder: Path) -> list[str]:
    """The kinds whose file in `folder` is not what the models say."""
    return [kind for kind in SCHEMAS if _current(folder / _file(kind)) != render(kind)]


def write(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for kind in SCHEMAS:
        (folder / _file(kind)).write_text(render(kind), encoding="utf-8")


def main(arguments: list[str], folder: Path = Path("schemas")) -> int:
    """`--check` writes nothing and answers 1 when a file is not current."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python -m gateway.config.schema [--check]\n")
        return 2
    if not arguments:
        write(folder)
    old = stale(folder)
    for kind in old:
        sys.stderr.write(f"{folder / _file(kind)} is not current\n")
    return 1 if old else 0


def _file(kind: str) -> str:
    return f"{kind}.schema.json"


def _current(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
