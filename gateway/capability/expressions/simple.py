"""The plain part of the template language: what can be read without Jinja.

`args.x`, `args['a b'][0].c | join(',')`, `body.status != 'OK' and not body.error`: nearly all that
authors write. What this reader cannot read it leaves to `sandbox.py`; what it can read means the
same there. `closures.py` makes it run.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from gateway.capability.expressions.language import Applied

LONGEST_CHAIN = 20  # of filters, of keys, of `and` and `or`; the sandbox says why not more

_TOKEN = re.compile(
    r"""\s*(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<number>-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?)
    |(?P<text>'[^'\\]*'|"[^"\\]*")|(?P<mark>[=!<>]=|[<>.|()\[\],=]))\s*""",
    re.VERBOSE,
)
_WORDS: dict[str, Any] = {"true": True, "false": False, "none": None}
_RESERVED = frozenset({*_WORDS, "and", "else", "if", "in", "is", "not", "or"})
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


class Plain(NamedTuple):
    """`root.key[0] | filter | filter`."""

    root: str
    keys: tuple[str | int, ...]
    filters: tuple[Applied, ...]


class Literal(NamedTuple):
    value: Any


class Tested(NamedTuple):
    """`operand is [not] name`."""

    operand: "Node"
    name: str
    negated: bool


class Compared(NamedTuple):
    """`left op right`; `op` may be `in`."""

    op: str
    left: "Node"
    right: "Node"


class Joined(NamedTuple):
    """`a and b and c`, or the same with `or`."""

    op: str
    operands: tuple["Node", ...]


class Negated(NamedTuple):
    operand: "Node"


Node = Plain | Literal | Tested | Compared | Joined | Negated


class _NotPlainError(Exception):
    """It may be right, but it is not plain."""


class _Token(NamedTuple):
    kind: str
    text: str


def parse_plain(text: str) -> Node | None:
    """The expression in `text` (without braces); None when it is not plain."""
    try:
        reader = _Reader(text)
        node = reader.either()
        reader.take("end")
    except _NotPlainError:
        return None
    return node


class _Reader:
    """One token ahead. The methods go from what binds least to what binds most."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._next = next(self._tokens)

    def take(self, kind: str, text: str | None = None) -> str:
        if not self._sees(kind, text):
            raise _NotPlainError
        taken = self._next.text
        self._next = next(self._tokens, _Token("over", ""))
        return taken

    def either(self) -> Node:
        return self._joined("or", self._all)

    def _all(self) -> Node:
        return self._joined("and", self._negated)

    def _joined(self, word: str, part: Any) -> Node:
        parts = [part()]
        while self._skips("name", word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Joined(word, _short(parts))

    def _negated(self) -> Node:
        if self._skips("name", "not"):
            return Negated(self._compared())
        return self._compared()

    def _compared(self) -> Node:
        """A comparison or a test, never both: Jinja has a reading of its own for that."""
        operand = self._operand()
        if self._skips("name", "is"):
            negated = self._skips("name", "not")
            return Tested(operand, self.take("name"), negated)
        if self._next.text in _COMPARISONS or self._sees("name", "in"):
            op = self.take(self._next.kind)
            return Compared(op, operand, self._operand())
        return operand

    def _operand(self) -> Node:
        if self._sees("mark", "["):
            return Literal(self._list())
        if not self._sees("name") or self._next.text in _WORDS:
            return Literal(self._literal())
        root = self._name()
        return Plain(root, _short(self._keys()), _short(self._filters()))

    def _keys(self) -> Iterator[str | int]:
        while True:
            if self._skips("mark", "."):
                yield self.take("name")
            elif self._skips("mark", "["):
                yield self._key()
                self.take("mark", "]")
            else:
                return

    def _key(self) -> str | int:
        key = self._literal()
        if isinstance(key, (str, int)) and not isinstance(key, bool):
            return key
        raise _NotPlainError

    def _filters(self) -> Iterator[Applied]:
        while self._skips("mark", "|"):
            name = self._name()
            yield self._call(name) if self._skips("mark", "(") else Applied(name)

    def _call(self, name: str) -> Applied:
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        while not self._skips("mark", ")"):
            if args or kwargs:
                self.take("mark", ",")
            self._argument(args, kwargs)
        return Applied(name, tuple(args), tuple(kwargs.items()))

    def _argument(self, args: list[Any], kwargs: dict[str, Any]) -> None:
        if self._sees("name") and self._next.text not in _WORDS:
            name = self._name()
            self.take("mark", "=")
            kwargs[name] = self._literal()
        elif kwargs:
            raise _NotPlainError
        else:
            args.append(self._literal())

    def _list(self) -> list[Any]:
        found: list[Any] = []
        self.take("mark", "[")
        while not self._skips("mark", "]"):
            if found:
                self.take("mark", ",")
            found.append(self._literal())
        return found

    def _literal(self) -> Any:
        if self._sees("text"):
            return self.take("text")[1:-1]
        if self._sees("number"):
            number = self.take("number")
            return float(number) if "." in number else int(number)
        word = self.take("name")
        if word not in _WORDS:
            raise _NotPlainError
        return _WORDS[word]

    def _name(self) -> str:
        name = self.take("name")
        if name in _RESERVED:
            raise _NotPlainError
        return name

    def _sees(self, kind: str, text: str | None = None) -> bool:
        return self._next.kind == kind and text in (None, self._next.text)

    def _skips(self, kind: str, text: str) -> bool:
        """Take the token if it is this one."""
        seen = self._sees(kind, text)
        if seen:
            self.take(kind)
        return seen


def _short(parts: Any) -> tuple[Any, ...]:
    found = tuple(parts)
    if len(found) > LONGEST_CHAIN:
        raise _NotPlainError
    return found


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
