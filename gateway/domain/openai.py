"""Tools as OpenAI's API takes functions, and back from the name of a function to the tool. Pure.

The rule: a name is made of its tool alone, `mcp_{server}__{tool}` wherever that says which tool it
is, so that it stays the same whatever else is offered. Any other ends in digits made of both parts.
Source: OpenAI API reference, Chat Completions, `tools`; what of JSON Schema is refused there.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from gateway.domain.naming import LONGEST, MARK, Owned, marked
from gateway.domain.tool import JsonObject, Tool, ToolRef

PREFIX = "mcp_"
BETWEEN = "__"
REFUSED = ("oneOf", "anyOf", "allOf", "enum", "not")  # at the top of `parameters`
BRANCHES = ("allOf", "anyOf", "oneOf")
DATA = frozenset({"const", "default", "enum", "examples", "example"})  # JSON values, no schemas
MAPS = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})

NODES = (dict, list)

_encode = msgspec.json.Encoder().encode
_ODD = re.compile(r"[^a-zA-Z0-9_-]")
_MARKED = re.compile(rf"_[0-9a-f]{{{MARK}}}")


def names(refs: Iterable[ToolRef]) -> Mapping[ToolRef, str]:
    """A name for each, no two alike, of at most 64 letters, digits, `_` and `-`."""
    found: dict[ToolRef, str] = {}
    rest: list[ToolRef] = []
    for ref in refs:
        name = f"{PREFIX}{ref.backend}{BETWEEN}{ref.name}"
        if _plain(ref, name):
            found[ref] = name
        else:
            rest.append(ref)
    taken: set[str] = set()  # no plain name looks like these
    for ref in sorted(rest):
        name = _ODD.sub("_", f"{PREFIX}{ref.backend}{BETWEEN}{ref.name}")
        own = next(one for one in marked(Owned(*ref), name) if one not in taken)
        found[ref] = own
        taken.add(own)
    return found


def ref_of(name: str, tools: Iterable[Tool]) -> ToolRef | None:
    """The one of `tools` (a catalogue is such) that has that name there; None when there is none.

    Whoever asks often keeps `names` the other way round.
    """
    found = names(tool.ref for tool in tools)
    return next((ref for ref, own in found.items() if own == name), None)


def function(tool: Tool, name: str) -> JsonObject:
    """One of `tools` in a request to such an API; `strict` is left to whoever asks."""
    about = {"description": tool.description} if tool.description else {}
    said = {"name": name, **about, "parameters": parameters(tool.input_schema)}
    return {"type": "function", "function": said}


def answer(tools: Iterable[Tool], made: Callable[[Tool, str], Any] = function) -> JsonObject:
    """`{tools, names}`: the value of `tools` in a request, and by the name of each function its
    `{server, tool}`. `made` is how a function is made.
    """
    listed = [*tools]
    found = names(tool.ref for tool in listed)
    return {
        "tools": [made(tool, found[tool.ref]) for tool in listed],
        "names": {name: {"server": ref.backend, "tool": ref.name} for ref, name in found.items()},
    }


def parameters(schema: JsonObject) -> JsonObject:
    """`schema` where that is taken; else with no more changed than has to be.

    The root is an object with properties. Of alternatives at the root, which are refused, the
    arguments stay: those that every alternative asks for are required. Lists say what is in them.
    The tool's own server still checks what it is given against all of `schema`.
    """
    if _fine(schema):
        return schema
    root = {key: value for key, value in schema.items() if key not in REFUSED}
    properties: dict[str, Any] = {}
    required: dict[str, None] = {}
    for branch in (schema, *_branches(schema)):
        for name, one in _object(branch, "properties").items():
            properties.setdefault(name, one)
    for name in (*_required(schema), *_demanded(schema)):
        required[name] = None
    root |= {"type": "object", "properties": properties}
    if required:
        root["required"] = [*required]
    fitted: JsonObject = _fitted(root)
    return fitted


def _plain(ref: ToolRef, name: str) -> bool:
    """Whether the name says by itself which tool it is: the first `__` parts the two."""
    return (
        len(name) <= LONGEST
        and _ODD.search(name) is None
        and BETWEEN not in ref.backend
        and not ref.backend.endswith("_")
        and not _MARKED.fullmatch(name[-MARK - 1 :])
    )


# -- schemas ----------------------------------------------------------------------------------


def _fine(schema: JsonObject) -> bool:
    """Whether it is taken as it is, at a glance: it does not so much as speak of lists."""
    return (
        schema.get("type") == "object"
        and isinstance(schema.get("properties"), Mapping)
        and schema.keys().isdisjoint(REFUSED)
        and b'"array"' not in _encode(schema)
    )


def _branches(schema: JsonObject) -> Iterator[JsonObject]:
    for key in BRANCHES:
        yield from _of(schema, key)


def _of(schema: JsonObject, key: str) -> Iterator[JsonObject]:
    """The alternatives at the root, references inside the schema followed once."""
    listed = schema.get(key)
    for branch in listed if isinstance(listed, list) else ():
        found = _referred(branch, schema)
        if isinstance(found, Mapping):
            yield found


def _referred(branch: Any, root: JsonObject) -> Any:
    reference = branch.get("$ref") if isinstance(branch, Mapping) else None
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return branch
    place: Any = root
    for key in reference.removeprefix("#/").split("/"):
        place = place.get(key) if isinstance(place, Mapping) else None
    return place


def _demanded(schema: JsonObject) -> Iterator[str]:
    """What all alternatives ask for."""
    for branch in _of(schema, "allOf"):
        yield from _required(branch)
    for key in ("anyOf", "oneOf"):
        asked = [_required(branch) for branch in _of(schema, key)]
        if asked:
            yield from (name for name in asked[0] if all(name in one for one in asked))


def _required(schema: JsonObject) -> list[str]:
    found = schema.get("required")
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _object(schema: JsonObject, key: str) -> JsonObject:
    found = schema.get(key)
    return found if isinstance(found, Mapping) else {}


def _fitted(node: Any, *, named: bool = False) -> Any:
    """Lists without `items`, or with one for each place, are refused at any depth. `named`: its
    members are named by the author.
    """
    if isinstance(node, list):
        return [_fitted(item) if type(item) in NODES else item for item in node]
    made = {
        key: _fitted(value, named=not named and key in MAPS)
        if type(value) in NODES and (named or key not in DATA)
        else value
        for key, value in node.items()
    }
    if named:
        return made
    kinds = made.get("type")
    if kinds == "array" or (isinstance(kinds, list) and "array" in kinds):
        items = made.get("items")
        if isinstance(items, list):
            made["prefixItems"] = items
        if not isinstance(items, dict):
            made["items"] = {}
    return made
