"""What may be wrong with one tool's definition, and what is not for reading in it.

The rule: nothing recurses before the depth has been looked at, and no `$ref` is ever followed
(I53).
Source: schema.ts, Tool; 2026-07-28, server/tools "Input Schema" and "Custom Headers".
"""

from collections.abc import Iterator, Mapping
from operator import is_
from typing import Any
from urllib.parse import urldefrag, urljoin

from gateway.domain.text import visible
from gateway.domain.tool import JsonObject
from gateway.protocol.header_values import ANNOTATION, mirrors

DEEPEST = 128  # nested objects and arrays
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
DATA = frozenset(
    {"const", "default", "enum", "examples", "example", "_meta"}
)  # JSON values, no schemas
MAPS = frozenset(
    {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}
)  # their members are named by the author, and are schemas
WORDS = frozenset({"title", "description"})


class Oddity(ValueError):
    """A definition that cannot be taken; the text says why."""


def check(tool: JsonObject, data: bytes) -> None:
    """`data` is the same in JSON, of bounded depth. Raises Oddity."""
    _check_input(tool.get("inputSchema"))
    output = tool.get("outputSchema")
    if output is not None and not isinstance(output, Mapping):
        raise Oddity("its outputSchema is no object")
    if b'ef":' in data:
        for key in ("inputSchema", "outputSchema"):
            foreign = next(remote(tool.get(key)), None)
            if foreign is not None:
                raise Oddity(f"its {key} refers to another document: {foreign[:80]!a}")
    if ANNOTATION.encode() in data:
        try:
            mirrors(tool["inputSchema"])
        except ValueError as error:
            raise Oddity(str(error)) from None


def _check_input(schema: Any) -> None:
    if not isinstance(schema, Mapping):
        raise Oddity(f"its inputSchema is {'missing' if schema is None else 'no object'}")
    if schema.get("type") != "object":
        raise Oddity("its inputSchema is not of type object")
    properties = schema.get("properties", {})
    if not isinstance(properties, Mapping):
        raise Oddity("the properties of its inputSchema are no object")
    if not all(isinstance(each, Mapping | bool) for each in properties.values()):
        raise Oddity("a property of its inputSchema is no schema")
    required = schema.get("required", [])
    if not isinstance(required, list) or not all(isinstance(each, str) for each in required):
        raise Oddity("what its inputSchema requires is no list of names")


def check_depth(item: JsonObject) -> None:
    """Raises Oddity."""
    if deeper(item, DEEPEST):
        raise Oddity(f"it is nested deeper than {DEEPEST} levels")


def deeper(value: Any, most: int) -> bool:
    """Whether more than `most` objects and arrays are nested in one another."""
    level = [value]
    for _ in range(most + 1):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def remote(schema: Any) -> Iterator[str]:
    """References that lead out of the document."""
    nodes = list(_schemas(schema))
    root = nodes[0].get("$id") if nodes else None
    base = root if isinstance(root, str) else ""
    own = {_document(base, id) for id in _texts(nodes, ("$id",))} | {_document(base, "")}
    for reference in _texts(nodes, REFERENCES):
        document = None if reference.startswith("#") else _document(base, reference)
        if not reference.startswith("#") and (document is None or document not in own):
            yield reference


def _document(base: str, reference: str) -> str | None:
    try:
        return urldefrag(urljoin(base, reference)).url
    except ValueError:
        return None


def _texts(nodes: list[Mapping[str, Any]], keys: tuple[str, ...]) -> Iterator[str]:
    for node in nodes:
        for key in keys:
            if isinstance(node.get(key), str):
                yield node[key]


def _schemas(schema: Any) -> Iterator[Mapping[str, Any]]:
    """`schema` and every schema in it; what only holds data is not looked into."""
    waiting: list[Any] = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        if not isinstance(node, Mapping):
            continue
        yield node
        for key, value in node.items():
            if key in MAPS and isinstance(value, Mapping):
                waiting += value.values()
            elif key not in DATA:
                waiting.append(value)


def cleaned(node: Any, *, named: bool = False) -> Any:
    """`node` without hidden characters in titles and descriptions; itself when there are none.

    Names and data stay as they are. `named`: its members are named by the author. The depth has
    been checked.
    """
    if isinstance(node, list):
        items = [cleaned(item) for item in node]
        return node if all(map(is_, items, node)) else items
    if not isinstance(node, dict):
        return node
    members = {key: _cleaned_member(key, value, named) for key, value in node.items()}
    return node if all(map(is_, members.values(), node.values())) else members


def _cleaned_member(key: str, value: Any, named: bool) -> Any:  # noqa: FBT001  of `cleaned`
    if named:
        return cleaned(value)
    if key in WORDS and isinstance(value, str):
        clean = visible(value)
        return value if clean == value else clean
    return value if key in DATA else cleaned(value, named=key in MAPS)
