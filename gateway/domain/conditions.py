"""What arguments have to be for a rule to count: shown to be so, shown not to be so, or neither.

What is missing, or of another type than the one it is compared with, shows nothing: a condition of
an allowing rule then does not hold, one of a denying rule does.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from gateway.domain.globs import glob, normal
from gateway.domain.tool import JsonObject


class Shown(Enum):
    YES = "yes"
    NO = "no"
    NOTHING = "nothing"


UNSAID: Any = object()


@dataclass(frozen=True, slots=True)
class Condition:
    """Of the argument called `name`, in which a dot leads into an object. All that is said has to
    be so.
    """

    name: str
    equals: Any = UNSAID
    one_of: tuple[Any, ...] | None = None
    glob: str | None = None
    at_least: float | None = None
    at_most: float | None = None

    def shown(self, arguments: JsonObject) -> Shown:
        value = _value(arguments, self.name)
        return Shown.NOTHING if value is UNSAID else all_shown(self._parts(value))

    def _parts(self, value: Any) -> Iterable[Shown]:
        if self.equals is not UNSAID:
            yield _same(value, self.equals)
        if self.one_of is not None:
            yield _any_shown(_same(value, one) for one in self.one_of)
        if self.glob is not None:
            yield _fits(value, self.glob)
        if self.at_least is not None:
            yield _answer(value >= self.at_least) if _is_number(value) else Shown.NOTHING
        if self.at_most is not None:
            yield _answer(value <= self.at_most) if _is_number(value) else Shown.NOTHING


def all_shown(parts: Iterable[Shown]) -> Shown:
    found = set(parts)
    if Shown.NO in found:
        return Shown.NO
    return Shown.NOTHING if Shown.NOTHING in found else Shown.YES


def _any_shown(parts: Iterable[Shown]) -> Shown:
    found = set(parts)
    if Shown.YES in found:
        return Shown.YES
    return Shown.NOTHING if Shown.NOTHING in found else Shown.NO


def _answer(so: bool) -> Shown:  # noqa: FBT001 (a comparison)
    return Shown.YES if so else Shown.NO


def _value(arguments: JsonObject, name: str) -> Any:
    """`UNSAID` where it is missing; also where more than one is there that could be meant, as `a.b`
    and `b` in `a`, since nobody knows which of them the tool will take.
    """
    if "." not in name:
        return arguments.get(name, UNSAID)
    found = [*_meant(arguments, name)]
    return found[0] if len(found) == 1 else UNSAID


def _meant(within: Any, name: str) -> Iterator[Any]:
    """What that name may lead to, wherever its dots lead into an object."""
    if not isinstance(within, Mapping):
        return
    if name in within:
        yield within[name]
    for at, character in enumerate(name):
        if character == "." and name[:at] in within:
            yield from _meant(within[name[:at]], name[at + 1 :])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value  # noqa: PLR0124 (NaN)


def _kind(value: Any) -> str:
    """Its type in JSON, where true is no number."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, Mapping):
        return "object"
    return "array" if isinstance(value, list | tuple) else type(value).__name__


def _same(value: Any, wanted: Any) -> Shown:
    kind = _kind(wanted)
    if _kind(value) != kind:
        return Shown.NOTHING
    if kind == "str":
        return _same_text(value, wanted)
    if kind == "array":
        if len(value) != len(wanted):
            return Shown.NO
        return all_shown(_same(one, other) for one, other in zip(value, wanted, strict=True))
    if kind == "object":
        if value.keys() != wanted.keys():
            return Shown.NO
        return all_shown(_same(value[key], wanted[key]) for key in wanted)
    return _answer(value == wanted)


def _same_text(value: str, wanted: str) -> Shown:
    if value == wanted or (value.isascii() and wanted.isascii()):
        return _answer(value == wanted)
    found = normal(value)
    return Shown.NOTHING if found is None else _answer(found == normal(wanted))


def _fits(value: Any, pattern: str) -> Shown:
    found = normal(value) if isinstance(value, str) else None
    return Shown.NOTHING if found is None else _answer(glob(pattern).matches(found))
