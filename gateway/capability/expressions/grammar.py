"""What of Jinja's grammar the template language has: a closed list of syntax nodes.

Everything not named here is refused at load: calls, assignments, macros, includes, powers. What a
template reads is found on the same walk.
"""

from collections.abc import Iterator
from typing import Any, NoReturn

from jinja2 import nodes

from gateway.capability.expressions.language import (
    Applied,
    Names,
    Position,
    Reads,
    check_filter,
    check_name,
    check_test,
)
from gateway.capability.expressions.values import TemplateError

MOST_NODES = 400
DEEPEST = 30
DEEPEST_LOOP = 2
LARGEST_NUMBER = 10**18

LOOP_FACTS = ("first", "index", "index0", "last", "length")  # of the variable `loop`

_PLAIN = (
    nodes.Add, nodes.And, nodes.Compare, nodes.Concat, nodes.CondExpr, nodes.Dict, nodes.Div,
    nodes.FloorDiv, nodes.Getattr, nodes.Getitem, nodes.If, nodes.Keyword, nodes.List, nodes.Mod,
    nodes.Name, nodes.Neg, nodes.Not, nodes.Operand, nodes.Or, nodes.Output, nodes.Pair, nodes.Pos,
    nodes.Slice, nodes.Sub, nodes.Template, nodes.TemplateData, nodes.Tuple,
)  # fmt: skip
_INSTEAD = {
    nodes.Call: ("nothing can be called in a template", "use a filter: {{ args.x | lower }}"),
    nodes.Pow: ("'**' is not part of the template language", None),
    nodes.Assign: ("a template cannot set names", "write the expression where it is used"),
}


def check_tree(tree: nodes.Node, position: Position, names: Names) -> Reads:
    """What the tree reads; raises TemplateError at the first thing it may not do."""
    walk = _Walk(position, names)
    walk.visit(tree, frozenset(), 0, 0)
    return frozenset(walk.reads)


class _Walk:
    def __init__(self, position: Position, names: Names) -> None:
        self.reads: set[tuple[str, ...]] = set()
        self._position = position
        self._names = names
        self._count = 0

    def visit(self, node: nodes.Node, local: frozenset[str], depth: int, loops: int) -> None:
        """`local` are the names that loops around `node` have bound."""
        self._count += 1
        if self._count > MOST_NODES or depth > DEEPEST:
            raise TemplateError("the template is too large", "do less in one template")
        if isinstance(node, nodes.For):
            self._loop(node, local, depth, loops)
            return
        if self._is_name(node, local):
            return
        self._check(node)
        for child in node.iter_child_nodes():
            self.visit(child, local, depth + 1, loops)

    def _is_name(self, node: nodes.Node, local: frozenset[str]) -> bool:
        """Whether `node` is a name with or without keys; if so, what it reads is noted."""
        root, key = _chain(node)
        if root is None:
            return False
        if root not in local:
            self.reads.add(check_name(root, key, self._names))
        elif root == "loop" and key not in LOOP_FACTS:
            raise TemplateError("'loop' has no such fact", f"there are {', '.join(LOOP_FACTS)}")
        return True

    def _check(self, node: nodes.Node) -> None:
        match node:
            case nodes.Filter():
                self._filter(node)
            case nodes.Test():
                _check_test(node)
            case nodes.Const():
                _check_number(node.value)
            case nodes.Mul():
                _check_factors(node)
            case _ if not isinstance(node, _PLAIN):
                _refuse(node)

    def _filter(self, node: nodes.Filter) -> None:
        if node.node is None or node.dyn_args is not None or node.dyn_kwargs is not None:
            raise TemplateError(f"filter {node.name!r} cannot be used like this")
        keywords: list[Any] = node.kwargs  # Keyword nodes, whatever Jinja's annotation says
        named = tuple((keyword.key, None) for keyword in keywords)
        check_filter(Applied(node.name, (None,) * len(node.args), named), self._position)

    def _loop(self, node: nodes.For, local: frozenset[str], depth: int, loops: int) -> None:
        if loops == DEEPEST_LOOP:
            raise TemplateError(f"loops stand at most {DEEPEST_LOOP} deep")
        if node.recursive:
            raise TemplateError("a loop cannot be recursive")
        self.visit(node.iter, local, depth + 1, loops)
        inner = local | frozenset(_targets(node.target)) | {"loop"}
        for child in (*node.body, *([node.test] if node.test else [])):
            self.visit(child, inner, depth + 1, loops + 1)
        for child in node.else_:
            self.visit(child, local, depth + 1, loops)


def _chain(node: nodes.Node) -> tuple[str | None, str | None]:
    """Root and first key of `root.key…`; the key is None when there is none or it is computed."""
    key: str | None = None
    while True:
        match node:
            case nodes.Name(name=name, ctx="load"):
                return name, key
            case nodes.Getattr(node=inner, attr=attr):
                node, key = inner, attr
            case nodes.Getitem(node=inner, arg=nodes.Const(value=str(value))):
                node, key = inner, value
            case _:
                return None, None


def _targets(target: nodes.Node) -> Iterator[str]:
    """Jinja lets names and tuples of them be assigned, and nothing else."""
    for name in (target, *target.find_all(nodes.Name)):
        if isinstance(name, nodes.Name):
            yield name.name


def _check_test(node: nodes.Test) -> None:
    check_test(node.name)
    if node.args or node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None:
        raise TemplateError(f"test {node.name!r} takes no argument")


def _check_number(value: object) -> None:
    if isinstance(value, (int, float)) and abs(value) > LARGEST_NUMBER:
        raise TemplateError("a number in the template is too large")


def _check_factors(node: nodes.Mul) -> None:
    """The sandbox guards products too; what can be seen now is told now."""
    if _is_sequence(node.left) or _is_sequence(node.right):
        raise TemplateError("'*' multiplies numbers only")


def _is_sequence(node: nodes.Node) -> bool:
    return isinstance(node, (nodes.List, nodes.Tuple)) or (
        isinstance(node, nodes.Const) and isinstance(node.value, str)
    )


def _refuse(node: nodes.Node) -> NoReturn:
    what: Any = type(node)
    message, hint = _INSTEAD.get(what, (f"{{% {what.__name__.lower()} %}} is not allowed", None))
    raise TemplateError(message, hint)
