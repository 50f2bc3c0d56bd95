"""`query:` and `form:`: names and values as `application/x-www-form-urlencoded` (§3.5).

Names are the author's; every value goes through `quote_plus`, so it cannot end or add a pair. A
list repeats its name, an object becomes `name[key]=…`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.capability.expressions.escape import query_text
from gateway.capability.expressions.filters import nothing
from gateway.capability.expressions.language import Position, Scope
from gateway.capability.expressions.place import UNREAD, Place
from gateway.capability.expressions.values import RenderError, refused, to_text
from gateway.capability.sending.tree import (
    SPLICE,
    Build,
    compile_tree,
    is_literal,
    literal_name,
    members,
    splice,
)

_WHOLE = ({("args",)}, {("rest",)}, {UNREAD})  # what may be spliced: names the author declared


class Named:
    """One name and its value. `static` is the finished text when no template is in it."""

    __slots__ = ("_build", "_encoded", "name", "static")

    def __init__(self, name: str, value: Any, place: Place, position: Position) -> None:
        literal_name(name, place)
        self.name = name
        self._encoded = query_text(name)
        self._build: Build = compile_tree(value, place.at(name), position)
        self.static: list[str] | None = None
        if is_literal(value):
            self.static = []
            _append(self.static, self._encoded, value)

    def __call__(self, scope: Scope, out: list[str]) -> None:
        if self.static is not None:
            out.extend(self.static)
            return
        try:
            _append(out, self._encoded, self._build(scope))
        except (RenderError, RecursionError) as error:
            raise refused(self.name, error) from None


class Spliced:
    """All arguments (`root` is `args`), or those that the request does not name (`rest`)."""

    __slots__ = ("_build", "_order", "root")

    def __init__(self, source: Any, place: Place, position: Position) -> None:
        inner = Place(place.path, place.names, place.report)
        self._build = splice(source, inner, position)
        self._order = tuple(
            place.names.get("args") or ()
        )  # the author's: the same call, the same URL
        self.root = "args" if ("args",) in inner.reads else "rest"
        place.reads.update(inner.reads)
        if inner.reads not in _WHOLE:
            place.fault(
                f"only args or rest can become {position} names",
                'name each pair, or write "{{ rest }}"',
            )

    def pairs(self, scope: Scope) -> Iterator[tuple[str, Any]]:
        try:
            found = members(self._build(scope))
        except RenderError as error:
            raise refused(SPLICE, error) from None
        return ((name, found[name]) for name in self._order if name in found)

    def __call__(self, scope: Scope, out: list[str]) -> None:
        for name, value in self.pairs(scope):
            try:
                _append(out, query_text(name), value)
            except (RenderError, RecursionError) as error:
                raise refused(name, error) from None


Pair = Named | Spliced


def compile_pairs(
    value: Mapping[str, Any] | str | None, place: Place, position: Position
) -> list[Pair]:
    """Faults are reported to `place`. Two pairs of one name cannot be: YAML refuses them."""
    if value is None:
        return []
    if isinstance(value, str):
        return [Spliced(value, place, position)]
    return [
        Spliced(each, place.at(name), position)
        if name == SPLICE
        else Named(name, each, place, position)
        for name, each in value.items()
    ]


def encoded(pairs: Sequence[Pair], scope: Scope) -> str:
    """Raises Refused."""
    out: list[str] = []
    for pair in pairs:
        pair(scope, out)
    return "&".join(out)


def _append(out: list[str], name: str, value: Any) -> None:
    """`name` is encoded already."""
    if isinstance(value, str):
        out.append(f"{name}={query_text(value)}")
    elif isinstance(value, Mapping):
        for key, each in value.items():
            _append(out, f"{name}%5B{query_text(key)}%5D", each)
    elif isinstance(value, list):
        for each in value:
            _append(out, name, to_text(each) if isinstance(each, (dict, list)) else each)
    elif not nothing(value):
        out.append(f"{name}={query_text(value)}")
