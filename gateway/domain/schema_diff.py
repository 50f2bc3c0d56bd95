"""What one schema of arguments takes more, or less, than another, in words. Pure.

The rule: what takes more and what takes less is told only where that is certain; else it is
"changed".
"""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.domain.change import (
    MISSING,
    Change,
    Sort,
    at,
    canonical,
    in_json,
    members,
    reworded,
    same,
    word,
)
from gateway.domain.signature import kind
from gateway.domain.text import shown
from gateway.domain.tool import JsonObject

DEEPEST = 16  # schemas inside one another that are compared part by part
NAMED = 6  # choices of an enum
WORDS = frozenset(
    {"title", "description", "examples", "example", "$comment", "deprecated", "readOnly"}
    | {"writeOnly"}
)  # of a schema: they tell, and let nothing in or out
DATA = frozenset({"const", "default", "enum"})  # JSON values, no schemas
MAPS = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
LEAST = frozenset(
    {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"}
)
MOSTS = frozenset(
    {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"}
)
LIMITS = frozenset(
    {"pattern", "format", "multipleOf", "uniqueItems", "contentEncoding", "contentMediaType"}
)  # with one of them less is taken than without
INNER = {"items": "[]", "additionalProperties": ".*", "unevaluatedProperties": ".*"}
TYPES = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})


class Input:
    """Two input schemas, compared part by part."""

    def __init__(self, before: JsonObject, after: JsonObject) -> None:
        self._old = before.get("inputSchema", {})
        self._new = after.get("inputSchema", {})

    def changes(self) -> Iterator[Change]:
        return self._schemas(self._old, self._new, "", DEEPEST)

    def _schemas(self, old: Any, new: Any, place: str, depth: int) -> Iterator[Change]:
        """`place` is the path of the argument; empty for the arguments as a whole."""
        if same(old, new):
            return
        if same(bare(old), bare(new)):
            yield from _told(old, new, place)
            return
        objects = isinstance(old, Mapping) and isinstance(new, Mapping)
        if not objects or (place and (_anything(old) or _anything(new))):
            yield self._any_or_none(old, new, place)
            return
        if not depth:
            yield Change(Sort.CHANGED, f"{at(place)} changed")
            return
        yield from reworded(old, new, at(place))
        if "anyOf" in old or "anyOf" in new:
            yield self._either(old, new, place)
            yield from _default(old, new, place)
            return
        yield from self._choices(old, new, place)
        yield from self._properties(old, new, place, depth)
        for key in sorted((old.keys() | new.keys()) - WORDS - HANDLED):
            yield from self._keyword(key, old, new, place, depth)

    def _any_or_none(self, old: Any, new: Any, place: str) -> Change:
        where = at(place)
        if _anything(new) or old is False:
            return Change(Sort.WIDENED, f"{where} may be {_whatever(new)}")
        if _anything(old) or new is False:
            return Change(Sort.NARROWED, f"{where} may no longer be {_whatever(old)}")
        return Change(Sort.CHANGED, f"{where} changed")

    def _either(self, old: JsonObject, new: JsonObject, place: str) -> Change:
        before, after, where = _options(old), _options(new), at(place)
        if before is not None and after is not None:
            what = f"{_kind(old, self._old)} → {_kind(new, self._new)}"
            if before <= after:
                return Change(Sort.WIDENED, f"{where} may be more: {what}")
            if after <= before:
                return Change(Sort.NARROWED, f"{where} may be less: {what}")
        return Change(Sort.CHANGED, f"{where}: anyOf changed")

    def _choices(self, old: JsonObject, new: JsonObject, place: str) -> Iterator[Change]:
        before, after, where = _listed(old), _listed(new), at(place)
        if before == after:
            return
        if before is None or after is None:
            if before is None:
                yield Change(Sort.NARROWED, f"{where} may only be {_named(after or {})}")
            else:
                yield Change(Sort.WIDENED, f"{where} may be other than {_named(before)}")
            return
        more = {key: after[key] for key in after if key not in before}
        less = {key: before[key] for key in before if key not in after}
        if less:
            yield Change(Sort.NARROWED, f"{where} may no longer be {_named(less)}")
        if more:
            yield Change(Sort.WIDENED, f"{where} may be {_named(more)}")

    def _properties(
        self, old: JsonObject, new: JsonObject, place: str, depth: int
    ) -> Iterator[Change]:
        before, after = members(old, "properties"), members(new, "properties")
        had, has = _required(old), _required(new)
        for name in sorted(before.keys() | after.keys() | had | has):
            inner = f"{place}.{name}" if place else name
            where = at(inner)
            if name in after and name not in before:
                what = f"{where} ({_kind(after[name], self._new)})"
                sort = Sort.REQUIRED if name in has else Sort.WIDENED
                yield Change(sort, f"{'required' if name in has else 'optional'} {what}")
            elif name in before and name not in after:
                yield Change(Sort.REMOVED, f"{where} ({_kind(before[name], self._old)})")
            else:
                if (name in had) != (name in has):
                    yield _now_required(where) if name in has else _now_optional(where)
                yield from self._schemas(before.get(name), after.get(name), inner, depth - 1)

    def _keyword(
        self, key: str, old: JsonObject, new: JsonObject, place: str, depth: int
    ) -> Iterator[Change]:
        before, after, where = old.get(key, MISSING), new.get(key, MISSING), at(place)
        if same(before, after):
            return
        if key in INNER:
            was, now = (True if one is MISSING else one for one in (before, after))
            yield from self._schemas(was, now, f"{place}{INNER[key]}", depth - 1)
        elif key == "type":
            yield _typed(before, after, where)
        elif key in LEAST or key in MOSTS:
            yield _bound(key, before, after, where)
        elif key in LIMITS:
            yield _limit(key, before, after, where)
        elif key == "default":
            yield from _default(old, new, place)
        elif MISSING not in (before, after) and same(bare({key: before}), bare({key: after})):
            yield Change(Sort.WORDING, f"wording: {word(key)} of {where}")
        else:
            yield Change(Sort.CHANGED, f"{where}: {word(key)} changed")


HANDLED = frozenset({"properties", "required", "enum", "const"})


def _told(old: Any, new: Any, place: str) -> Iterator[Change]:
    """Two schemas that take the same, in other words."""
    if not isinstance(old, Mapping):
        yield Change(Sort.WORDING, f"wording: {at(place)}")
        return
    texts = list(reworded(old, new, at(place)))
    inner: dict[str, Any] = {}
    before, after = members(old, "properties"), members(new, "properties")
    for name in before.keys() & after.keys():
        if not same(before[name], after[name]) and isinstance(before[name], Mapping):
            inner[name] = list(_told(before[name], after[name], f"{place}.{name}".lstrip(".")))
    texts += [change for name in sorted(inner) for change in inner[name]]
    yield from texts or [Change(Sort.WORDING, f"wording: {at(place)}")]


def _now_required(where: str) -> Change:
    return Change(Sort.NARROWED, f"{where} has to be given now")


def _now_optional(where: str) -> Change:
    return Change(Sort.WIDENED, f"{where} need not be given")


def _typed(old: Any, new: Any, where: str) -> Change:
    before, after = _types(old), _types(new)
    text = f"{where}: {_type_words(old)} → {_type_words(new)}"
    if before is None or after is None:
        return Change(Sort.CHANGED, text)
    sort = Sort.WIDENED if before <= after else Sort.NARROWED if after <= before else Sort.CHANGED
    return Change(sort, text)


def _types(value: Any) -> frozenset[str] | None:
    """None where it is no type."""
    if value is MISSING:
        return TYPES
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        return None
    return frozenset(listed) | ({"integer"} if "number" in listed else set())


def _type_words(value: Any) -> str:
    if value is MISSING:
        return "any"
    words = [value] if isinstance(value, str) else value
    return "|".join(map(word, words)) if isinstance(words, list) else in_json(value)


def _bound(key: str, old: Any, new: Any, where: str) -> Change:
    text = f"{where}: {key} {in_json(old)} → {in_json(new)}"
    numbers = [one for one in (old, new) if type(one) in (int, float)]
    if old is MISSING and numbers:
        return Change(Sort.NARROWED, text)
    if new is MISSING and numbers:
        return Change(Sort.WIDENED, text)
    if len(numbers) != len((old, new)):
        return Change(Sort.CHANGED, text)
    wider = new < old if key in LEAST else new > old
    return Change(Sort.WIDENED if wider else Sort.NARROWED, text)


def _limit(key: str, old: Any, new: Any, where: str) -> Change:
    text = f"{where}: {key} {in_json(old)} → {in_json(new)}"
    if old is MISSING or old is False:
        return Change(Sort.NARROWED, text)
    if new is MISSING or new is False:
        return Change(Sort.WIDENED, text)
    return Change(Sort.CHANGED, text)


def _default(old: JsonObject, new: JsonObject, place: str) -> Iterator[Change]:
    before, after = old.get("default", MISSING), new.get("default", MISSING)
    if not same(before, after):
        text = f"{at(place)}: default {in_json(before)} → {in_json(after)}"
        yield Change(Sort.CHANGED, text)


def _anything(schema: Any) -> bool:
    return schema is True or (isinstance(schema, Mapping) and not bare(schema))


def _whatever(schema: Any) -> str:
    return "anything" if _anything(schema) else _kind(schema, {})


def _required(schema: JsonObject) -> set[str]:
    found = schema.get("required")
    return {one for one in found if isinstance(one, str)} if isinstance(found, list) else set()


def _listed(schema: JsonObject) -> dict[bytes, Any] | None:
    """The choices by their JSON; None where there are none."""
    choices = [schema["const"]] if "const" in schema else schema.get("enum")
    return {canonical(one): one for one in choices} if isinstance(choices, list) else None


def _named(choices: Mapping[bytes, Any]) -> str:
    values = [*choices.values()]
    more = f" or {len(values) - NAMED} more" if len(values) > NAMED else ""
    return f"{', '.join(map(in_json, values[:NAMED])) or 'nothing'}{more}"


def _options(schema: JsonObject) -> frozenset[bytes] | None:
    """What a value may be, each in canonical JSON; None where anyOf does not stand alone."""
    own: dict[str, Any] = {key: one for key, one in bare(schema).items() if key != "default"}
    if "anyOf" not in own:
        return frozenset({canonical(own)})
    options = own["anyOf"]
    if len(own) > 1 or not isinstance(options, list):
        return None
    return frozenset(map(canonical, options))


def bare(node: Any, *, named: bool = False) -> Any:
    """A schema without its words. `named`: its members are named by the author."""
    if isinstance(node, list):
        return [bare(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    if named:
        return {key: bare(value) for key, value in node.items()}
    return {
        key: value if key in DATA else bare(value, named=key in MAPS)
        for key, value in node.items()
        if key not in WORDS
    }


def _kind(schema: Any, root: JsonObject) -> str:
    text = kind(schema, root)
    return text if text.isascii() and text.isprintable() else shown(text)
