"""All rules of all policies, each with a bit: which of them match a name is worked out once for all
callers. Pure.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import and_, or_
from typing import NamedTuple

from gateway.domain.globs import ANY, Globs, normal
from gateway.domain.identity import Level
from gateway.domain.policy import Kind
from gateway.domain.rules import Rule
from gateway.domain.uri_forms import bare, forms, glob_forms

MOST_KEPT = 50_000  # names …
LONGEST_KEPT = 128  # … of so many characters


class Matching(NamedTuple):
    """Rules by their bits. What can be spelled in several ways: `some` match one of them, `all`
    match each.
    """

    some: int
    all: int


class RuleBook:
    """`levels`: level → its rules, the highest first; the denying ones are in `denies`.
    `conditional` are those with conditions. `naming`: kind → rules that match something of it;
    `everything`: those that match all of a backend that is of it. `of_all` match all of a backend,
    `everywhere` all of every one.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self.denies = self._bits(lambda rule: rule.level is Level.DENY)
        self.conditional = self._bits(lambda rule: bool(rule.when))
        self.levels: Sequence[tuple[Level, int]] = [
            (level, self._bits(lambda rule, level=level: rule.level is level))  # type: ignore[misc]
            for level in (Level.ADMIN, Level.EXECUTE, Level.READ)
        ]
        self.naming: Mapping[Kind, int] = {
            kind: self._bits(lambda rule, kind=kind: bool(_named(rule, kind)))  # type: ignore[misc]
            for kind in Kind
        }
        self.everything: Mapping[Kind, int] = {
            kind: self._bits(lambda rule, kind=kind: _covers(rule, kind))  # type: ignore[misc]
            for kind in Kind
        }
        self.of_all = self._bits(lambda rule: rule.of_all and not rule.when)
        self.everywhere = self.of_all & self._bits(lambda rule: ANY in rule.backends)
        self._backends = Globs(self._said(lambda rule: rule.backends))
        self._tools = Globs(self._said(lambda rule: _named(rule, Kind.TOOL)))
        self._prompts = Globs(self._said(lambda rule: _named(rule, Kind.PROMPT)))
        self._resources = Globs(
            (form, bit)
            for pattern, bit in self._said(lambda rule: _named(rule, Kind.RESOURCE))
            for form in glob_forms(pattern)
        )
        self._others = self._bits(lambda rule: _covers(rule, Kind.OTHER))
        self._qualified = Globs(
            (pattern, bit) for pattern, bit in self._said(lambda r: r.tools or ()) if ":" in pattern
        )
        self._has_qualified = any(":" in one for rule in rules for one in rule.tools or ())
        self._kept: dict[str, Matching] = {}  # of tools, which are most of all

    def of_backend(self, name: str) -> int:
        """Of those matching that backend; none where it is no name."""
        known = normal(name)
        return 0 if known is None else self._backends.fitting(known)

    def matching(self, kind: Kind, backend: str, name: str) -> Matching | None:
        """Rules that match that name, whichever backends they speak of; None where it is no
        name.
        """
        if kind is Kind.TOOL:
            return self._of_tool(backend, name)
        if kind is Kind.OTHER:
            return Matching(self._others, self._others)
        known = normal(name)
        if known is None:
            return None
        if kind is Kind.PROMPT:
            found = self._prompts.fitting(known)
            return Matching(found, found)
        spelled = forms(known)
        if not spelled:
            return None
        each = [self._of_resource(form) for form in spelled]
        barely = [self._of_resource(form) for form in bare(spelled)]
        return Matching(reduce(or_, (*each, *barely)), reduce(and_, each))

    def _of_resource(self, form: str) -> int:
        known = normal(form)
        return 0 if known is None else self._resources.fitting(known)

    def expect(self, tools: Iterable[str]) -> None:
        """Work out which rules match these, whatever their backend."""
        for name in tools:
            if name not in self._kept:
                self._of_tool("", name)

    def bits(self, bits: int) -> Iterator[tuple[Rule, int]]:
        """Those rules, in the order of the file, with their bits."""
        while bits:
            lowest = bits & -bits
            yield self.rules[lowest.bit_length() - 1], lowest
            bits ^= lowest

    def place(self, bits: int) -> str:
        """Of the first of those rules."""
        return self.rules[(bits & -bits).bit_length() - 1].place

    def _of_tool(self, backend: str, name: str) -> Matching | None:
        found = self._kept.get(name)
        if found is None:
            known = normal(name)
            if known is None:
                return None
            bits = self._tools.fitting(known)
            found = Matching(bits, bits)
            self._keep(name, found)
        if not self._has_qualified:
            return found
        whole = normal(f"{backend}:{name}")
        if whole is None:
            return None
        bits = found.some | self._qualified.fitting(whole)
        return Matching(bits, bits)

    def _keep(self, name: str, found: Matching) -> None:
        if len(name) > LONGEST_KEPT:
            return
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[name] = found

    def _bits(self, fits: Callable[[Rule], bool]) -> int:
        return sum(1 << index for index, rule in enumerate(self.rules) if fits(rule))

    def _said(self, globs: Callable[[Rule], Iterable[str]]) -> Iterator[tuple[str, int]]:
        for index, rule in enumerate(self.rules):
            for pattern in globs(rule):
                yield pattern, 1 << index


def _named(rule: Rule, kind: Kind) -> Sequence[str]:
    """The globs of what the rule matches of that kind."""
    if rule.when and kind is not Kind.TOOL:
        return ()
    if rule.of_all:
        return (ANY,)
    said = {Kind.TOOL: rule.tools, Kind.PROMPT: rule.prompts, Kind.RESOURCE: rule.resources}
    return said.get(kind) or ()


def _covers(rule: Rule, kind: Kind) -> bool:
    return ANY in _named(rule, kind)
