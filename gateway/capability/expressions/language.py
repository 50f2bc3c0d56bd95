"""The template language's rules: positions, names and filters, and what one expression is.

Both readers of the language hold to them: `simple.py`, which needs no Jinja, and `sandbox.py`.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from inspect import signature
from typing import Any, NamedTuple

from gateway.capability.expressions.escape import xml_text
from gateway.capability.expressions.filters import FILTERS, PATH_ONLY, Filter, default_json
from gateway.capability.expressions.values import Absent, RenderError, TemplateError, to_text
from gateway.domain.names import did_you_mean

Scope = Mapping[str, Any]
Evaluate = Callable[[Scope], Any]
Names = Mapping[str, Collection[str] | None]  # root → the keys it has; None: anything
Reads = frozenset[tuple[str, ...]]

TESTS: dict[str, Callable[[Any], bool]] = {
    "boolean": lambda value: isinstance(value, bool),
    "defined": lambda value: not isinstance(value, Absent),
    "mapping": lambda value: isinstance(value, dict),
    "none": lambda value: value is None,
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "sequence": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "undefined": lambda value: isinstance(value, Absent),
}

FAULTS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class Position(StrEnum):
    """Where a template stands: it decides the escaping, and what missing means."""

    PATH = "path"
    QUERY = "query"
    FORM = "form"
    HEADER = "header"
    JSON = "json"
    TEXT = "text"  # a body of text or bytes
    XML = "xml"  # a body of XML: escaped there, and missing is an empty text
    MESSAGE = "message"  # what a model reads: missing is an empty text there

    @property
    def lenient(self) -> bool:
        """What fails counts as missing."""
        return self is Position.MESSAGE

    @property
    def blank(self) -> bool:
        """What is missing is an empty text: the rest of the text stays."""
        return self in {Position.MESSAGE, Position.XML}

    @property
    def shown(self) -> Callable[[Any], str]:
        """How a value becomes part of a text."""
        return xml_text if self is Position.XML else to_text


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression. `value` gives what it yields, or MISSING; raises RenderError."""

    source: str
    reads: Reads
    evaluate: Evaluate

    def value(self, scope: Scope) -> Any:
        try:
            return self.evaluate(scope)
        except RenderError:
            raise
        except FAULTS as error:
            raise RenderError(f"the template fails ({type(error).__name__})") from None

    def holds(self, scope: Scope) -> bool:
        """As a condition: what cannot be evaluated does not hold."""
        try:
            return bool(self.evaluate(scope))
        except FAULTS:
            return False


class Applied(NamedTuple):
    """One filter of a chain with its arguments."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()


def check_name(root: str, key: str | None, names: Names) -> tuple[str, ...]:
    """What `root.key` reads; raises TemplateError when there is no such name here."""
    if root not in names:
        raise TemplateError(f"{root!r} is not known here", _root_hint(root, names))
    known = names[root]
    if key is None:
        if root == "secrets":
            raise TemplateError("'secrets' cannot be used as a whole", "write secrets.name")
        return (root,)
    if known is not None and key not in known:
        if root == "steps":
            raise TemplateError(f"no step before this one is {key!r}", did_you_mean(key, known))
        hint = did_you_mean(key, known) or f"declare it below {root}:"
        raise TemplateError(f"{root}.{key} is not declared", hint)
    return root, key


def check_filter(applied: Applied, position: Position) -> Filter:
    """The function of a filter; raises TemplateError for an unknown one or wrong arguments."""
    name = applied.name
    if name not in FILTERS:
        hint = did_you_mean(name, FILTERS) or f"there are {', '.join(FILTERS)}"
        raise TemplateError(f"no filter {name!r}", hint)
    if name in PATH_ONLY and position is not Position.PATH:
        raise TemplateError(f"the filter {name!r} is for paths only")
    try:
        _signature(FILTERS[name]).bind(None, *applied.args, **dict(applied.kwargs))
    except TypeError as error:
        raise TemplateError(f"filter {name!r}: {error}") from None
    return filter_at(name, position)


def check_test(name: str) -> Callable[[Any], bool]:
    """The function of `is name`; raises TemplateError when there is none."""
    if name not in TESTS:
        hint = did_you_mean(name, TESTS) or f"there are {', '.join(TESTS)}"
        raise TemplateError(f"no test {name!r}", hint)
    return TESTS[name]


def filter_at(name: str, position: Position) -> Filter:
    return default_json if name == "default" and position is Position.JSON else FILTERS[name]


_signature = lru_cache(maxsize=64)(signature)


def _root_hint(root: str, names: Names) -> str:
    if root == "env":
        return "only 'secrets:' reads the environment; write secrets.name"
    if root == "secrets":
        return "a secret may stand in requests only"
    for space in ("args", "vars", "secrets"):
        if root in (names.get(space) or ()):
            return f"write {space}.{root}"
    return did_you_mean(root, names) or f"there are {', '.join(names)}"
