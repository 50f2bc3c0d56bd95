"""`headers:` one finished tuple when nothing in them is a template, else that and a few renders."""

from collections.abc import Mapping
from typing import Any

from gateway.capability.expressions.escape import header_name_problem, header_value
from gateway.capability.expressions.filters import nothing
from gateway.capability.expressions.language import Position, Scope
from gateway.capability.expressions.place import Place
from gateway.capability.expressions.values import RenderError, refused
from gateway.capability.sending.tree import SPLICE, Build, compile_tree, is_literal

Pairs = tuple[tuple[str, str], ...]


class Header:
    """One header. `static` is its value when it is a literal; None with no `build`: not sent."""

    __slots__ = ("build", "name", "static")

    def __init__(self, name: str, value: Any, place: Place) -> None:
        self.name = name
        self.static: str | None = None
        self.build: Build | None = None
        if not is_literal(value):
            self.build = compile_tree(value, place, Position.HEADER)
        elif value is not None:
            self.static = _literal(value, place)


class HeaderTemplate:
    def __init__(self, headers: list[Header]) -> None:
        self._static: Pairs = tuple(
            (each.name, each.static) for each in headers if each.static is not None
        )
        self._dynamic = [(each.name, each.build) for each in headers if each.build is not None]

    def render(self, scope: Scope) -> Pairs:
        """Raises Refused."""
        if not self._dynamic:
            return self._static
        found = list(self._static)
        for name, build in self._dynamic:
            try:
                value = build(scope)
                if not nothing(value):
                    found.append((name, header_value(value)))
            except RenderError as error:
                raise refused(f"header {name}", error) from None
        return tuple(found)


def compile_headers(given: Mapping[str, Any], place: Place, taken: frozenset[str]) -> list[Header]:
    """Faults are reported to `place`. `taken` are lower-case names that `auth` sets."""
    seen: set[str] = set()
    found: list[Header] = []
    for name, value in given.items():
        lower = name.lower()
        if lower in taken:
            problem: str | None = f"header {name!r} is set by auth"
        elif lower in seen:
            problem = f"header {name!r} stands here twice"
        elif name == SPLICE:
            problem = f"{SPLICE!r} cannot add headers"
        else:
            problem = header_name_problem(name)
        seen.add(lower)
        if problem:
            place.at(name).fault(problem, "remove it")
        else:
            found.append(Header(name, value, place.at(name)))
    return found


def overlaid(below: list[Header], above: list[Header]) -> list[Header]:
    """Both, without those of `below` that `above` names too; case does not count."""
    names = {each.name.lower() for each in above}
    return [each for each in below if each.name.lower() not in names] + above


def _literal(value: Any, place: Place) -> str:
    try:
        return header_value(value)
    except RenderError as error:
        place.fault(str(error))
        return ""
