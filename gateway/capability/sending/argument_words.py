"""What is wrong with arguments, in words a model can act on; long values are never said back."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import jsonschema_rs

from gateway.domain.names import did_you_mean
from gateway.domain.text import shown
from gateway.domain.tool import JsonObject

MOST_TOLD = 5
MOST_OPTIONS = 10
LONGEST_VALUE = 40  # characters
LONGEST_PLACE = 120

Kind = jsonschema_rs.ValidationErrorKind
Error = jsonschema_rs.ValidationError

_ARTICLES = {"array": "a list", "integer": "a whole number", "null": "null", "object": "an object"}
_FORMATS = {
    "date": "a date such as 2026-11-21",
    "date-time": "a date and time such as 2026-11-21T10:00:00Z",
    "email": "an e-mail address",
    "uri": "an address such as https://example.com/x",
    "uuid": "a UUID",
}


def words(errors: Sequence[Error], schema: JsonObject) -> str:
    """The first error of each argument, at most `MOST_TOLD` of them."""
    said: dict[str, str] = {}
    for error in errors:
        for place, text in _said(error, schema):
            said.setdefault(place, text)
    told = list(said.values())
    more = len(told) - MOST_TOLD
    return "; ".join(told[:MOST_TOLD]) + (f"; and {more} more" if more > 0 else "")


def expected_types(error: Error) -> tuple[str, ...]:
    """The JSON types that were wanted where `error` is; none when its type is not what is wrong."""
    match error.kind:
        case Kind.Type(types=types):
            return tuple(sorted(types, key="null".__eq__))
        case Kind.AnyOf(context=context) | Kind.OneOfNotValid(context=context):
            return tuple(
                name
                for branch in context
                for inner in branch
                if inner.instance_path == error.instance_path
                for name in expected_types(inner)
            )
    return ()


def _said(error: Error, schema: JsonObject) -> Iterable[tuple[str, str]]:
    """Place and words; an error about names is one for each name."""
    place = _dotted(error.instance_path)
    match error.kind:
        case Kind.Required(property=name):
            missing = _joined(place, name)
            return [(missing, f"{_shown_place(missing)} is required")]
        case (
            Kind.AdditionalProperties(unexpected=names)
            | Kind.UnevaluatedProperties(unexpected=names)
        ):
            known = schema.get("properties") or {} if not place else {}
            return [(_joined(place, name), _unknown(place, name, known)) for name in names]
    return [(place, f"{_shown_place(place) or 'the arguments'} {_wanted(error)}")]


def _wanted(error: Error) -> str:
    types = expected_types(error)
    if types:
        wanted = " or ".join(dict.fromkeys(_ARTICLES.get(name, f"a {name}") for name in types))
        return f"must be {wanted}{_got(error)}"
    made = _WORDS.get(error.kind.name)
    return f"{made(error.kind.value) if made else 'does not fit its schema'}{_got(error)}"


_WORDS: dict[str, Callable[[Any], str]] = {
    "const": lambda value: f"must be {_json(value)}",
    "enum": lambda value: f"must be one of {_options(value)}",
    "exclusiveMaximum": lambda value: f"must be less than {value}",
    "exclusiveMinimum": lambda value: f"must be more than {value}",
    "falseSchema": lambda _: "must not be given",
    "format": lambda value: f"must be {_FORMATS.get(value, f'of the format {value}')}",
    "maximum": lambda value: f"must be at most {value}",
    "maxItems": lambda value: f"must have at most {value} items",
    "maxLength": lambda value: f"must have at most {value} characters",
    "maxProperties": lambda value: f"must have at most {value} members",
    "minimum": lambda value: f"must be at least {value}",
    "minItems": lambda value: f"must have at least {value} items",
    "minLength": lambda value: f"must have at least {value} characters",
    "minProperties": lambda value: f"must have at least {value} members",
    "multipleOf": lambda value: f"must be a multiple of {value}",
    "pattern": lambda value: f"must match the pattern {_json(value)}",
    "uniqueItems": lambda _: "must not have an item twice",
}


def _options(options: Sequence[Any]) -> str:
    told = ", ".join(_json(option) for option in options[:MOST_OPTIONS])
    more = len(options) - MOST_OPTIONS
    return f"{told} and {more} more" if more > 0 else told


def _got(error: Error) -> str:
    """The value, when it is short enough to say back."""
    value = error.instance
    if isinstance(value, (dict, list)):
        return ""
    text = _json(value)
    return f", not {text}" if len(text) <= LONGEST_VALUE and text.isprintable() else ""


def _unknown(place: str, name: str, known: Mapping[str, Any]) -> str:
    near = did_you_mean(name, known)  # names of the schema, thus the author's
    what = f"{_shown_place(place)} has no" if place else "no argument"
    return f"{what} {shown(name)} ({near})" if near else f"{what} {shown(name)}"


def _json(value: Any) -> str:
    """Escaped beyond ASCII: what a caller sent may hold anything."""
    text = json.dumps(value)
    return text if len(text) <= 2 * LONGEST_VALUE else f"{text[: 2 * LONGEST_VALUE]}…"


def _dotted(path: Iterable[str | int]) -> str:
    """`filter.tags[2]`."""
    place = ""
    for step in path:
        place = f"{place}[{step}]" if isinstance(step, int) else _joined(place, step)
    return place


def _joined(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _shown_place(place: str) -> str:
    """A place may hold names that the caller chose."""
    tame = len(place) <= LONGEST_PLACE and place.isascii() and place.isprintable()
    return place if tame else shown(place)
