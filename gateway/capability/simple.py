"""The plain part of the template language, which needs no Jinja: a name, its keys, and filters.

`args.x`, `args['a b'].c | join(',')`, `vars.org | lower`: nearly every expression authors write. It
becomes a closure of well under a microsecond, where a compiled Jinja expression costs seven. What
this module cannot read it leaves to `sandbox.py`; what it can read means the same there.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from gateway.capability.filters import TAKES_NOTHING, Filter, nothing, pick
from gateway.capability.language import Applied, Evaluate, Scope
from gateway.capability.values import MISSING

_TOKEN = re.compile(
    r"""\s*(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<number>-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?)
    |(?P<text>'[^'\\]*'|"[^"\\]*")|(?P<mark>[.|()\[\],=]))\s*""",
    re.VERBOSE,
)
_WORDS: dict[str, Any] = {"true": True, "false": False, "none": None}


class Plain(NamedTuple):
    """`root.key.key | filter | filter`."""

    root: str
    keys: tuple[str, ...]
    filters: tuple[Applied, ...]


class _NotPlainError(Exception):
    """It may be right, but it is not plain."""


class _Token(NamedTuple):
    kind: str
    text: str


def parse_plain(text: str) -> Plain | None:
    """The plain expression in `text` (without braces); None when it is not plain."""
    try:
        reader = _Reader(text)
        root = reader.take("name")
        keys = tuple(reader.keys())
        filters = tuple(reader.filters())
        reader.take("end")
    except _NotPlainError:
        return None
    return None if root in _WORDS or root == "not" else Plain(root, keys, filters)


def getter(root: str, keys: tuple[str, ...]) -> Evaluate:
    """Reads `root.key.key` of a scope; MISSING when it is not there."""
    if not keys:
        return lambda scope: scope.get(root, MISSING)
    if len(keys) == 1:
        key = keys[0]
        return lambda scope: pick(scope[root], key)

    def walk(scope: Scope) -> Any:
        value = scope[root]
        for key in keys:
            value = pick(value, key)
        return value

    return walk


def chained(before: Evaluate, function: Filter, applied: Applied) -> Evaluate:
    """`before | function(…)`. Nothing in gives nothing out, unless the filter takes nothing."""
    args, kwargs = applied.args, dict(applied.kwargs)
    takes_nothing = applied.name in TAKES_NOTHING

    def run(scope: Scope) -> Any:
        value = before(scope)
        if not takes_nothing and nothing(value):
            return MISSING
        return function(value, *args, **kwargs)

    return run


class _Reader:
    """One token ahead."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._next = next(self._tokens)

    def take(self, kind: str, text: str | None = None) -> str:
        if not self.sees(kind, text):
            raise _NotPlainError
        taken = self._next.text
        self._next = next(self._tokens, _Token("over", ""))
        return taken

    def sees(self, kind: str, text: str | None = None) -> bool:
        return self._next.kind == kind and text in (None, self._next.text)

    def keys(self) -> Iterator[str]:
        while True:
            if self.sees("mark", "."):
                self.take("mark")
                yield self.take("name")
            elif self.sees("mark", "["):
                self.take("mark")
                yield self.take("text")[1:-1]
                self.take("mark", "]")
            else:
                return

    def filters(self) -> Iterator[Applied]:
        while self.sees("mark", "|"):
            self.take("mark")
            name = self.take("name")
            yield self._call(name) if self.sees("mark", "(") else Applied(name)

    def _call(self, name: str) -> Applied:
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        self.take("mark", "(")
        while not self.sees("mark", ")"):
            if args or kwargs:
                self.take("mark", ",")
            self._argument(args, kwargs)
        self.take("mark", ")")
        return Applied(name, tuple(args), tuple(kwargs.items()))

    def _argument(self, args: list[Any], kwargs: dict[str, Any]) -> None:
        if not self.sees("name") or self._next.text in _WORDS:
            if kwargs:
                raise _NotPlainError
            args.append(self._literal())
            return
        name = self.take("name")
        self.take("mark", "=")
        kwargs[name] = self._literal()

    def _literal(self) -> Any:
        if self.sees("text"):
            return self.take("text")[1:-1]
        if self.sees("number"):
            number = self.take("number")
            return float(number) if "." in number else int(number)
        word = self.take("name")
        if word not in _WORDS:
            raise _NotPlainError
        return _WORDS[word]


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _NotPlainError
        at = found.end()
        kind = found.lastgroup or ""
        yield _Token(kind, found[kind])
    yield _Token("end", "")
