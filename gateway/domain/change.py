"""One difference between two definitions of a tool, in words. Pure.

Words of the server are named here, never repeated, but for names and plain values.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from gateway.domain.text import shown
from gateway.domain.tool import JsonObject

SHORT = 48  # characters of a value that is printed as it is
AROUND = 30  # characters before the first that differs
MISSING = object()
_encode = msgspec.json.Encoder(order="sorted").encode


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


def same(one: Any, other: Any) -> bool:
    """As JSON has it: True is not 1."""
    if one is MISSING or other is MISSING:
        return one is other
    return canonical(one) == canonical(other)


def members(tree: JsonObject, key: str) -> JsonObject:
    found = tree.get(key)
    return found if isinstance(found, Mapping) else {}


def reworded(before: JsonObject, after: JsonObject, place: str) -> Iterator[Change]:
    """Of a definition or a schema."""
    for key in ("title", "description"):
        old, new = before.get(key), after.get(key)
        if old != new:
            yield wording(f"{key} of {place}" if place else key, old, new)


def wording(what: str, old: Any, new: Any) -> Change:
    was, now = (one if isinstance(one, str) else "" for one in (old, new))
    pairs = zip(was, now, strict=False)
    first = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(was), len(now)))
    start = max(0, first - AROUND)
    return Change(Sort.WORDING, f"wording: {what}", _excerpt(was, start), _excerpt(now, start))


def _excerpt(text: str, start: int, longest: int = 160) -> str:
    part = text[start : start + longest]
    escaped = "".join(each if each.isprintable() else _escaped(each) for each in part)
    return f"{'…' if start else ''}{escaped}{'…' if start + longest < len(text) else ''}"


def _escaped(character: str) -> str:
    return ascii(character)[1:-1]


def at(place: str) -> str:
    return f"argument {shown(place)}" if place else "the arguments"


def word(found: Any) -> str:
    """A key or a type: as it is, where it is a plain word."""
    is_plain = isinstance(found, str) and re.fullmatch(r"[\w$-]{1,40}", found)
    return found if is_plain else in_json(found)


def in_json(value: Any) -> str:
    """In JSON, short."""
    if value is MISSING:
        return "none"
    if isinstance(value, str):
        return shown(value)
    text = _encode(value).decode()
    return text if len(text) <= SHORT and text.isascii() else shown(text)
