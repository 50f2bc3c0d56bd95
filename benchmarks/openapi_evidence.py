"""What there is to see of one complaint of prism's: the request, and the document at that place."""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qsl

import jsonschema_rs

from benchmarks.openapi_documents import Document
from benchmarks.openapi_prism import Exchange, Violation

OPEN = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True, slots=True)
class Seen:
    """One complaint, the request it is about, and the operation of the document that was meant."""

    violation: Violation
    exchange: Exchange
    document: Document
    operation: Mapping[str, Any]
    arguments: Mapping[str, Any]

    @property
    def kind(self) -> str:
        return self.exchange.headers.get("content-type", "").partition(";")[0].strip()

    @property
    def field(self) -> str:
        """The name of the parameter, or of the body's member, that it is about."""
        return self.violation.place[1] if len(self.violation.place) > 1 else ""

    def names(self) -> list[str]:
        """Of the pairs, or of the parts, that were sent there."""
        body = self.exchange.body.decode(errors="replace")
        if self.violation.place[:1] == ("body",) and self.kind.startswith("multipart/"):
            return re.findall('name="(.*?)"', body)
        query = self.exchange.target.partition("?")[2]
        pairs = body if self.violation.place[:1] == ("body",) else query
        return [name for name, _ in parse_qsl(pairs, keep_blank_values=True)]

    def values(self) -> Iterator[Any]:
        """What was sent there: of a body exactly that, of a parameter all that it may be."""
        if self.violation.place[:1] != ("body",):
            yield from (one for one in self.arguments.values() if not isinstance(one, (dict, list)))
            return
        with contextlib.suppress(ValueError, LookupError, TypeError):
            found = json.loads(self.exchange.body)
            for part in self.violation.place[1:]:
                found = found[int(part)] if isinstance(found, list) else found[part]
            yield found

    def meets(self, schema: Any, value: Any) -> bool:
        """Whether the value, or the text of it in a parameter, is admitted by the document."""
        new = self.document.version.startswith("3.1")
        validator = jsonschema_rs.Draft202012Validator if new else jsonschema_rs.Draft4Validator
        with contextlib.suppress(ValueError):
            known = validator({**self.document.data, "allOf": [schema]})
            as_text = str(value) if self.violation.place[:1] != ("body",) else value
            return bool(known.is_valid(value) or known.is_valid(as_text))
        return False

    def media(self) -> Mapping[str, Any]:
        body = self.document.follow(self.operation.get("requestBody"))
        content = body.get("content", {})
        fitting = [kind for kind in content if fnmatchcase(self.kind, kind.partition(";")[0])]
        return self.document.follow(content.get(fitting[0])) if fitting else {}

    def schemas(self) -> Iterator[Mapping[str, Any]]:
        """All schemas that the document has for that place."""
        place, *rest = self.violation.place or ("",)
        if place == "body":
            found = [self.media().get("schema")]
        else:
            listed = map(self.document.follow, self.operation.get("parameters", ()))
            named = [one for one in listed if str(one.get("name")).lower() == self.field]
            found, rest = [one.get("schema", one) for one in named], rest[1:]
        for part in rest:
            found = [inner for one in found for inner in self._inside(one, part)]
        for one in found:
            yield from self._flat(one)

    def _inside(self, schema: Any, part: str) -> Iterator[Any]:
        for one in self._flat(schema):
            if part in one.get("properties", {}):
                yield one["properties"][part]
            elif part.isdecimal() and "items" in one:
                yield one["items"]

    def _flat(self, schema: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
        one = self.document.follow(schema)
        yield one
        for word in ("allOf", "anyOf", "oneOf"):
            for inner in one.get(word, ()) if depth < 5 else ():
                yield from self._flat(inner, depth + 1)


def operation_at(exchange: Exchange, document: Document) -> Mapping[str, Any]:
    """The one that answers there; the most literal path wins. With its path's parameters."""
    path = exchange.target.partition("?")[0]
    fitting = [each for each in document.data["paths"] if re.fullmatch(shape(each), path)]
    for each in sorted(fitting, key=lambda found: found.count("{")):
        item = document.follow(document.data["paths"][each])
        if exchange.method.lower() in item:
            found = document.follow(item[exchange.method.lower()])
            parameters = [*item.get("parameters", ()), *found.get("parameters", ())]
            return {**found, "parameters": parameters}
    return {}


def shape(path: str) -> str:
    literal = map(re.escape, OPEN.split(re.split("[?#]", path)[0]))
    return "[^/]*".join(literal)
