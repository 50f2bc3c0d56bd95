"""Arguments that a tool's inputSchema admits, made the same way each time.

Twice for each tool: with what is required, and with everything there is. What the author of the
schema gives as an example or a default is taken, as far as the schema admits that.
"""

import base64
import contextlib
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jsonschema_rs

from benchmarks.openapi_patterns import matching

Schema = Any  # a JSON Schema: an object, true or false

DEEPEST = 5  # levels down to which properties that are not required are given
MOST_BRANCHES = 20  # ways through `oneOf` and `anyOf`
MOST_WAYS = 60  # values to try for one part
WORDS = {
    "date": "2026-01-15",
    "date-time": "2026-01-15T12:30:00Z",
    "time": "12:30:00Z",
    "duration": "P1D",
    "email": "ann@example.com",
    "idn-email": "ann@example.com",
    "uri": "https://example.com/a",
    "url": "https://example.com/a",
    "uri-reference": "https://example.com/a",
    "iri": "https://example.com/a",
    "uuid": "5f0c2a3e-1b2c-4d3e-8f4a-5b6c7d8e9f00",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "byte": base64.b64encode(b"four").decode(),
    "json-pointer": "/a",
    "regex": "a",
}


class Unsatisfied(Exception):
    """Nothing was found that the schema admits; the text says of which part."""


def required_only(schema: Schema) -> dict[str, Any]:
    """Raises Unsatisfied."""
    return Arguments(schema, everything=False).all()


def everything(schema: Schema) -> dict[str, Any]:
    """Raises Unsatisfied."""
    return Arguments(schema, everything=True).all()


class Arguments:
    """One way through the schema of one tool."""

    def __init__(self, schema: Schema, *, everything: bool) -> None:
        self._root = schema
        self._everything = everything

    def all(self) -> dict[str, Any]:
        for tried in self._ways(self._root, 0):
            if self._admits(self._root, tried):
                return dict(tried)
        raise Unsatisfied("the whole schema")

    def _value(self, schema: Schema, depth: int) -> Any:
        for tried in itertools.islice(self._ways(schema, depth), MOST_WAYS):
            if self._admits(schema, tried):
                return tried
        raise Unsatisfied(str(schema)[:200])

    def _ways(self, schema: Schema, depth: int) -> Iterator[Any]:
        """Values for it, likeliest first; some may not be admitted."""
        if isinstance(schema, bool):
            yield "text"
            return
        schema = self._followed(schema)
        branches = _texts_first(list(itertools.islice(self._branches(schema), MOST_BRANCHES)))
        for branch in branches if depth else ():
            yield from _given(branch)
        for much in (self._everything, not self._everything):
            other = Arguments(self._root, everything=much)
            for branch in branches:
                for kind in _kinds(branch):
                    with contextlib.suppress(Unsatisfied):
                        yield other._of_kind(kind, branch, depth)

    def _followed(self, schema: dict[str, Any]) -> dict[str, Any]:
        for _ in range(50):
            if "$ref" not in schema:
                return schema
            found: Any = self._root
            for part in schema["$ref"].removeprefix("#").split("/")[1:]:
                found = found[part.replace("~1", "/").replace("~0", "~")]
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**found, **beside} if isinstance(found, dict) else beside
        raise Unsatisfied("references without an end")

    def _branches(self, schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The schema with `allOf` merged in, once with each of `anyOf` and `oneOf`."""
        merged = {k: v for k, v in schema.items() if k not in {"allOf", "anyOf", "oneOf"}}
        for part in schema.get("allOf", ()):
            merged = _merged(merged, self._flat(part))
        choices = [schema[word] for word in ("oneOf", "anyOf") if schema.get(word)]
        for choice in itertools.product(*choices):
            branch = merged
            for part in choice:
                branch = _merged(branch, self._flat(part))
            yield branch

    def _flat(self, schema: Schema) -> dict[str, Any]:
        if isinstance(schema, bool):
            return {}
        return next(self._branches(self._followed(schema)))

    def _of_kind(self, kind: str, schema: dict[str, Any], depth: int) -> Any:
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, depth)
        if kind == "string":
            return _string(schema)
        if kind in {"integer", "number"}:
            return _number(schema, whole=kind == "integer")
        return kind == "boolean" or None

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        required, properties = set(schema.get("required", ())), schema.get("properties", {})
        found: dict[str, Any] = {}
        for name, each in properties.items():
            if name in required:
                found[name] = self._value(each, depth + 1)
            elif self._everything and depth < DEEPEST:
                with contextlib.suppress(Unsatisfied):
                    found[name] = self._value(each, depth + 1)
        others = schema.get("additionalProperties", True)
        for name in sorted(required - found.keys()):
            found[name] = self._value(others, depth + 1)
        self._add_members(schema, found, depth)
        return found

    def _add_members(self, schema: dict[str, Any], found: dict[str, Any], depth: int) -> None:
        """As many as there must be, and one in any case: an empty object is nothing in a form."""
        properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        wanted = self._everything or bool(properties)
        least = schema.get("minProperties", int(wanted and 0 < depth < DEEPEST))
        spare = [name for name in properties if name not in found]
        spare += [f"key{number}" for number in range(least)] if others is not False else []
        for name in spare[: max(0, least - len(found))]:
            with contextlib.suppress(Unsatisfied):
                found[name] = self._value(properties.get(name, others), depth + 1)

    def _array(self, schema: dict[str, Any], depth: int) -> list[Any]:
        least = schema.get("minItems", 0)
        items = schema.get("items", True)
        wanted = max(least, int(depth < DEEPEST))  # an empty list is nothing in most places
        wanted = min(wanted, schema.get("maxItems", wanted))
        if not wanted:
            return []
        if schema.get("uniqueItems") and wanted > 1:
            return self._different(items, wanted, depth)
        try:
            return [self._value(items, depth + 1)] * wanted
        except Unsatisfied:
            if least:
                raise
            return []

    def _different(self, items: Schema, wanted: int, depth: int) -> list[Any]:
        followed = self._followed(items) if isinstance(items, dict) else {}
        found = list(followed.get("enum", ()))[:wanted]
        one = self._value(items, depth + 1)
        for number in range(len(found), wanted):
            found.append(f"{one}{number}" if isinstance(one, str) else one)
        return found

    def _admits(self, schema: Schema, value: Any) -> bool:
        if isinstance(schema, bool):
            return schema
        whole = (
            {**schema, "$defs": self._root.get("$defs", {})} if "$defs" in self._root else schema
        )
        try:
            return bool(_validator(whole).is_valid(value))
        except ValueError:
            return True  # not for us to say: the call will tell


def _validator(schema: dict[str, Any]) -> Any:
    """Raises ValueError."""
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def _given(schema: dict[str, Any]) -> Iterator[Any]:
    """What the schema itself names."""
    if "const" in schema:
        yield schema["const"]
    for word in ("example", "default"):
        if schema.get(word) is not None:
            yield schema[word]
    examples = schema.get("examples")
    yield from (examples if isinstance(examples, list) else ())
    yield from sorted(schema.get("enum", ()), key=lambda one: one is None or one == "")


def _kinds(schema: dict[str, Any]) -> Sequence[str]:
    said = schema.get("type")
    if isinstance(said, str):
        return [said]
    if isinstance(said, list):
        return sorted(said, key=lambda kind: kind == "null")
    if "properties" in schema or "additionalProperties" in schema:
        return ["object"]
    if "items" in schema:
        return ["array"]
    numeric = {"minimum", "maximum", "multipleOf"} & schema.keys()
    return ["number", "string"] if numeric else ["string", "integer", "boolean", "object", "array"]


def _texts_first(branches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of `integer` or `string`, say, the text: in a path `1` would be both."""
    kinds = [_kinds(branch)[0] for branch in branches]
    if not set(kinds) <= {"string", "integer", "number", "boolean"}:
        return branches
    return sorted(branches, key=lambda branch: _kinds(branch)[0] != "string")


def _merged(one: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both at once; where both say something of a property, that is merged too."""
    found = {**one, **other}
    if "properties" in one and "properties" in other:
        mine, theirs = one["properties"], other["properties"]
        both = {name: _both(mine[name], theirs[name]) for name in mine.keys() & theirs.keys()}
        found["properties"] = {**mine, **theirs, **both}
    if "required" in one or "required" in other:
        found["required"] = sorted({*one.get("required", ()), *other.get("required", ())})
    if "enum" in one and "enum" in other:
        found["enum"] = [value for value in one["enum"] if value in other["enum"]]
    return found


def _both(one: Schema, other: Schema) -> Schema:
    if isinstance(one, dict) and isinstance(other, dict):
        return {"allOf": [one, other]}
    return other if one is True else one


def _number(schema: Mapping[str, Any], *, whole: bool) -> float:
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    most = schema.get("maximum", schema.get("exclusiveMaximum"))
    step = schema.get("multipleOf") or (1 if whole else 0)
    found: float = least if least is not None else 1 if most is None or most >= 1 else most
    if step:
        found = math.ceil(found / step) * step
    if found == schema.get("exclusiveMinimum"):
        found += step or (0.5 if most is None else (most - found) / 2)
    if found == schema.get("exclusiveMaximum"):
        found -= step or 0.5
    return int(found) if whole or found == int(found) else found


def _string(schema: Mapping[str, Any]) -> str:
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", math.inf)
    if schema.get("contentEncoding") == "base64":
        return WORDS["byte"]
    if schema.get("format") in WORDS:
        return WORDS[schema["format"]]
    if "pattern" in schema:
        return matching(schema["pattern"], shortest, longest)
    text = "text"
    text += "x" * max(0, shortest - len(text))
    return text[: int(min(longest, len(text)))]
