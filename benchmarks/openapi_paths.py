"""Values that try to leave their place in a path: whether one changes more than its own segment."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from benchmarks.openapi_calls import Called

HOSTILE = (
    "../../admin",
    "..%2f..%2fadmin",
    "a/b?x=1#y",
    "%2e%2e",
    "..",
    "..\\..\\admin",
    "a\r\nX-Injected: 1",
    "//evil.example/",
)
EXPRESSION = re.compile(r"\{\{.*?\}\}")
NAME = re.compile(r"\bargs\.(\w+)|\bargs\[['\"](.+?)['\"]\]")
METHODS = ("get", "post", "put", "patch", "delete", "head")


@dataclass(frozen=True, slots=True)
class Route:
    """`arguments` are those that the path takes."""

    method: str
    path: str
    arguments: tuple[str, ...]

    def keeps(self, called: Called, before: Called) -> bool:
        """Whether the call, when it went out, asked the path it should, with the query that the
        same call asks `before`, with plain values.
        """
        if called.exchange is None:
            return True
        path, _, query = called.exchange.target.partition("?")
        _, _, plain = before.exchange.target.partition("?") if before.exchange else ("", "", "")
        shape = "".join(_shape(self.path))
        inside = re.fullmatch(shape, path) is not None and not _climbs(path)
        return inside and query == plain and "x-injected" not in called.exchange.headers


def route(tool: Mapping[str, Any]) -> Route | None:
    """The route of a tool as its file says it; None where it has no request of its own."""
    for method in METHODS:
        if method in tool:
            path = str(tool[method])
            places = "".join(EXPRESSION.findall(path))
            names = dict.fromkeys(one or other for one, other in NAME.findall(places))
            return Route(method, path, tuple(names))
    return None


def attacks(route: Route, plain: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Arguments with one hostile value each; `plain` are those that the tool takes."""
    for name in route.arguments:
        listed = isinstance(plain.get(name), list)
        for value in HOSTILE:
            yield {**plain, name: [value] if listed else value}


def _shape(path: str) -> Iterator[str]:
    """A regular expression for the path: an expression stands for what is inside one segment."""
    rest = 0
    for found in EXPRESSION.finditer(path):
        yield re.escape(path[rest : found.start()])
        yield r"[^/?#\\\s]+"
        rest = found.end()
    yield re.escape(path[rest:])


def _climbs(path: str) -> bool:
    """Whether a server that decodes twice sees `.` or `..` as a segment."""
    for _ in range(3):
        if {".", ".."} & set(re.split(r"[/\\]", path)):
            return True
        path = unquote(path)
    return False
