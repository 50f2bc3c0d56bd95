"""A plain tree → a frozen Struct, or every reason why not, each at its own place.

msgspec converts in C, but stops at its first finding and knows no lines. So it goes first, and only
when it refuses, a slow walk over the same type description finds all there is to say.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import inspect

from gateway.capability.file.problem import MOST
from gateway.capability.file.yaml import Key, Parsed
from gateway.capability.file.yaml_trouble import clip
from gateway.domain.issue import Issue
from gateway.domain.names import did_you_mean, nearest

T = TypeVar("T")
Advice = Mapping[str, str]
Extra = Mapping[str, Any]

FEW = 8  # keys that are all named when none is near
FREE = "x-"  # how the keys begin that are nobody's business but the author's

_STRUCT, _DICT, _LITERAL = inspect.StructType, inspect.DictType, inspect.LiteralType
_LISTS = (inspect.VarTupleType, inspect.ListType)
_ACCEPTED: dict[type, tuple[type, ...]] = {  # what stands in the file → the types it can become
    dict: (_STRUCT, _DICT),
    list: _LISTS,
    str: (_LITERAL, inspect.StrType),
    bool: (inspect.BoolType,),
    int: (_LITERAL, inspect.IntType, inspect.FloatType),
    float: (inspect.FloatType,),
    type(None): (inspect.NoneType,),
}
_WORDS: dict[type, str] = {
    _STRUCT: "a mapping",
    _DICT: "a mapping",
    inspect.VarTupleType: "a list",
    inspect.ListType: "a list",
    inspect.StrType: "text",
    inspect.IntType: "a whole number",
    inspect.FloatType: "a number",
    inspect.BoolType: "true or false",
    inspect.NoneType: "",
}
_NUMBERS = (inspect.IntType, inspect.FloatType)
_CONTAINERS = {_STRUCT, _DICT, *_LISTS}
_KNOWN = frozenset((*_WORDS, _LITERAL))
_BOOLEANS = {"yes": "true", "on": "true", "True": "true", "no": "false", "off": "false"}
_BOOLEANS |= {"False": "false"}


def shaped(
    parsed: Parsed, kind: type[T], advice: Advice | None = None
) -> tuple[T | None, list[Issue]]:
    """`parsed.tree` as `kind`, or all the issues that prevent it. `x-*` keys are dropped.

    `advice`: place (such as `tools.*.response`) → what to write there, or in place of an unknown
    key of that name.
    """
    value, issues, _ = examined(parsed, kind, advice)
    return value, issues


def examined(
    parsed: Parsed, kind: type[T], advice: Advice | None = None
) -> tuple[T | None, list[Issue], Any]:
    """As `shaped`, and the tree without its free keys: parts of it may be well all the same."""
    try:
        return msgspec.convert(parsed.tree, kind), [], parsed.tree
    except msgspec.ValidationError:
        walk = _Walk(parsed, advice or {})
    try:
        tree = walk.value(parsed.tree, inspect.type_info(kind), _At())
    except _Enough:
        tree = None
    if walk.issues:
        return None, walk.issues, tree
    try:
        return msgspec.convert(tree, kind), [], tree
    except msgspec.ValidationError as error:  # a Struct's own rule over several of its fields
        return None, [_foreign(parsed, error)], tree


class _At(NamedTuple):
    """`path` is a place in this file, `place` the same with `*` for each name the author chose."""

    path: tuple[Key, ...] = ()
    place: str = ""

    def field(self, name: str) -> "_At":
        return _At((*self.path, name), f"{self.place}.{name}" if self.place else name)

    def item(self, key: Key) -> "_At":
        return _At((*self.path, key), f"{self.place}.*" if self.place else "*")


class _Enough(Exception):
    """More would not be read."""


class _Walk:
    """One tree against one type; each method gives the value without its free keys."""

    def __init__(self, parsed: Parsed, advice: Advice) -> None:
        self.issues: list[Issue] = []
        self._parsed = parsed
        self._advice = advice

    def value(self, value: Any, info: Any, at: _At) -> Any:
        bare, extra = _bare(info)
        union = isinstance(bare, inspect.UnionType)
        members: list[Any] = [_bare(one) for one in bare.types] if union else [(bare, extra)]
        if any(type(member) not in _KNOWN for member, _ in members):
            return value  # Any, and what only msgspec knows
        typed = [(type(member), member, extra) for member, extra in members]
        for wanted in _ACCEPTED[type(value)]:
            for kind, member, extra in typed:
                if kind is wanted and (kind is not _LITERAL or value in member.values):
                    return self._fitting(value, member, extra, at)
        self._misfit(value, [member for member, _ in members], at)
        return value

    def _fitting(self, value: Any, info: Any, extra: Extra, at: _At) -> Any:
        """A value of the right kind: what is inside it, and its bounds."""
        kind = type(info)
        if kind is _STRUCT:
            return self._struct(value, info, at)
        if kind is _DICT:
            return self._dict(value, info, at)
        if kind in _LISTS:
            if info.max_length is not None and len(value) > info.max_length:
                self._tell(at, f"{len(value)} of them; at most {info.max_length}", at_key=True)
            return [self.value(one, info.item_type, at.item(i)) for i, one in enumerate(value)]
        if kind is inspect.StrType:
            self._text(value, info, extra, at)
        elif kind in _NUMBERS:
            self._bounds(value, info, at)
        return value

    def _struct(self, value: dict[str, Any], info: Any, at: _At) -> dict[str, Any]:
        fields = {field.encode_name: field for field in info.fields}
        kept = {}
        meant: list[str] = []
        for key, inner in value.items():
            if key in fields:
                kept[key] = self.value(inner, fields[key].type, at.field(key))
            elif not key.startswith(FREE):
                self._unknown(key, fields, at)
                meant += nearest(key, fields, 1)
        for name, field in fields.items():
            if field.required and name not in value and name not in meant:
                place = at.field(name)
                self._tell(place, f"{name!r} is missing", self._advice.get(place.place))
        return kept

    def _dict(self, value: dict[str, Any], info: Any, at: _At) -> dict[str, Any]:
        if len(value) < (info.min_length or 0):
            self._tell(at, "is empty")
        key_type, extra = _bare(info.key_type)
        known = extra.get("one_of")
        for key in value:
            if known is None:
                self._text(key, key_type, extra, at.item(key), at_key=True)
            elif key not in known:
                self._unknown(key, known, at)
        return {key: self.value(one, info.value_type, at.item(key)) for key, one in value.items()}

    def _text(self, value: str, info: Any, extra: Extra, at: _At, *, at_key: bool = False) -> None:
        if info.min_length and len(value) < info.min_length:
            self._tell(at, "is empty")
        elif info.max_length is not None and len(value) > info.max_length:
            self._tell(at, f"{len(value):,} characters; at most {info.max_length:,}")
        elif info.pattern and not re.search(info.pattern, value):
            text = f"{clip(value)!r} does not match {info.pattern}"
            self._tell(at, text, extra.get("hint"), at_key=at_key)

    def _bounds(self, value: float, info: Any, at: _At) -> None:
        low, above, high = info.ge, info.gt, info.le
        if low is not None and value < low:
            self._tell(at, f"{value} is too small: at least {low:g}")
        elif above is not None and value <= above:
            self._tell(at, f"{value} is too small: more than {above:g}")
        elif high is not None and value > high:
            self._tell(at, f"{value} is too large: at most {high:g}")

    def _unknown(self, key: str, known: Any, at: _At) -> None:
        hint = self._advice.get(at.field(key).place) or did_you_mean(key, known)
        if not hint and len(known) <= FEW:
            hint = f"there are {', '.join(known)}"
        self._tell(at.item(key), f"unknown key {clip(key)!r}", hint, at_key=True)

    def _misfit(self, value: Any, members: Sequence[Any], at: _At) -> None:
        hint = self._advice.get(at.place) or _remedy(value, members)
        self._tell(at, f"must be {_any_of(members)}, not {_said(value, members)}", hint)

    def _tell(
        self, at: _At, message: str, hint: str | None = None, *, at_key: bool = False
    ) -> None:
        self.issues.append(self._parsed.issue(at.path, message, hint, at_key=at_key))
        if len(self.issues) > MOST:
            raise _Enough


def _bare(info: Any) -> tuple[Any, Extra]:
    """The type itself, and what its annotation says: `hint`, or `one_of` for keys."""
    extra: Extra = {}
    while isinstance(info, inspect.Metadata):
        extra = {**(info.extra or {}), **extra}
        info = info.type
    return info, extra


def _any_of(members: Sequence[Any]) -> str:
    """`a mapping, text or a number`: the kinds in words."""
    words: dict[str, None] = {}
    for member in members:
        literal = type(member) is _LITERAL
        words |= dict.fromkeys(map(repr, member.values) if literal else (_WORDS[type(member)],))
    words.pop("", None)
    if "a number" in words:
        words.pop("a whole number", None)
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _said(value: Any, members: Sequence[Any]) -> str:
    """The value itself only where one of a few words or a number is asked for: it may be secret."""
    kinds = {type(member) for member in members}
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if value is None:
        return "empty"
    if isinstance(value, str):
        return "text" if kinds & _CONTAINERS else repr(clip(value))
    if kinds & {inspect.StrType, *_CONTAINERS}:
        return "true or false" if isinstance(value, bool) else "a number"
    return str(value).lower()[:60]


def _remedy(value: Any, members: Sequence[Any]) -> str | None:
    kinds = {type(member) for member in members}
    if value is None:
        return "leave the key out, or give it a value"
    if isinstance(value, str) and inspect.BoolType in kinds and value in _BOOLEANS:
        return f"write {_BOOLEANS[value]}"
    if isinstance(value, bool | int | float) and inspect.StrType in kinds:
        return "quote it"
    literals = [str(one) for member in members if type(member) is _LITERAL for one in member.values]
    if (
        isinstance(value, str)
        and value.isdecimal()
        and (inspect.IntType in kinds or value in literals)
    ):
        return "write it without quotes"
    return did_you_mean(value, literals) if isinstance(value, str) else None


def _foreign(parsed: Parsed, error: msgspec.ValidationError) -> Issue:
    """In msgspec's words. Its path shows `[...]` for a name of the author's: there ours ends."""
    message, _, place = str(error).partition(" - at `$")
    known = place.rstrip("`").partition("[")[0]
    return parsed.issue([step for step in known.split(".") if step], message)
