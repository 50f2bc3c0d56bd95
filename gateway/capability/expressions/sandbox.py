"""The rest of the template language, by Jinja in a sandbox that has only what the format promises.

Jinja parses, `grammar.py` lets through what is allowed, and Jinja compiles that on first use.
Values are entered by mapping key and list index only; arithmetic, loops and texts are bounded (T6,
I49). Importing this module imports Jinja: see `template.py`.
"""

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from time import perf_counter
from typing import Any

from jinja2 import Template as Compiled
from jinja2 import nodes, pass_context
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.exceptions import TemplateSyntaxError
from jinja2.parser import Parser
from jinja2.runtime import Context, LoopContext, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from gateway.capability.expressions.filters import FILTERS, TAKES_NOTHING, nothing, pick
from gateway.capability.expressions.grammar import check_tree
from gateway.capability.expressions.language import (
    FAULTS,
    TESTS,
    Expression,
    Names,
    Position,
    Reads,
    Scope,
    filter_at,
)
from gateway.capability.expressions.values import (
    LARGEST,
    MISSING,
    Absent,
    RenderError,
    TemplateError,
    to_text,
)

MOST_TURNS = 100_000  # of all loops in one rendering
MOST_SECONDS = 0.5  # of one rendering; ordinary ones take a thousandth of it
MOST_BITS = 4096  # of a whole number
_BUDGET = "(budget)"  # no template can spell this name

_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}


@dataclass(frozen=True, slots=True)
class Blocks:
    """A template with `{% %}` in it: text only."""

    reads: Reads
    render: Callable[[Scope], str | Absent]


class _Omitted(Exception):
    """A text reads something missing: all of it is left out."""


class _Budget:
    """What all loops of one rendering share."""

    def __init__(self) -> None:
        self._turns = MOST_TURNS
        self._until = perf_counter() + MOST_SECONDS

    def spend(self) -> None:
        self._turns -= 1
        if self._turns < 0 or perf_counter() > self._until:
            raise RenderError("the loops of the template take too long", "size")


class _Turns:
    """What a loop walks; each turn is paid for."""

    def __init__(self, value: list[Any] | dict[Any, Any], budget: _Budget) -> None:
        self._value = value
        self._budget = budget

    def __len__(self) -> int:
        return len(self._value)

    def __iter__(self) -> Iterator[Any]:
        for each in self._value:
            self._budget.spend()
            yield each


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset(_OPERATIONS)
    intercepted_unops = frozenset("+-")

    def __init__(self, position: Position) -> None:
        super().__init__(
            undefined=StrictUndefined,
            finalize=_finalizer(position),
            optimized=False,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            cache_size=0,
        )
        self.globals.clear()
        self.tests = dict(TESTS)
        self.filters = {name: _wrapped(name, position) for name in FILTERS}
        self.filters |= {
            "~": _concatenated,
            "for": _turns,
            "slice": _sliced,
            "missing": lambda _: MISSING,
            "[]": _without_missing,
            "{}": _without_missing_keys,
        }

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, LoopContext):
            return getattr(obj, attribute)  # the grammar has checked the name
        return pick(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        return self.getattr(obj, argument)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if nothing(left) or nothing(right):
            return MISSING
        if not _are_numbers(left, right) and not (operator == "+" and _are_alike(left, right)):
            raise RenderError(f"{operator!r} needs two numbers")
        return _bounded(_OPERATIONS[operator](left, right))

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:
        if nothing(arg):
            return MISSING
        return -arg if operator == "-" else +arg


class _Guards(NodeTransformer):
    """Puts our own functions where Jinja would do it the Python way."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802  Jinja's naming
        self.generic_visit(node)
        return _call("~", nodes.List(node.nodes))

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call("[]", node)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call("{}", node)

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.expr2 = node.expr2 or _call("missing", nodes.Const(None))
        return node

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.iter = _call("for", node.iter)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if not isinstance(node.arg, nodes.Slice):
            return node
        ends = [end or nodes.Const(None) for end in (node.arg.start, node.arg.stop, node.arg.step)]
        return _call("slice", node.node, *ends)


def read(source: str, position: Position, names: Names) -> tuple[str | Expression, ...] | Blocks:
    """A template's parts, or its blocks. Raises TemplateError."""
    tree = _parsed(lambda: _environment(position).parse(source))
    reads = check_tree(tree, position, names)
    if not all(isinstance(node, nodes.Output) for node in tree.body):
        return Blocks(reads, _renderer(tree, position))
    parts: list[str | Expression] = []
    for node in tree.find_all(nodes.Output):
        for child in node.nodes:
            if isinstance(child, nodes.TemplateData):
                parts.append(child.data)
            else:
                parts.append(_expression(source, child, position, names))
    return tuple(parts)


def read_expression(source: str, position: Position, names: Names) -> Expression:
    """A bare expression. Raises TemplateError."""
    return _expression(source, _parsed(lambda: _parse_bare(source, position)), position, names)


def _parse_bare(source: str, position: Position) -> nodes.Expr:
    parser = Parser(_environment(position), source, state="variable")
    tree = parser.parse_expression()
    if not parser.stream.eos:
        raise TemplateSyntaxError("there is more after the expression", 1)
    return tree


def _expression(source: str, tree: nodes.Expr, position: Position, names: Names) -> Expression:
    reads = check_tree(tree, position, names)
    body = nodes.Assign(nodes.Name("result", "store"), tree, lineno=1)
    compiled = _compiler(nodes.Template([body], lineno=1), position)

    def evaluate(scope: Scope) -> Any:
        template = compiled()
        context = template.new_context(dict(scope), shared=True)
        try:
            list(template.root_render_func(context))  # an assignment: it yields no text
        except JinjaError as error:
            raise RenderError(f"the template fails ({type(error).__name__})") from None
        return context.vars["result"]

    return Expression(source, reads, evaluate)


def _renderer(tree: nodes.Template, position: Position) -> Callable[[Scope], str | Absent]:
    compiled = _compiler(tree, position)

    def render(scope: Scope) -> str | Absent:
        template = compiled()
        context = template.new_context({**scope, _BUDGET: _Budget()}, shared=True)
        try:
            return _collected(template.root_render_func(context))
        except _Omitted:
            return MISSING
        except RenderError:
            raise
        except (JinjaError, *FAULTS) as error:
            raise RenderError(f"the template fails ({type(error).__name__})") from None

    return render


def _collected(texts: Iterator[str]) -> str:
    """The whole text; stops at once when it grows too long."""
    kept: list[str] = []
    size = 0
    for text in texts:
        size += len(text)
        if size > LARGEST:
            raise RenderError("the text grows too long", "size")
        kept.append(text)
    return "".join(kept)


def _parsed(parse: Callable[[], Any]) -> Any:
    try:
        return parse()
    except TemplateSyntaxError as error:
        message = str(error.message)
        if message.startswith("unexpected end of template"):
            raise TemplateError("a '{{' or '{%' is not closed", "such as {{ args.x }}") from None
        raise TemplateError(f"not a template: {message}") from None
    except (RecursionError, ValueError, OverflowError) as error:
        raise TemplateError(f"not a template: {type(error).__name__}") from None


def _compiler(tree: nodes.Template, position: Position) -> Callable[[], Compiled]:
    """Compiles `tree` once, when it is first asked for (about 300 µs)."""

    @lru_cache(maxsize=1)
    def compiled() -> Compiled:
        environment = _environment(position)
        guarded = _Guards().visit(tree)
        guarded.set_environment(environment)
        return environment.from_string(guarded)

    return compiled


@lru_cache(maxsize=len(Position))
def _environment(position: Position) -> _Environment:
    return _Environment(position)


def _call(name: str, value: nodes.Node, *args: nodes.Node) -> nodes.Filter:
    return nodes.Filter(value, name, list(args), [], None, None, lineno=1)


def _wrapped(name: str, position: Position) -> Callable[..., Any]:
    """A filter as in a plain chain: nothing in gives nothing out."""
    function = filter_at(name, position)
    if name in TAKES_NOTHING:
        return function
    return lambda value, *args, **kwargs: (
        MISSING if nothing(value) else function(value, *args, **kwargs)
    )


def _shown(value: Any) -> str:
    if nothing(value):
        raise _Omitted
    return to_text(value)


def _finalizer(position: Position) -> Callable[[Any], str]:
    shown = position.shown
    return (lambda value: "" if nothing(value) else shown(value)) if position.blank else _shown


def _without_missing(values: list[Any]) -> Any:
    return [value for value in values if not isinstance(value, Absent)]


def _without_missing_keys(values: dict[Any, Any]) -> Any:
    return {key: value for key, value in values.items() if not isinstance(value, Absent)}


def _concatenated(values: list[Any]) -> Any:
    if any(map(nothing, values)):
        return MISSING
    return _bounded("".join(map(to_text, values)))


@pass_context
def _turns(context: Context, value: Any) -> Any:
    """The elements a loop walks; all loops of a rendering share one budget of turns."""
    if nothing(value):
        if context.environment.finalize is _shown:
            raise _Omitted
        return ()
    if not isinstance(value, (list, dict)):
        raise RenderError("a loop needs a list or an object")
    return _Turns(value, context.parent[_BUDGET])


def _sliced(value: Any, start: Any, stop: Any, step: Any) -> Any:
    if nothing(value):
        return MISSING
    if not isinstance(value, (str, list)) or step not in (None, 1):
        raise RenderError("a slice needs a text or a list")
    return value[start:stop]


def _are_numbers(left: Any, right: Any) -> bool:
    return isinstance(left, (int, float)) and isinstance(right, (int, float))


def _are_alike(left: Any, right: Any) -> bool:
    return (isinstance(left, str) and isinstance(right, str)) or (
        isinstance(left, list) and isinstance(right, list)
    )


def _bounded(value: Any) -> Any:
    if isinstance(value, (str, list)) and len(value) > LARGEST:
        raise RenderError("the text grows too long", "size")
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        raise RenderError("the number grows too large")
    return value
