"""A caller's arguments, checked and completed against the tool's `inputSchema` (§3.1).

In this order: nulls that the schema does not allow go, the rest is validated; if that fails, texts
are read as JSON where the schema wants something else, and all is validated again; then defaults
are filled in. A valid call costs a microsecond; patterns run in linear time (T10).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import jsonschema_rs
import msgspec

from gateway.capability.expressions.language import Expression, Position
from gateway.capability.expressions.place import Place
from gateway.capability.expressions.template import Template, compile_expression
from gateway.capability.expressions.values import Absent, Refused, TemplateError
from gateway.capability.file.model import Constraint
from gateway.capability.file.schemas import validator
from gateway.capability.sending.argument_words import expected_types, words
from gateway.domain.signature import takes
from gateway.domain.tool import JsonObject

MOST_ERRORS = 200  # looked at of one call's
LARGEST_TOLD = 16 * 1024  # bytes of arguments of which all errors are found: 7 µs each, at once
MOST_ROUNDS = 20  # of mending

_JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "null": type(None),
    "number": (int, float),
    "object": dict,
}

Rule = tuple[Expression, Template]


class Arguments:
    """`prepare` gives what the request template reads; `rules` are the file's `constraints`."""

    def __init__(self, schema: JsonObject, rules: Sequence[Rule] = ()) -> None:
        properties = schema.get("properties") or {}
        self._schema = schema
        self._validator = validator(dict(schema), formats=True)
        self._rules = rules
        self._not_null = frozenset(self._names_without_null(properties))
        self._integers = tuple(name for name, each in properties.items() if _is_integer(each))
        self._complete = _completer(schema)

    def prepare(self, given: JsonObject) -> dict[str, Any]:
        """Raises Refused, whose message names every wrong argument (at most five)."""
        values = dict(given)
        if None in values.values():
            self._drop_nulls(values)
        try:
            if not self._validator.is_valid(values):
                values = self._healed(values)
        except ValueError:  # a lone surrogate, or what JSON does not have
            raise Refused("the arguments are not valid JSON", "args") from None
        if self._integers:
            self._make_whole(values)
        if self._complete is not None:
            values = self._complete(values)
        for check, message in self._rules:
            _hold(check, message, values)
        return values

    def _drop_nulls(self, values: dict[str, Any]) -> None:
        for name in [name for name, value in values.items() if value is None]:
            if name in self._not_null:
                del values[name]

    def _make_whole(self, values: dict[str, Any]) -> None:
        """To JSON Schema 5.0 is an integer; to most servers `?page=5.0` is not."""
        for name in self._integers:
            value = values.get(name)
            if type(value) is float:
                values[name] = int(value)

    def _healed(self, values: dict[str, Any]) -> dict[str, Any]:
        encoded = msgspec.json.encode(values)
        healed: dict[str, Any] = msgspec.json.decode(encoded)  # ours to mend
        find = self._errors if len(encoded) <= LARGEST_TOLD else self._first_error
        errors = find(healed)
        for _ in range(MOST_ROUNDS):
            if not sum(_heal(healed, error) for error in errors):
                break
            errors = find(healed)
            if not errors:
                return healed
        raise Refused(words(errors, self._schema), "args", takes(self._schema))

    def _errors(self, values: JsonObject) -> list[jsonschema_rs.ValidationError]:
        return list(islice(self._validator.iter_errors(values), MOST_ERRORS))

    def _first_error(self, values: JsonObject) -> list[jsonschema_rs.ValidationError]:
        try:
            self._validator.validate(values)
        except jsonschema_rs.ValidationError as error:
            return [error]
        return []

    def _names_without_null(self, properties: JsonObject) -> Iterator[str]:
        for name, schema in properties.items():
            kind = schema.get("type") if isinstance(schema, Mapping) else None
            if isinstance(kind, str) and kind != "null":
                yield name  # as nearly all are; the others cost 30 µs each
            elif any(error.instance_path[:1] == [name] for error in self._errors({name: None})):
                yield name


def compile_arguments(schema: JsonObject, rules: Sequence[Rule] = ()) -> Arguments:
    """Raises ValueError when `schema` is no JSON Schema, or refers to anything outside it (T5)."""
    return Arguments(schema, rules)


def compile_constraints(constraints: Sequence[Constraint], place: Place) -> list[Rule]:
    """Faults are reported to `place`."""
    rules: list[Rule] = []
    for index, each in enumerate(constraints):
        at = place.at(index)
        message = at.at("message").template(each.message, Position.MESSAGE)
        try:
            check = compile_expression(each.check, names=place.names)
        except TemplateError as error:
            at.at("check").fault(str(error), error.hint)
            continue
        place.reads.update(check.reads)
        rules.append((check, message))
    return rules


def _hold(check: Expression, message: Template, values: JsonObject) -> None:
    scope = {"args": values}
    if not check.holds(scope):
        text = message.text(scope)
        raise Refused("a rule is broken" if isinstance(text, Absent) else text, "args")


def _heal(values: Any, error: jsonschema_rs.ValidationError) -> bool:
    """Mend one error in place: a text that is the JSON of what was wanted, a null nobody wants."""
    path = error.instance_path
    try:
        for step in path[:-1]:
            values = values[step]
        last = path[-1]
        found = values[last]
    except (LookupError, TypeError):
        return False  # about the whole, or an earlier mending has changed the place
    if found is None and isinstance(values, dict):
        del values[last]
        return True
    wanted = expected_types(error)
    if not isinstance(found, str) or not wanted:
        return False
    try:
        read = msgspec.json.decode(found)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return False
    if not any(_is_a(read, name) for name in wanted):
        return False
    values[last] = read
    return True


def _is_a(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _JSON_TYPES.get(name, ()))


def _is_integer(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") in ("integer", ["integer", "null"])


Complete = Callable[[dict[str, Any]], dict[str, Any]]


def _completer(schema: Any) -> Complete | None:
    """Fills in the defaults of an object and of the objects in it; None when there are none.

    An object that was not given is not made up for the defaults inside it.
    """
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping):
        return None
    named = [(name, each) for name, each in properties.items() if isinstance(each, Mapping)]
    defaults = {name: each["default"] for name, each in named if "default" in each}
    inner = [(name, found) for name, each in named if (found := _completer(each))]
    if not defaults and not inner:
        return None

    def complete(values: dict[str, Any]) -> dict[str, Any]:
        completed = dict(values)
        for name, default in defaults.items():
            completed.setdefault(name, default)
        for name, nested in inner:
            if isinstance(completed.get(name), dict):
                completed[name] = nested(completed[name])
        return completed

    return complete
