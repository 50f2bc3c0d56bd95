"""The schemas of a document as the JSON Schema of ours: local, inlined, of a sensible size.

The rule: what we do not understand, or have no room for, is left out, which allows more and refuses
nothing that the API takes. References that come back to themselves are cut.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.importers.openapi.document import Document
from gateway.importers.openapi.merging import merged
from gateway.importers.openapi.schema_parts import (
    allow_null,
    is_pattern,
    kinds_of,
    outline,
    required_names,
    take_bounds,
    take_values,
    whole_number,
)
from gateway.importers.wording import words

_FORMAT = re.compile(r"(?!binary|password|string)[a-z][a-z0-9_.-]{1,30}")
_JS_LITERAL = re.compile(r"/(\^.*\$)/[a-z]*", re.DOTALL)
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")


class TooLarge(Exception):
    """With so much detail the schema is larger than it may be."""


@dataclass(frozen=True, slots=True)
class Detail:
    """`depth` levels of objects and lists; texts of `words` characters, of the outer levels more;
    `room` for so many parts in all.
    """

    depth: int
    words: int
    room: int = 250


DETAILS = (Detail(8, 300), Detail(5, 160), Detail(4, 100), Detail(3, 60), Detail(2, 60))
LEAST = Detail(1, 40, 4_000)
DEEP = "deep schemas are cut: what may stand below is described by the API only"


@dataclass(slots=True)
class Converter:
    """Converts for one operation. `notes` are what a reviewer should know.

    What must be there is marked `required: true` beside it, as in `args`.
    """

    document: Document
    detail: Detail
    notes: dict[str, None] = field(default_factory=dict)
    _parts: int = 0
    _losses: int = 0  # what was left out so far
    _trail: list[int] = field(default_factory=list)

    def schema(self, node: Any, depth: int = 0) -> dict[str, Any]:
        """For what a request holds: `readOnly` members are left out. Raises TooLarge."""
        self._parts += 1
        if self._parts > self.detail.room and self.detail is not LEAST:
            raise TooLarge
        seen = merged(self.document, node)
        if not isinstance(seen, Mapping):
            return {"not": {}} if seen is False else {}
        known = id(self.document.see(node))
        if known in self._trail:
            return self._stub(seen, "a schema that holds itself is cut where it comes back")
        if self._parts > self.detail.room:
            return self._stub(seen, DEEP)
        self._trail.append(known)
        try:
            return self._converted(seen, depth)
        finally:
            self._trail.pop()

    def _stub(self, seen: Mapping[str, Any], why: str) -> dict[str, Any]:
        self._lose(why)
        kinds = kinds_of(seen)
        text = words(seen.get("description") or seen.get("title"), self.detail.words)
        stub: dict[str, Any] = {"type": kinds[0] if len(kinds) == 1 else kinds} if kinds else {}
        return {**stub, "description": text} if text else stub

    def _lose(self, why: str) -> None:
        self.notes[why] = None
        self._losses += 1

    def _converted(self, seen: Mapping[str, Any], depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self._take_type(seen, found)
        for take in (self._take_choices, self._take_object, self._take_list):
            take(seen, found, depth)
        take_values(seen, found)
        if seen.get("enum") and "enum" not in found:
            self._lose("values that are too many, or of another type, are not listed")
        self._take_limits(seen, found)
        text = words(seen.get("description"), self.detail.words // (1 if depth < 2 else 2))  # noqa: PLR2004  args and their members
        if text:
            found["description"] = text
        if seen.get("deprecated") is True:
            found["deprecated"] = True
        allow_null(seen, found)
        return found

    def _take_type(self, seen: Mapping[str, Any], found: dict[str, Any]) -> None:
        kinds = kinds_of(seen)
        if kinds:
            found["type"] = kinds[0] if len(kinds) == 1 else kinds
        form = seen.get("format")
        if form == "byte" or seen.get("contentEncoding") == "base64":
            found["contentEncoding"] = "base64"
        elif isinstance(form, str) and kinds[:1] in ([], ["string"]) and _FORMAT.fullmatch(form):
            found["format"] = form

    def _take_choices(self, seen: Mapping[str, Any], found: dict[str, Any], depth: int) -> None:
        for key in ("oneOf", "anyOf"):
            given = seen.get(key)
            if not isinstance(given, list) or not given:
                continue
            before = self._losses
            choices = self._choices(given, depth)
            if {} in choices:
                self._losses += 1
            elif len(choices) == 1 and not found.keys() & choices[0].keys() - {"type"}:
                found |= choices[0]
            else:
                # once something is left out, a value may fit two that excluded each other
                found[key if self._losses == before else "anyOf"] = choices

    def _choices(self, given: list[Any], depth: int) -> list[dict[str, Any]]:
        choices: list[dict[str, Any]] = []
        for each in given:
            choice = self.schema(each, depth + 1)
            seen = merged(self.document, each)
            if isinstance(seen, Mapping) and "properties" not in choice and required_names(seen):
                choice["required"] = required_names(seen)
            if choice in choices:
                self._losses += 1
            else:
                choices.append(choice)
        outlines = [outline(choice) for choice in choices if "properties" in choice]
        self._losses += len(outlines) - len(set(outlines))  # as one, they exclude nothing
        return choices

    def _take_object(self, seen: Mapping[str, Any], found: dict[str, Any], depth: int) -> None:
        properties = self.members(seen, depth)
        if properties:
            for name in required_names(seen):
                if name in properties:
                    properties[name]["required"] = True
            found["properties"] = properties
        more = seen.get("additionalProperties")
        if more is False and (properties or found.get("type") == "object"):
            if not seen.get("patternProperties"):
                found["additionalProperties"] = False
        elif isinstance(more, Mapping) and more:
            inner = self.schema(more, depth + 1)
            if inner:
                found["additionalProperties"] = inner

    def members(self, seen: Mapping[str, Any], depth: int) -> dict[str, Any]:
        """The properties that a request may set; far down only those that it must."""
        found: dict[str, Any] = {}
        properties = self.document.mapping(seen.get("properties"))
        needed = required_names(seen)
        if depth >= self.detail.depth and properties:
            wanted = {name: properties[name] for name in needed if name in properties}
            if len(wanted) < len(properties):
                self._lose(DEEP)
            properties = wanted
        if seen.get("additionalProperties") is not False:
            undescribed = [name for name in needed if name not in (seen.get("properties") or {})]
            properties = {**properties, **{name: {} for name in undescribed}} if properties else {}
        for name, node in properties.items():
            inner = self.document.see(node)
            if isinstance(inner, Mapping) and inner.get("readOnly") is True:
                continue
            found[str(name)] = self.schema(node, depth + 1)
        return found

    def _take_list(self, seen: Mapping[str, Any], found: dict[str, Any], depth: int) -> None:
        several = seen.get("prefixItems")
        items = seen.get("items")
        if isinstance(items, list):
            several, items = items, seen.get("additionalItems")
        if isinstance(several, list) and several:
            found["prefixItems"] = [self.schema(each, depth + 1) for each in several]
        if isinstance(items, Mapping):
            inner = self.schema(items, depth + 1)
            if inner:
                found["items"] = inner

    def _take_limits(self, seen: Mapping[str, Any], found: dict[str, Any]) -> None:
        for key in _COUNTS:
            value = whole_number(seen.get(key))
            if value is not None and value >= 0:
                found[key] = value
        take_bounds(seen, found)
        if seen.get("uniqueItems") is True:
            found["uniqueItems"] = True
        pattern = seen.get("pattern")
        if isinstance(pattern, str) and pattern:
            literal = _JS_LITERAL.fullmatch(pattern)
            if literal:
                self.notes["a pattern with slashes around it is taken for what is between"] = None
                pattern = literal[1]
            if is_pattern(pattern):
                found["pattern"] = pattern
            else:
                self._lose("a pattern that does not run in linear time is left out")
