"""A schema node with its reference followed and its `allOf` become one."""

from collections.abc import Mapping
from typing import Any

from gateway.importers.openapi.document import Document

DEEPEST = 20  # of `allOf` in `allOf`
MOST_MEMBERS = 200


def merged(document: Document, node: Any, depth: int = 0) -> Any:
    """A mapping without `$ref` and `allOf`, a boolean, or None for nothing.

    Each node is worked out once: documents build schemas of schemas many times over.
    """
    known = document.merged.get(id(node))
    if known is not None and known[0] is node:
        return known[1]
    document.merged[id(node)] = (node, None)  # what comes back to itself finds nothing here
    found = _merged(document, node, depth)
    document.merged[id(node)] = (node, found)
    return found


def _merged(document: Document, node: Any, depth: int) -> Any:
    seen = document.see(node)
    if not isinstance(seen, Mapping):
        return seen if isinstance(seen, bool) else None
    if seen is not node and isinstance(node, Mapping):
        beside = {key: value for key, value in node.items() if key in ("description", "nullable")}
        seen = {**seen, **beside} if beside else seen
    parts = seen.get("allOf")
    if not isinstance(parts, list) or not parts or depth > DEEPEST:
        return seen
    whole: dict[str, Any] = {}
    for part in (*parts[:MOST_MEMBERS], {k: v for k, v in seen.items() if k != "allOf"}):
        inner = merged(document, part, depth + 1)
        if isinstance(inner, Mapping):
            _add(whole, inner, document)
    return whole


def united(document: Document, seen: Any) -> Any:
    """An object that is one of several becomes one with the members of them all: those that each of
    them requires are required.
    """
    if not isinstance(seen, Mapping):
        return seen
    choices = [
        merged(document, each) for each in document.listed(seen.get("oneOf", seen.get("anyOf")))
    ]
    parts = [each for each in choices if isinstance(each, Mapping)]
    if not parts:
        return seen
    properties: dict[str, Any] = {}
    for part in (*parts, seen):
        properties |= document.mapping(part.get("properties"))
    shared = [set(document.listed(part.get("required"))) for part in parts]
    required = [*document.listed(seen.get("required")), *sorted(set.intersection(*shared), key=str)]
    kept = {key: value for key, value in seen.items() if key not in ("oneOf", "anyOf")}
    return {**kept, "type": "object", "properties": properties, "required": required}


def _add(whole: dict[str, Any], part: Mapping[str, Any], document: Document) -> None:
    """What both say of one thing: lists of names are joined, otherwise the later word holds."""
    for key, value in part.items():
        before = whole.get(key)
        if key == "properties":
            properties = document.mapping(value)
            whole[key] = {**before, **properties} if isinstance(before, dict) else properties
        elif key == "required" and isinstance(value, list) and isinstance(before, list):
            whole[key] = [*before, *value]
        elif key in ("oneOf", "anyOf") and isinstance(before, list):
            continue  # both choices at once cannot be said here: the first one stays
        elif key == "additionalProperties" and before is not None:
            whole.pop(key)  # one part must not refuse what another one names
        else:
            whole[key] = value
