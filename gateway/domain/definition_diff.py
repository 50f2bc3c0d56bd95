"""How a tool's definition differs from what it was, in words for whoever has to agree to it. Pure.

The rule: what takes more and what takes less is told only where that is certain; else it is
"changed". Words of the server are named here, never repeated, but for names and plain values.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from gateway.domain.signature import kind
from gateway.domain.text import counted, shown
from gateway.domain.tool import JsonObject

MOST = 40  # changes of one tool that are told
FEW = 5  # that a summary tells
DEEPEST = 16  # schemas inside one another that are compared part by part
NAMED = 6  # choices of an enum
AROUND = 30  # characters before the first that differs

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
SAFER = {
    "readOnlyHint": True,
    "destructiveHint": False,
    "idempotentHint": True,
    "openWorldHint": False,
}  # what a host may let pass without asking anybody

_encode = msgspec.json.Encoder(order="sorted").encode
_missing = object()


class Sort(StrEnum):
    """The worst first."""

    LOUD = "loud"  # a hint by which hosts ask nobody is gone
    REQUIRED = "required"  # a new argument that has to be given
    REMOVED = "removed"  # an argument is there no more
    NARROWED = "narrowed"  # less is taken
    CHANGED = "changed"  # whether more or less is taken cannot be told
    WIDENED = "widened"  # more is taken
    OUTPUT = "output"
    ANNOTATIONS = "annotations"
    WORDING = "wording"  # texts alone
    NEW = "new"
    GONE = "gone"


MARKS = {
    Sort.LOUD: "!",
    Sort.REQUIRED: "+",
    Sort.REMOVED: "-",
    Sort.NARROWED: "-",
    Sort.WIDENED: "+",
    Sort.NEW: "+",
    Sort.GONE: "-",
}
RANK = {sort: rank for rank, sort in enumerate(Sort)}


@dataclass(frozen=True, slots=True)
class Change:
    """`was` and `now`: of texts, where they begin to differ, fit to be printed; empty for others.

    Models are not to read these two.
    """

    sort: Sort
    text: str
    was: str = ""
    now: str = ""

    def __str__(self) -> str:
        return f"{MARKS.get(self.sort, '~')} {self.text}"


NEW = Change(Sort.NEW, "new tool")
GONE = Change(Sort.GONE, "the tool is gone")


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no whitespace: equal bytes, equal values."""
    return _encode(value)


def difference(before: JsonObject, after: JsonObject) -> tuple[Change, ...]:
    """From one definition to another that is not equal to it; the worst first, and at least one."""
    found = [
        *_texts(before, after, ""),
        *_annotations(_object(before, "annotations"), _object(after, "annotations")),
        *_output(before.get("outputSchema"), after.get("outputSchema")),
        *_Input(before, after).changes(),
    ]
    found.sort(key=lambda change: RANK[change.sort])
    if not found:
        return (Change(Sort.CHANGED, "defined in another way"),)
    if len(found) > MOST:
        more = f"{len(found) - MOST} more changes"
        return (*found[:MOST], Change(found[MOST].sort, more))
    return tuple(found)


def summary(changes: Sequence[Change]) -> str:
    """The worst few, in a line that holds names and plain values of its server at most."""
    told = "; ".join(map(str, changes[:FEW]))
    more = len(changes) - FEW
    return f"{told}; {counted(more, 'more change')}" if more > 0 else told


def _same(one: Any, other: Any) -> bool:
    """As JSON has it: True is not 1."""
    if one is _missing or other is _missing:
        return one is other
    return canonical(one) == canonical(other)


def _object(tree: JsonObject, key: str) -> JsonObject:
    found = tree.get(key)
    return found if isinstance(found, Mapping) else {}


# -- texts, annotations, output ---------------------------------------------------------------


def _texts(before: JsonObject, after: JsonObject, place: str) -> Iterator[Change]:
    """Of a definition or a schema."""
    for key in ("title", "description"):
        old, new = before.get(key), after.get(key)
        if old != new:
            yield _wording(f"{key} of {place}" if place else key, old, new)


def _wording(what: str, old: Any, new: Any) -> Change:
    was, now = (one if isinstance(one, str) else "" for one in (old, new))
    pairs = zip(was, now, strict=False)
    same = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(was), len(now)))
    start = max(0, same - AROUND)
    return Change(Sort.WORDING, f"wording: {what}", _excerpt(was, start), _excerpt(now, start))


def _excerpt(text: str, start: int, longest: int = 160) -> str:
    part = text[start : start + longest]
    escaped = "".join(each if each.isprintable() else _escaped(each) for each in part)
    return f"{'…' if start else ''}{escaped}{'…' if start + longest < len(text) else ''}"


def _escaped(character: str) -> str:
    return ascii(character)[1:-1]


def _annotations(before: JsonObject, after: JsonObject) -> Iterator[Change]:
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key, _missing), after.get(key, _missing)
        if _same(old, new):
            continue
        if key == "title":
            yield _wording("title of the annotations", old, new)
            continue
        loud = key in SAFER and old is SAFER[key]
        text = f"{_name(key)}: {_value(old)} → {_value(new)}"
        yield Change(Sort.LOUD if loud else Sort.ANNOTATIONS, text)


def _output(old: Any, new: Any) -> Iterator[Change]:
    if _same(old, new):
        return
    if old is None or new is None:
        yield Change(Sort.OUTPUT, f"output: {'described now' if old is None else 'not described'}")
    elif _same(bare(old), bare(new)):
        yield Change(Sort.WORDING, "wording: output")
    else:
        yield Change(Sort.OUTPUT, "output: another schema")


# -- what is taken ----------------------------------------------------------------------------


class _Input:
    """Two input schemas, compared part by part."""

    def __init__(self, before: JsonObject, after: JsonObject) -> None:
        self._old = before.get("inputSchema", {})
        self._new = after.get("inputSchema", {})

    def changes(self) -> Iterator[Change]:
        return self._schemas(self._old, self._new, "", DEEPEST)

    def _schemas(self, old: Any, new: Any, place: str, depth: int) -> Iterator[Change]:
        """`place` is the path of the argument; empty for the arguments as a whole."""
        if _same(old, new):
            return
        if _same(bare(old), bare(new)):
            yield from _told(old, new, place)
            return
        plain = isinstance(old, Mapping) and isinstance(new, Mapping)
        if not plain or (place and (_anything(old) or _anything(new))):
            yield self._any_or_none(old, new, place)
            return
        if not depth:
            yield Change(Sort.CHANGED, f"{_at(place)} changed")
            return
        yield from _texts(old, new, _at(place))
        if "anyOf" in old or "anyOf" in new:
            yield self._either(old, new, place)
            yield from _default(old, new, place)
            return
        yield from self._choices(old, new, place)
        yield from self._properties(old, new, place, depth)
        for key in sorted((old.keys() | new.keys()) - WORDS - HANDLED):
            yield from self._keyword(key, old, new, place, depth)

    def _any_or_none(self, old: Any, new: Any, place: str) -> Change:
        where = _at(place)
        if _anything(new) or old is False:
            return Change(Sort.WIDENED, f"{where} may be {_whatever(new)}")
        if _anything(old) or new is False:
            return Change(Sort.NARROWED, f"{where} may no longer be {_whatever(old)}")
        return Change(Sort.CHANGED, f"{where} changed")

    def _either(self, old: JsonObject, new: JsonObject, place: str) -> Change:
        before, after, where = _options(old), _options(new), _at(place)
        if before is not None and after is not None:
            what = f"{_kind(old, self._old)} → {_kind(new, self._new)}"
            if before <= after:
                return Change(Sort.WIDENED, f"{where} may be more: {what}")
            if after <= before:
                return Change(Sort.NARROWED, f"{where} may be less: {what}")
        return Change(Sort.CHANGED, f"{where}: anyOf changed")

    def _choices(self, old: JsonObject, new: JsonObject, place: str) -> Iterator[Change]:
        before, after, where = _listed(old), _listed(new), _at(place)
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
        before, after = _object(old, "properties"), _object(new, "properties")
        had, has = _required(old), _required(new)
        for name in sorted(before.keys() | after.keys() | had | has):
            inner = f"{place}.{name}" if place else name
            where = _at(inner)
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
        before, after, where = old.get(key, _missing), new.get(key, _missing), _at(place)
        if _same(before, after):
            return
        if key in INNER:
            was, now = (True if one is _missing else one for one in (before, after))
            yield from self._schemas(was, now, f"{place}{INNER[key]}", depth - 1)
        elif key == "type":
            yield _typed(before, after, where)
        elif key in LEAST or key in MOSTS:
            yield _bound(key, before, after, where)
        elif key in LIMITS:
            yield _limit(key, before, after, where)
        elif key == "default":
            yield from _default(old, new, place)
        elif _missing not in (before, after) and _same(bare({key: before}), bare({key: after})):
            yield Change(Sort.WORDING, f"wording: {_name(key)} of {where}")
        else:
            yield Change(Sort.CHANGED, f"{where}: {_name(key)} changed")


HANDLED = frozenset({"properties", "required", "enum", "const"})


def _told(old: Any, new: Any, place: str) -> Iterator[Change]:
    """Two schemas that take the same, in other words."""
    if not isinstance(old, Mapping):
        yield Change(Sort.WORDING, f"wording: {_at(place)}")
        return
    texts = list(_texts(old, new, _at(place)))
    inner: dict[str, Any] = {}
    before, after = _object(old, "properties"), _object(new, "properties")
    for name in before.keys() & after.keys():
        if not _same(before[name], after[name]) and isinstance(before[name], Mapping):
            inner[name] = list(_told(before[name], after[name], f"{place}.{name}".lstrip(".")))
    texts += [change for name in sorted(inner) for change in inner[name]]
    yield from texts or [Change(Sort.WORDING, f"wording: {_at(place)}")]


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
    if value is _missing:
        return TYPES
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        return None
    return frozenset(listed) | ({"integer"} if "number" in listed else set())


def _type_words(value: Any) -> str:
    if value is _missing:
        return "any"
    words = [value] if isinstance(value, str) else value
    return "|".join(map(_name, words)) if isinstance(words, list) else _value(value)


def _bound(key: str, old: Any, new: Any, where: str) -> Change:
    text = f"{where}: {key} {_value(old)} → {_value(new)}"
    numbers = [one for one in (old, new) if type(one) in (int, float)]
    if old is _missing and numbers:
        return Change(Sort.NARROWED, text)
    if new is _missing and numbers:
        return Change(Sort.WIDENED, text)
    if len(numbers) != len((old, new)):
        return Change(Sort.CHANGED, text)
    wider = new < old if key in LEAST else new > old
    return Change(Sort.WIDENED if wider else Sort.NARROWED, text)


def _limit(key: str, old: Any, new: Any, where: str) -> Change:
    text = f"{where}: {key} {_value(old)} → {_value(new)}"
    if old is _missing or old is False:
        return Change(Sort.NARROWED, text)
    if new is _missing or new is False:
        return Change(Sort.WIDENED, text)
    return Change(Sort.CHANGED, text)


def _default(old: JsonObject, new: JsonObject, place: str) -> Iterator[Change]:
    before, after = old.get("default", _missing), new.get("default", _missing)
    if not _same(before, after):
        text = f"{_at(place)}: default {_value(before)} → {_value(after)}"
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
    return f"{', '.join(map(_value, values[:NAMED])) or 'nothing'}{more}"


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


# -- words ------------------------------------------------------------------------------------


def _at(place: str) -> str:
    return f"argument {shown(place)}" if place else "the arguments"


def _name(word: Any) -> str:
    """A key or a type: as it is, where it is a plain word."""
    return word if isinstance(word, str) and re.fullmatch(r"[\w$-]{1,40}", word) else _value(word)


def _kind(schema: Any, root: JsonObject) -> str:
    text = kind(schema, root)
    return text if text.isascii() and text.isprintable() else shown(text)


def _value(value: Any) -> str:
    """In JSON, short."""
    if value is _missing:
        return "none"
    if isinstance(value, str):
        return shown(value)
    text = _encode(value).decode()
    return text if len(text) <= NAMED * 8 and text.isascii() else shown(text)
