"""The JSON Schema of an argument's JSON Schema; a stock one would not know `required: true`."""

from typing import Any

from gateway.capability.file import schemas

Json = dict[str, Any]

_KINDS: tuple[tuple[Json, str], ...] = (  # what a keyword's value is, the keywords
    ({"type": "boolean"}, "deprecated readOnly uniqueItems writeOnly"),
    ({"type": "string"}, "$comment contentEncoding contentMediaType description format pattern"),
    ({"type": "string"}, "title"),
    ({"type": "string", "pattern": "^#"}, "$ref"),
    ({"type": "array"}, "enum examples"),
    ({"type": "number"}, "exclusiveMaximum exclusiveMinimum maximum minimum multipleOf"),
    ({"type": "integer", "minimum": 0}, "maxContains maxItems maxLength maxProperties"),
    ({"type": "integer", "minimum": 0}, "minContains minItems minLength minProperties"),
)
_TYPE = {"enum": list(schemas.TYPES)}
_SPECIAL: Json = {
    "type": {"anyOf": [_TYPE, {"type": "array", "items": _TYPE}]},
    "required": {
        "description": "true: the argument must be given. Or the names that an object must have.",
        "anyOf": [{"type": "boolean"}, {"type": "array", "items": {"type": "string"}}],
    },
}


def argument_schema() -> Json:
    """It refers to itself as `#/$defs/Schema`."""
    inner = {"anyOf": [{"$ref": "#/$defs/Schema"}, {"type": "boolean"}]}
    keywords: Json = {name: {} for name in schemas.PLAIN}
    for kind, names in _KINDS:
        keywords |= dict.fromkeys(names.split(), kind)
    keywords |= dict.fromkeys(schemas.ONE, inner)
    keywords |= {name: {"type": "array", "items": inner} for name in schemas.SEVERAL}
    keywords |= {name: {"type": "object", "additionalProperties": inner} for name in schemas.NAMED}
    return {
        "title": "Schema",
        "description": "JSON Schema, draft 2020-12; `required: true` can stand beside a property.",
        "type": "object",
        "properties": dict(sorted((keywords | _SPECIAL).items())),
        "additionalProperties": False,
        "patternProperties": {"^x-": {}},
    }
