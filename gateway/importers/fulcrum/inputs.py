"""`schema.input` of a fulcrum file → `args:`, of what the request uses."""

from collections.abc import Mapping
from typing import Any

from gateway.capability.file.schemas import validator
from gateway.importers.fulcrum.document import CONFIG, Document, Path, Unconvertible
from gateway.importers.fulcrum.making import Making

PROPERTIES: Path = ("schema", "input", "properties")
_READ = frozenset({"type", "properties", "required", "description", "title", "$schema"})


def declared(document: Document) -> Mapping[str, Any]:
    """Name → JSON Schema. Raises Unconvertible when the input is no object."""
    schema = document.mapping("schema", "input")
    if schema.get("type", "object") != "object":
        raise Unconvertible(("schema", "input"), "the input of a tool is an object")
    for key in schema.keys() - _READ:
        if key != "additionalProperties":
            document.note(("schema", "input", key), f"{key!r} of the whole input is not checked")
    return document.mapping(*PROPERTIES)


def arguments(making: Making, path: str, *, every: bool) -> None:
    """Writes `args`. `path` is the tool's, whose arguments must be there; `every`: all are sent."""
    document, words = making.document, making.words
    names = [name for name in words.inputs if every or name in words.used]
    required = {str(name) for name in document.items("schema", "input", "required")}
    args = {name: _argument(making, name, name in required) for name in names}
    for name, schema in args.items():
        if f"args.{name} " in path and not (schema.get("required") or "default" in schema):
            schema["required"] = True
            at = (*PROPERTIES, name)
            document.note(at, f"{name} stands in the path: it is required now")
    if args:
        making.put("args", args, PROPERTIES)
    left = [name for name in words.inputs if name not in args]
    if left:
        text = f"sent nowhere, and so no arguments: {', '.join(left)}"
        document.note((*PROPERTIES, left[0]), text)
    for name in required - words.inputs.keys():
        document.note(("schema", "input", "required"), f"{name} is required but not declared")


def _argument(making: Making, name: str, required: bool) -> dict[str, Any]:  # noqa: FBT001  of a schema
    document = making.document
    at: Path = (*PROPERTIES, name)
    making.came(("args", name), at)
    given = making.words.inputs[name]
    schema = dict(given) if isinstance(given, dict) else {}
    if not isinstance(given, dict):
        document.note(at, f"the schema of {name} is no mapping: anything may be given")
    if isinstance(schema.get("required"), bool):
        required = required or schema.pop("required")
    static = document.mapping(*CONFIG, "static_params")
    if name in static and not required:
        schema["default"] = _fitting(schema, static[name])
    if schema.get("default") == "":
        del schema["default"]  # that gateway sends neither defaults nor empty texts
    if "default" in schema and not _fits(schema, schema["default"]):
        schema["default"] = _fitting(schema, schema["default"])
        if not _fits(schema, schema["default"]):
            document.note((*at, "default"), f"the default of {name} does not fit its own schema")
            del schema["default"]
    if required:
        schema["required"] = True
    return schema


def _fitting(schema: Mapping[str, Any], value: Any) -> Any:
    """A text where the schema wants a number, as that number."""
    if not isinstance(value, str) or _fits(schema, value):
        return value
    for read in (int, float):
        try:
            found = read(value)
        except ValueError:
            continue
        if _fits(schema, found):
            return found
    return {"true": True, "false": False}.get(value, value)


def _fits(schema: Mapping[str, Any], value: Any) -> bool:
    """True too where the schema itself is wrong, which the loader says better."""
    plain = {key: each for key, each in schema.items() if key not in ("required", "default")}
    try:
        return validator(plain).is_valid(value)
    except ValueError:
        return True
