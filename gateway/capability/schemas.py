"""The JSON Schemas inside a capability file: `args` and `output`, draft 2020-12.

The rule: what a schema says is closed and local. An unknown keyword is refused, as a misspelled one
would silently allow everything; nothing outside the file is ever referred to (T5).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs

from gateway.capability.problem import Path, Problem
from gateway.domain.names import did_you_mean

Schema = Mapping[str, Any]

ONE = (
    *("additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "then"),
    *("propertyNames", "unevaluatedItems", "unevaluatedProperties"),
)
NAMED = ("$defs", "dependentSchemas", "patternProperties", "properties")
SEVERAL = ("allOf", "anyOf", "oneOf", "prefixItems")
PLAIN = (
    *("$comment", "$ref", "const", "contentEncoding", "contentMediaType", "default"),
    *("dependentRequired", "deprecated", "description", "enum", "examples", "exclusiveMaximum"),
    *("exclusiveMinimum", "format", "maxContains", "maximum", "maxItems", "maxLength"),
    *("maxProperties", "minContains", "minimum", "minItems", "minLength", "minProperties"),
    *("multipleOf", "pattern", "readOnly", "required", "title", "type", "uniqueItems", "writeOnly"),
)
KEYWORDS = frozenset((*ONE, *NAMED, *SEVERAL, *PLAIN))
TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
ELSEWHERE = {  # what authors bring along from OpenAPI, and how it is said here
    "nullable": 'such as type: [string, "null"]',
    "example": "examples: […], a list",
    "optional": "arguments are optional unless required: true",
}
REMEDIES = {  # keyword → what it wants
    "pattern": "a regular expression without look-around and back-references",
    "required": "a list of the names below 'properties'",
}


def input_schema(args: Mapping[str, Schema]) -> dict[str, Any]:
    """The `inputSchema` of a tool. Each `required: true` moves into the list of the level above."""
    schema: dict[str, Any] = {"type": "object", **_properties(args, ())}
    schema["additionalProperties"] = False
    return schema


def argument_problems(args: Mapping[str, Schema]) -> list[Problem]:
    """All that is wrong with `args`; paths start at an argument's name."""
    found: list[Problem] = []
    for name, schema in args.items():
        found += [item.below(name) for item in _walk(schema, named=True)]
    if not found and _build(input_schema(args)) is not None:
        for name in args:
            found += _invalid(name, args)
    if not found:
        for name, schema in args.items():
            found += _misfit(name, schema)
    return found


def output_schema(schema: Schema) -> dict[str, Any]:
    """The `outputSchema` of a tool: `required: true` moved into lists, as in `args`."""
    plain: dict[str, Any] = _plain(dict(schema))
    return plain


def output_problems(schema: Schema) -> list[Problem]:
    """All that is wrong with `output`."""
    found = list(_walk(schema, named=False))
    error = None if found else _build(output_schema(schema))
    return found if error is None else [_problem(error, 0)]


def _plain(schema: Any) -> Any:
    """A schema with the `required: true` of its properties moved into its own list."""
    if not isinstance(schema, dict):
        return schema
    plain: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "required" and isinstance(value, bool):
            continue
        if key in ONE:
            plain[key] = _plain(value)
        elif key in SEVERAL and isinstance(value, list):
            plain[key] = [_plain(item) for item in value]
        elif key in NAMED and isinstance(value, dict):
            plain[key] = {name: _plain(item) for name, item in value.items()}
        else:
            plain[key] = value
    if isinstance(schema.get("properties"), dict):
        listed = plain.get("required")
        plain |= _properties(schema["properties"], listed if isinstance(listed, list) else ())
    return plain


def _properties(properties: Mapping[str, Any], listed: Any) -> dict[str, Any]:
    marked = [
        name
        for name, schema in properties.items()
        if isinstance(schema, dict) and schema.get("required") is True and name not in listed
    ]
    plain = {name: _plain(schema) for name, schema in properties.items()}
    if not marked and not listed:
        return {"properties": plain}
    return {"properties": plain, "required": [*listed, *marked]}


def _walk(schema: Any, *, named: bool) -> Iterator[Problem]:
    """What the meta-schema cannot say: unknown keywords, references, `required` in its two forms.

    `named`: the schema stands under a property's name, where `required: true` may stand beside it.
    """
    if not isinstance(schema, dict):
        return
    for key, value in schema.items():
        if key not in KEYWORDS and not key.startswith("x-"):
            yield _unknown(key)
        elif key == "$ref" and not (isinstance(value, str) and value.startswith("#")):
            yield Problem((key,), "a reference that leads out of the file", "write the schema here")
        elif key == "required":
            yield from _required(value, named=named)
        elif key == "type":
            yield from _types(value)
        else:
            yield from _below(key, value)


def _below(key: str, value: Any) -> Iterator[Problem]:
    inner: list[tuple[Path, Any]] = []
    if key in ONE:
        inner = [((key,), value)]
    elif key in SEVERAL and isinstance(value, list):
        inner = [((key, index), item) for index, item in enumerate(value)]
    elif key in NAMED and isinstance(value, dict):
        inner = [((key, name), item) for name, item in value.items()]
    for path, schema in inner:
        for found in _walk(schema, named=key == "properties"):
            yield found.below(*path)


def _required(value: Any, *, named: bool) -> Iterator[Problem]:
    if isinstance(value, list) or (named and isinstance(value, bool)):
        return
    if isinstance(value, bool):
        message = "'required: true' stands beside a property; nothing here has a name"
        yield Problem(("required",), message, "here it is a list of the names below 'properties'")
    else:
        yield Problem(("required",), "'required' is true, false or a list of property names")


def _types(value: Any) -> Iterator[Problem]:
    for name in value if isinstance(value, list) else [value]:
        if name is None:
            yield Problem(("type",), "null is no type", 'quote it: "null"')
        elif name not in TYPES:
            hint = did_you_mean(str(name), TYPES) or f"one of {', '.join(TYPES)}"
            yield Problem(("type",), f"{str(name)[:40]!r} is no JSON Schema type", hint)


def _unknown(key: str) -> Problem:
    hint = ELSEWHERE.get(key) or did_you_mean(key, KEYWORDS)
    return Problem((key,), f"unknown JSON Schema keyword {key!r}", hint)


def _invalid(name: str, args: Mapping[str, Schema]) -> list[Problem]:
    """What the meta-schema says of one argument; the others stay: references may lead there."""
    others: dict[str, Schema] = {other: {} for other in args if other != name}
    error = _build(input_schema({name: args[name], **others}))
    return [] if error is None else [_problem(error, 1, name)]


def _misfit(name: str, schema: Schema) -> list[Problem]:
    """A default that its own schema refuses would be sent without anybody having checked it."""
    if "default" not in schema or "$ref" in str(schema):
        return []
    for error in validator(_plain(dict(schema))).iter_errors(schema["default"]):
        return [Problem((name, "default"), f"the default does not fit: {error.message}")]
    return []


def _problem(error: jsonschema_rs.ValidationError, skip: int, *unless: str) -> Problem:
    """`skip` steps of the path are not the author's; `unless` is the place when none is left."""
    path = tuple(error.instance_path)[skip:] or unless
    about = f"{path[-1]!r}: " if path else ""
    hint = REMEDIES.get(str(path[-1])) if path else None
    return Problem(path, f"not valid JSON Schema: {about}{error.message}", hint)


def _build(schema: dict[str, Any]) -> jsonschema_rs.ValidationError | None:
    try:
        validator(schema)
    except jsonschema_rs.ValidationError as error:
        return error
    return None


def validator(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """Linear in time, closed to the outside (T5, T10). Raises jsonschema_rs.ValidationError."""
    return jsonschema_rs.Draft202012Validator(
        schema, retriever=_refuse, pattern_options=jsonschema_rs.RegexOptions()
    )


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri!r} is not part of this file")
