"""The parts of a foreign schema that stand alone: types, values, bounds, patterns.

The rule: what is not what it should be is not there.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jsonschema_rs

from gateway.capability.file.schemas import TYPES, output_schema, validator

LARGEST_NUMBER = 10**280
LARGEST_ENUM = 3_000  # bytes, about
MOST_TEXT = 2000  # characters of a pattern, or of one value of an enum

_LIKE = {  # types that documents invent, and what is meant
    **dict.fromkeys(("int", "int32", "int64", "long"), "integer"),
    **dict.fromkeys(("float", "double", "decimal", "currency"), "number"),
    **dict.fromkeys(("bool", "Boolean"), "boolean"),
    **dict.fromkeys(("file", "date", "datetime", "date-time", "text", "uuid", "String"), "string"),
    **dict.fromkeys(("map", "hash", "dict", "json"), "object"),
    **dict.fromkeys(("list",), "array"),
}


def required_names(seen: Mapping[str, Any]) -> list[str]:
    given = seen.get("required")
    names = given if isinstance(given, list) else []
    return list(dict.fromkeys(name for name in names if isinstance(name, str)))


def kinds_of(seen: Mapping[str, Any]) -> list[str]:
    given = seen.get("type")
    listed = given if isinstance(given, list) else [given]
    kinds = [_LIKE.get(each, each) for each in listed if isinstance(each, str)]
    kinds = [each for each in dict.fromkeys(kinds) if each in TYPES]
    if not kinds:
        if isinstance(seen.get("properties"), Mapping):
            return ["object"]
        if "items" in seen:
            return ["array"]
    return kinds


def take_values(seen: Mapping[str, Any], found: dict[str, Any]) -> None:
    given = seen.get("enum")
    if "const" in seen and _is_small(seen["const"]):
        found["const"] = seen["const"]
    if not isinstance(given, list) or not given:
        return
    as_text = found.get("type") == "string"
    values: list[Any] = []
    if sum(len(str(each)) + 4 for each in given) > LARGEST_ENUM:
        return
    for each in given:
        value = _text_of(each) if as_text and each is not None else each
        if value not in values and _is_small(value):
            values.append(value)
    if as_text:
        values = [value for value in values if value is not None]
    if values and all(_fits_type(found.get("type"), value) for value in values):
        found["enum"] = values


def _text_of(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def _is_small(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= MOST_TEXT
    return not isinstance(value, (dict, list)) and is_writable(value)


def is_writable(value: Any) -> bool:
    """Whether a file of ours can hold it: a number may have 300 digits and more in JSON."""
    if isinstance(value, dict):
        return all(map(is_writable, value.values()))
    if isinstance(value, list):
        return all(map(is_writable, value))
    if isinstance(value, (int, float)):
        return -LARGEST_NUMBER < value < LARGEST_NUMBER
    return value is None or isinstance(value, str)


def _fits_type(kind: Any, value: Any) -> bool:
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return kind not in ("array", "object")


def take_bounds(seen: Mapping[str, Any], found: dict[str, Any]) -> None:
    for key, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        bound, strict = _number(seen.get(key)), seen.get(exclusive)
        if bound is not None:
            found[exclusive if strict is True else key] = bound
        if not isinstance(strict, bool) and _number(strict) is not None:
            found[exclusive] = _number(strict)
    step = _number(seen.get("multipleOf"))
    if step is not None and step > 0:
        found["multipleOf"] = step


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value) if not value.lstrip("-").isdecimal() else int(value)
        except ValueError:
            return None
    usable = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if usable and is_writable(value) else None


def whole_number(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number == int(number) else None


def allow_null(seen: Mapping[str, Any], found: dict[str, Any]) -> None:
    if seen.get("nullable") is not True and seen.get("x-nullable") is not True:
        return
    kind = found.get("type")
    if isinstance(kind, str) and kind != "null":
        found["type"] = [kind, "null"]
    elif isinstance(kind, list) and "null" not in kind:
        found["type"] = [*kind, "null"]
    if "enum" in found and None not in found["enum"]:
        found["enum"] = [*found["enum"], None]
    if "anyOf" in found:
        found["anyOf"] = [*found["anyOf"], {"type": "null"}]


@lru_cache(maxsize=4096)
def is_pattern(pattern: str) -> bool:
    """Whether it runs in linear time, as all of ours do (T10)."""
    if len(pattern) > MOST_TEXT:
        return False
    try:
        validator({"type": "object", "properties": {"x": {"pattern": pattern}}})
    except (jsonschema_rs.ValidationError, ValueError):
        return False
    return True


def accepts(schema: dict[str, Any], value: Any) -> bool:
    """Whether a value fits, as a caller's would have to."""
    try:
        return validator(output_schema(schema), formats=True).is_valid(value)
    except (jsonschema_rs.ValidationError, ValueError):
        return False


def outline(choice: Mapping[str, Any]) -> tuple[Any, ...]:
    """What sets an object apart from others: what it must hold, which values, what it may hold at
    most. Of two with one outline, what meets one may always meet the other.
    """
    members: Mapping[str, Any] = choice["properties"]
    must = frozenset(name for name, each in members.items() if each.get("required") is True)
    values = frozenset(
        (name, repr(each.get("enum", each.get("const"))))
        for name, each in members.items()
        if each.keys() & {"enum", "const"}
    )
    most = frozenset(members) if choice.get("additionalProperties") is False else None
    return choice.get("type"), must, values, most
