"""The filters of the template language: a small closed set, each bounded in what it gives.

A filter that gets nothing (missing or null) gives nothing, so a missing argument stays missing to
the end of a chain unless `default` ends it.
"""

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from gateway.capability.expressions.escape import path_segments
from gateway.capability.expressions.values import (
    LARGEST,
    MISSING,
    Absent,
    RenderError,
    to_json,
    to_text,
)

Filter = Callable[..., Any]

LONGEST_LIST = 100_000  # items of a list that a filter looks at
MOST_COMPARISONS = 10_000_000


def nothing(value: Any) -> bool:
    return value is None or isinstance(value, Absent)


def lower(value: Any) -> Any:
    return to_text(value).lower()


def upper(value: Any) -> Any:
    return to_text(value).upper()


def trim(value: Any) -> Any:
    return to_text(value).strip()


def string(value: Any) -> Any:
    return to_text(value)


def replace(value: Any, old: str, new: str) -> Any:
    text = to_text(value)
    if not old:
        raise RenderError("replace needs a text to look for")
    _fits(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


def truncate(value: Any, length: int = 255) -> Any:
    """The first `length` characters, with `…` in the place of the last when something was cut."""
    text = to_text(value)
    return text if len(text) <= length else text[: max(length - 1, 0)] + "…"


def join(value: Any, separator: str = "", attribute: str | None = None) -> Any:
    """The texts of a list with `separator` between; null and missing elements are left out."""
    given = _attributes(value, attribute) if attribute else _list(value)
    texts = [to_text(each) for each in given if not nothing(each)]
    _fits(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


def first(value: Any) -> Any:
    given = value if isinstance(value, str) else _list(value)
    return given[0] if given else MISSING


def last(value: Any) -> Any:
    given = value if isinstance(value, str) else _list(value)
    return given[-1] if given else MISSING


def length(value: Any) -> Any:
    return len(value if isinstance(value, (str, Mapping)) else _list(value))


def map_(value: Any, *, attribute: str) -> Any:
    """That attribute of each element; elements without it are left out."""
    return [each for each in _attributes(value, attribute) if not isinstance(each, Absent)]


def selectattr(value: Any, attribute: str, test: str | None = None, other: Any = None) -> Any:
    """The elements whose attribute is true, or compares with `other`: `==`, `!=` or `in`."""
    kept = _compared(_attributes(value, attribute), test, other)
    return [each for each, keep in zip(_list(value), kept, strict=True) if keep]


def rejectattr(value: Any, attribute: str, test: str | None = None, other: Any = None) -> Any:
    """The elements that `selectattr` leaves out."""
    kept = _compared(_attributes(value, attribute), test, other)
    return [each for each, keep in zip(_list(value), kept, strict=True) if not keep]


def sort(value: Any, attribute: str | None = None, *, reverse: bool = False) -> Any:
    given = _list(value)
    keys = _attributes(given, attribute) if attribute else given
    pairs = sorted(zip(map(_sortable, keys), range(len(given)), strict=True), reverse=reverse)
    return [given[index] for _, index in pairs]


def unique(value: Any) -> Any:
    """The first of each group of equal elements."""
    found: dict[bytes, Any] = {}
    for each in _list(value):
        found.setdefault(to_json(each), each)
    return list(found.values())


def items(value: Any) -> Any:
    """The `[key, value]` pairs of an object."""
    if not isinstance(value, Mapping):
        raise RenderError("items needs an object")
    return [[key, each] for key, each in value.items()]


def indexed(value: Any) -> Any:
    """Lists as objects by index, the inner ones too: in a query or form `k[0][sub]=v`."""
    if isinstance(value, Mapping):
        return {key: indexed(each) for key, each in value.items()}
    if isinstance(value, list):
        return {str(index): indexed(each) for index, each in enumerate(_list(value))}
    return value


def tojson(value: Any) -> Any:
    return to_json(value).decode()


def round_(value: Any, digits: int = 0) -> Any:
    number = _number(value)
    return round(number, digits) if digits else round(number)


def int_(value: Any) -> Any:
    """A whole number, cut towards zero; missing when it is none."""
    if isinstance(value, int):
        return int(value)
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        number = float_(value)
        return number if isinstance(number, Absent) else int(number)


def float_(value: Any) -> Any:
    """A number; missing when it is none."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return MISSING
    return number if math.isfinite(number) else MISSING


def abs_(value: Any) -> Any:
    return abs(_number(value))


def b64encode(value: Any) -> Any:
    raw = value if isinstance(value, bytes) else _utf8(value)
    return base64.b64encode(raw).decode()


def b64decode(value: Any) -> Any:
    """Bytes; of a list the bytes of each. Line breaks are skipped, the URL-safe alphabet and
    missing padding are understood.
    """
    if isinstance(value, list):
        return [b64decode(each) for each in _list(value) if not nothing(each)]
    text = "".join(to_text(value).split()).translate({45: "+", 95: "/"})
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise RenderError("not base64") from None


def urlencode(value: Any) -> Any:
    """Percent-encoded, slashes too: for an address inside another text."""
    return quote(_utf8(value), safe="")


def default(value: Any, other: Any = "") -> Any:
    """`other` when nothing was given."""
    return other if nothing(value) else value


def default_json(value: Any, other: Any = "") -> Any:
    """`other` when missing; in JSON an explicit null is something (§3.4)."""
    return other if isinstance(value, Absent) else value


FILTERS: dict[str, Filter] = {
    "abs": abs_,
    "b64decode": b64decode,
    "b64encode": b64encode,
    "default": default,
    "first": first,
    "float": float_,
    "indexed": indexed,
    "int": int_,
    "items": items,
    "join": join,
    "last": last,
    "length": length,
    "lower": lower,
    "map": map_,
    "rejectattr": rejectattr,
    "replace": replace,
    "round": round_,
    "segments": path_segments,
    "selectattr": selectattr,
    "sort": sort,
    "string": string,
    "tojson": tojson,
    "trim": trim,
    "truncate": truncate,
    "unique": unique,
    "upper": upper,
    "urlencode": urlencode,
}
PATH_ONLY = frozenset({"segments"})
TAKES_NOTHING = frozenset({"default"})


def pick(value: Any, key: Any) -> Any:
    """`value[key]` of an object or list, or MISSING. There is no other way into a value."""
    if isinstance(value, Mapping):
        return value.get(key, MISSING)
    if isinstance(key, int) and isinstance(value, (list, str)):
        return value[key] if -len(value) <= key < len(value) else MISSING
    return MISSING


def _list(value: Any) -> list[Any]:
    if not isinstance(value, (list, Mapping)):
        raise RenderError("the filter needs a list")
    if len(value) > LONGEST_LIST:
        raise RenderError("the list is too long", "size")
    return value if isinstance(value, list) else list(value)


def _attributes(value: Any, attribute: str) -> list[Any]:
    found = _list(value)
    for key in str(attribute).split("."):
        found = [pick(each, int(key) if key.isdecimal() else key) for each in found]
    return found


def _compared(values: list[Any], test: str | None, other: Any) -> list[bool]:
    if test is None:
        return [bool(value) for value in values]
    if test in ("==", "eq", "equalto"):
        return [value == other for value in values]
    if test in ("!=", "ne"):
        return [value != other for value in values]
    if test != "in":
        raise RenderError("selectattr compares with '==', '!=' or 'in'")
    if len(values) * len(other) > MOST_COMPARISONS:
        raise RenderError("the lists are too long", "size")
    return [value in other for value in values]


def _sortable(value: Any) -> tuple[int, Any]:
    """Numbers before texts before the rest, which keep their order."""
    if isinstance(value, (int, float)):
        return 0, value
    return (1, value) if isinstance(value, str) else (2, 0)


def _number(value: Any) -> int | float:
    if isinstance(value, (int, float)):
        return value
    raise RenderError("the filter needs a number")


def _utf8(value: Any) -> bytes:
    try:
        return to_text(value).encode()
    except UnicodeEncodeError:
        raise RenderError("the text is not valid Unicode") from None


def within_size(text: str) -> str:
    _fits(len(text))
    return text


def _fits(characters: int) -> None:
    if characters > LARGEST:
        raise RenderError("the text grows too long", "size")
