"""The texts below the fields of a Struct: written once, read in the code and in editors."""

import ast
import inspect
import itertools
import textwrap
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect as types


def field_docs(struct: type) -> dict[str, str]:
    """The field's name in a file → its text, inherited ones first; without one it is left out."""
    found: dict[str, str] = {}
    names = {field.name: field.encode_name for field in msgspec.structs.fields(struct)}
    for base in reversed(struct.__mro__):
        if issubclass(base, msgspec.Struct) and base is not msgspec.Struct:
            found |= {names[name]: text for name, text in _own(base)}
    return found


def _own(struct: type) -> Iterator[tuple[str, str]]:
    """The attribute's name and text, of those that stand in this class."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(struct))).body[0]
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    for field, text in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            doc = _text(text)
            if doc:
                yield field.target.id, doc


def structs(root: type) -> list[type]:
    """`root` and every Struct that a field of it can hold, in order of appearance."""
    found: dict[type, None] = {}
    _gather(types.type_info(root), found)
    return list(found)


def _gather(info: Any, found: dict[type, None]) -> None:
    if isinstance(info, types.StructType):
        if info.cls in found:
            return
        found[info.cls] = None
    for inner in _inside(info):
        _gather(inner, found)


def _inside(info: Any) -> Iterator[Any]:
    if isinstance(info, types.StructType):
        yield from (field.type for field in info.fields)
    elif isinstance(info, types.UnionType):
        yield from info.types
    elif isinstance(info, types.DictType):
        yield info.value_type
    elif isinstance(info, types.VarTupleType | types.ListType):
        yield info.item_type
    elif isinstance(info, types.Metadata):
        yield info.type


def _text(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        value = statement.value.value
        return inspect.cleandoc(value) if isinstance(value, str) else None
    return None
