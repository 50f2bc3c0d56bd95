"""Templates: Jinja syntax, read once at load, into the values and texts of a call (§3.2, §3.3).

A template is plain text with expressions (joined here, part by part), or it has `{% %}` blocks
(then Jinja renders it). Only the file's own text is ever compiled: argument and response values are
data. Jinja is imported when the first template needs it: that costs 60 ms, and most never do.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from gateway.capability.expressions.closures import compile_plain
from gateway.capability.expressions.filters import nothing, within_size
from gateway.capability.expressions.language import Expression, Names, Position, Reads, Scope
from gateway.capability.expressions.values import MISSING, Absent, RenderError, TemplateError

LONGEST = 8192  # characters of one template

Part = str | Expression

_EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_OPENS = re.compile(r"\{[{%#]")


@dataclass(frozen=True, slots=True)
class Template:
    """`source` compiled for one `position`.

    `value` keeps the type of a lone `{{ expression }}`; anything else is text. Both give MISSING
    where the omission rule says so, and raise RenderError (in a MESSAGE they give MISSING instead).
    """

    source: str
    position: Position
    reads: Reads
    single: Expression | None
    _text: Callable[[Scope], str | Absent]

    def value(self, scope: Scope) -> Any:
        if self.single is None:
            return self.text(scope)
        try:
            return self.single.value(scope)
        except RenderError:
            if self.position.lenient:
                return MISSING
            raise

    def text(self, scope: Scope) -> str | Absent:
        try:
            return self._text(scope)
        except RenderError:
            if self.position.lenient:
                return MISSING
            raise


def compile_template(source: str, *, position: Position, names: Names) -> Template:
    """Raises TemplateError: what is wrong with `source`, with a hint."""
    _check_length(source)
    if not has_template(source):
        return Template(source, position, frozenset(), None, lambda _: source)
    parts = _split_plain(source, position, names)
    if parts is None:
        found = _sandbox().read(source, position, names)
        if not isinstance(found, tuple):
            return Template(source, position, found.reads, None, found.render)
        parts = found
    reads = frozenset(read for part in parts if isinstance(part, Expression) for read in part.reads)
    single = parts[0] if len(parts) == 1 and isinstance(parts[0], Expression) else None
    return Template(source, position, reads, single, _joiner(parts, position))


def compile_expression(source: str, *, names: Names) -> Expression:
    """An expression without braces, for `when:` and `check:`. Raises TemplateError."""
    _check_length(source)
    if has_template(source):
        raise TemplateError("an expression stands without braces", "such as body.ok == false")
    plain = compile_plain(source, Position.MESSAGE, names)
    if plain is None:
        found: Expression = _sandbox().read_expression(source, Position.MESSAGE, names)
        return found
    return plain


def has_template(text: str) -> bool:
    return _OPENS.search(text) is not None


def split(source: str, *, position: Position, names: Names) -> tuple[Part, ...]:
    """`source` as literal texts and expressions in turn. Raises TemplateError, for blocks too."""
    _check_length(source)
    parts = _split_plain(source, position, names)
    if parts is None:
        found = _sandbox().read(source, position, names)
        if not isinstance(found, tuple):
            raise TemplateError(f"a {position} has no {{% %}}", "use filters, or two tools")
        return found
    return parts


def _split_plain(source: str, position: Position, names: Names) -> tuple[Part, ...] | None:
    """As `split`, when every expression is plain; None to let Jinja have a look."""
    pieces = _EXPRESSION.split(source)
    if any(map(has_template, pieces[::2])):
        return None
    parts: list[Part] = []
    for index, piece in enumerate(pieces):
        if index % 2 == 0:
            parts += [piece] if piece else []
            continue
        plain = compile_plain(piece, position, names)
        if plain is None:
            return None
        parts.append(plain)
    return tuple(parts)


def _joiner(parts: tuple[Part, ...], position: Position) -> Callable[[Scope], str | Absent]:
    """Text of all parts; a part that gives nothing makes it MISSING, or stays empty."""
    shown, blank = position.shown, position.blank

    def join(scope: Scope) -> str | Absent:
        texts: list[str] = []
        for part in parts:
            if isinstance(part, str):
                texts.append(part)
                continue
            value = part.value(scope)
            if not nothing(value):
                texts.append(shown(value))
            elif not blank:
                return MISSING
        return within_size("".join(texts))

    return join


def _check_length(source: str) -> None:
    if len(source) > LONGEST:
        raise TemplateError(f"a template of {len(source)} characters; {LONGEST} are allowed")


def _sandbox() -> ModuleType:
    from gateway.capability.expressions import sandbox  # noqa: PLC0415  see the module's docstring

    return sandbox
