"""Arguments copied within bounds: whoever writes them down later need not ask how large they are,
or what has become of them since.
"""

from collections.abc import Mapping
from itertools import islice
from typing import Any, NamedTuple

from gateway.domain.tool import JsonObject

DEEPEST = 16  # objects and lists within each other
MOST_VALUES = 256  # of one call
MOST_TEXT = 64 * 1024  # characters of one call
WHOLE = 16 * 1024  # characters of a text that is kept as it is, to be looked into
LONGEST_KEY = 256  # characters
WIDEST = 1_024  # bits of a number

PLAIN = frozenset({float, bool, type(None)})


class Cut(NamedTuple):
    """The first characters of a text of `length`."""

    text: str
    length: int


class Left(NamedTuple):
    """What stands where something was left out."""

    text: str


class Copy(NamedTuple):
    """`weight` is in characters, about."""

    value: Any
    weight: int


def copied(value: JsonObject, longest: int) -> Copy:
    """JSON values, `Cut` and `Left` where bounds were met. Of a text that is cut, `longest`
    characters stay.
    """
    copying = _Copying(longest)
    made = copying.mapping(value, DEEPEST)
    return Copy(made, 64 * (MOST_VALUES - copying.values) + MOST_TEXT - copying.room)


class _Copying:
    """`values` and `room` (characters) are what may still come."""

    __slots__ = ("_longest", "room", "values")

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self.values = MOST_VALUES
        self.room = MOST_TEXT

    def mapping(self, value: Mapping[Any, Any], deeper: int) -> Any:
        if not deeper:
            return Left(f"({len(value)} members)")
        made: dict[Any, Any] = {}
        for key, each in value.items():
            if self.values <= 0:
                made["…"] = Left(f"({len(value) - len(made)} more)")
                break
            self.values -= 1
            made[self._key(key)] = (
                self._text(each) if type(each) is str else self._any(each, deeper)
            )
        return made

    def _any(self, value: Any, deeper: int) -> Any:
        kind = type(value)
        if kind in PLAIN:
            return value
        if kind is int:
            bits = value.bit_length()
            return value if bits <= WIDEST else Left(f"(a number of {bits} bits)")
        if isinstance(value, Mapping):
            return self.mapping(value, deeper - 1)
        if isinstance(value, list | tuple):
            return self._list(value, deeper - 1)
        return Left(f"({kind.__name__})")

    def _list(self, value: list[Any] | tuple[Any, ...], deeper: int) -> Any:
        if not deeper:
            return Left(f"({len(value)} items)")
        few = max(self.values, 0)
        made: list[Any] = []
        for each in islice(value, few):
            if self.values <= 0:
                break
            self.values -= 1
            made.append(self._text(each) if type(each) is str else self._any(each, deeper))
        if len(made) < len(value):
            made.append(Left(f"({len(value) - len(made)} more)"))
        return made

    def _text(self, value: str) -> str | Cut:
        size = len(value)
        if size <= WHOLE and size <= self.room:
            self.room -= size
            return value
        kept = value[: min(self._longest, self.room)]
        self.room -= len(kept)
        return Cut(kept, size)

    def _key(self, key: Any) -> Any:
        if type(key) is not str:
            return Left(f"({type(key).__name__})")
        size = len(key)
        self.room -= size if size <= LONGEST_KEY else 0
        if size > LONGEST_KEY or self.room < 0:
            return Left(f"({size} characters)")
        return key
