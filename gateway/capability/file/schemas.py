"""The JSON Schemas inside a capability file: `args` and `output`, draft 2020-12.

The rule: what a schema says is closed and local. An unknown keyword is refused, as a misspelled one
would silently allow everything; nothing outside the file is ever referred to (T5).
"""

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

from gateway.capability.file.problem import MOST, Path, Problem
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
BYTES = "a file comes as {type: string, contentEncoding: base64}"
INFORMING = (  # formats that say something to a reader and are never enforced
    *("duration", "hostname", "idn-email", "idn-hostname", "iri", "iri-reference", "json-pointer"),
    *("regex", "relative-json-pointer", "time", "uri-reference", "uri-template"),
)
MOST_INVALID = 10
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
    """What is wrong with `args`, little more than `MOST`; paths start at an argument's name."""
    root = input_schema(args)
    walks = (
        found.below(name)
        for name, schema in args.items()
        for found in _walk(schema, root, named=True)
    )
    found = list(islice(walks, MOST + 1)) or list(dict.fromkeys(_invalid(root)))
    if found:
        return found
    return list(islice(chain.from_iterable(map(_misfit, args, args.values())), MOST + 1))


def output_schema(schema: Schema) -> dict[str, Any]:
    """The `outputSchema` of a tool: `required: true` moved into lists, as in `args`."""
    plain: dict[str, Any] = _plain(dict(schema))
    return plain


def output_problems(schema: Schema) -> list[Problem]:
    """What is wrong with `output`, little more than `MOST`."""
    root = output_schema(schema)
    found = list(islice(_walk(schema, root, named=False), MOST + 1))
    error = None if found else _build(root)
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


def _walk(schema: Any, root: Schema, *, named: bool) -> Iterator[Problem]:
    """What the meta-schema cannot say: unknown keywords, references, `required` in its two forms.

    `root` is what `#` refers to. `named`: the schema stands under a property's name, where
    `required: true` may stand beside it.
    """
    if not isinstance(schema, dict):
        return
    for key, value in schema.items():
        if key not in KEYWORDS and not key.startswith("x-"):
            yield _unknown(key)
        elif key == "$ref":
            yield from _reference(value, root)
        elif key == "required":
            yield from _required(value, named=named)
        elif key == "type":
            yield from _types(value)
        else:
            yield from _below(key, value, root)


def _below(key: str, value: Any, root: Schema) -> Iterator[Problem]:
    inner: list[tuple[Path, Any]] = []
    if key in ONE:
        inner = [((key,), value)]
    elif key in SEVERAL and isinstance(value, list):
        inner = [((key, index), item) for index, item in enumerate(value)]
    elif key in NAMED and isinstance(value, dict):
        inner = [((key, name), item) for name, item in value.items()]
    for path, schema in inner:
        for found in _walk(schema, root, named=key == "properties"):
            yield found.below(*path)


def _reference(value: Any, root: Schema) -> Iterator[Problem]:
    if not (isinstance(value, str) and value.startswith("#")):
        message = "a reference that leads out of the file"
        yield Problem(("$ref",), message, "write the schema here")
    elif not _leads_somewhere(value, root):
        hint = "such as #/properties/NAME, with the name of an argument"
        yield Problem(("$ref",), f"the reference {value[:60]!r} leads nowhere", hint)


def _leads_somewhere(reference: str, root: Any) -> bool:
    """Whether a JSON pointer, as a fragment (RFC 6901 §6), names a part of `root`."""
    start, *steps = unquote(reference).split("/")
    for step in steps:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(root, list) and key.isdecimal() and int(key) < len(root):
            root = root[int(key)]
        elif isinstance(root, dict) and key in root:
            root = root[key]
        else:
            return False
    return start == "#"


def _required(value: Any, *, named: bool) -> Iterator[Problem]:
    if isinstance(value, list) or (named and isinstance(value, bool)):
        return
    if isinstance(value, bool):
        message = "'required: true' stands beside a property; nothing here has a name"
        yield Problem(("required",), message, "here it is a list of the names below 'properties'")
    else:
        hint = "write true" if value in ("yes", "on", "True", "TRUE", 1) else None
        yield Problem(("required",), "'required' is true, false or a list of property names", hint)


def _types(value: Any) -> Iterator[Problem]:
    for name in value if isinstance(value, list) else [value]:
        if name is None:
            yield Problem(("type",), "null is no type", 'quote it: "null"')
        elif name not in TYPES:
            hint = did_you_mean(str(name), TYPES) or f"one of {', '.join(TYPES)}"
            hint = BYTES if name in ("file", "binary", "bytes") else hint
            yield Problem(("type",), f"{str(name)[:40]!r} is no JSON Schema type", hint)


def _unknown(key: str) -> Problem:
    hint = ELSEWHERE.get(key) or did_you_mean(key, KEYWORDS)
    return Problem((key,), f"unknown JSON Schema keyword {key!r}", hint)


def _invalid(root: dict[str, Any]) -> Iterator[Problem]:
    """What the meta-schema says: one problem of each argument, of `MOST_INVALID` of them."""
    properties = dict(root["properties"])
    for _ in range(MOST_INVALID):
        error = _build({**root, "properties": properties})
        if error is None:
            return
        yield _problem(error, 1)
        properties |= {str(name): {} for name in error.instance_path[1:2]}


def _misfit(name: str, schema: Schema) -> Iterator[Problem]:
    """A default that its own schema refuses would be sent without anybody having checked it."""
    if "default" not in schema or "$ref" in str(schema):
        return
    errors = validator(_plain(dict(schema)), formats=True).iter_errors(schema["default"])
    for error in islice(errors, 1):
        yield Problem((name, "default"), f"the default does not fit: {error.message}")


def _problem(error: jsonschema_rs.ValidationError, skip: int) -> Problem:
    """`skip` steps of the path are not the author's."""
    path = tuple(error.instance_path)[skip:]
    about = f"{path[-1]!r}: " if path else ""
    hint = REMEDIES.get(str(path[-1])) if path else None
    return Problem(path, f"not valid JSON Schema: {about}{error.message}", hint)


def _build(schema: dict[str, Any]) -> jsonschema_rs.ValidationError | None:
    try:
        validator(schema)
    except jsonschema_rs.ValidationError as error:
        return error
    return None


def validator(
    schema: dict[str, Any], *, formats: bool = False
) -> jsonschema_rs.Draft202012Validator:
    """Linear in time, closed to the outside (T5, T10). Raises jsonschema_rs.ValidationError.

    `formats` are what callers must keep to (§3.1); in an API's answer they only inform.
    """
    return jsonschema_rs.Draft202012Validator(
        schema,
        validate_formats=formats,
        formats=dict.fromkeys(INFORMING, _any_text),
        retriever=_refuse,
        pattern_options=jsonschema_rs.RegexOptions(),
    )


def _any_text(_: str) -> bool:
    return True


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri!r} is not part of this file")
