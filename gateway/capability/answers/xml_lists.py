"""Which names of an XML answer are lists, be there one element of the name or several.

XML has no lists: whether `Buckets` holds one `Bucket` or two, the same path has to find them. So
what a path of the tool takes elements out of, such as `$.Buckets.Bucket[*]`, is always a list.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any

from gateway.capability.expressions import path_syntax
from gateway.capability.expressions.path_syntax import Query, Segment, Wildcard
from gateway.capability.file.model import Step, ToolSpec
from gateway.errors import ConfigError


def listed(spec: ToolSpec) -> frozenset[str]:
    """By all JSONPaths of a tool that read an answer."""
    found = [_steps(text)[0] for text in _paths(spec) if "[" in text]
    return frozenset().union(*found)


def torn(spec: ToolSpec) -> list[str]:
    """Names that are lists, and that another path takes a name out of: it finds nothing there."""
    lists, paths = listed(spec), list(_paths(spec))
    return sorted(lists & {name for text in paths for name in _steps(text)[1]})


def _paths(spec: ToolSpec) -> Iterator[str]:
    every: list[ToolSpec | Step] = [spec, *spec.steps]
    read = [one.response for one in every if one.response is not None]
    parts: list[Any] = [part for each in read for part in (each.select, each.map)]
    if spec.paginate is not None:
        parts.append(spec.paginate.items)
    for part in parts:
        yield from _texts(part)


def _texts(spec: Any) -> Iterator[str]:
    if isinstance(spec, str):
        if spec.startswith("$"):
            yield spec
    elif isinstance(spec, dict):
        for each in spec.values():
            yield from _texts(each)


@lru_cache(maxsize=1024)
def _steps(source: str) -> tuple[frozenset[str], frozenset[str]]:
    """The names that elements are taken out of, and those that names are taken out of.

    Faulty paths are told where they are compiled.
    """
    try:
        query = path_syntax.parse(source)
    except ConfigError:
        return frozenset(), frozenset()
    pairs = [
        (name, _name(after) is None)
        for each in _queries(query)
        for one, after in pairwise(each.segments)
        if (name := _name(one)) is not None and not after.descends and not _all(source, after)
    ]
    lists = frozenset(name for name, elements in pairs if elements)
    return lists, frozenset(name for name, elements in pairs if not elements)


def _all(source: str, segment: Segment) -> bool:
    """Whether it may be `.*`: every member of an element, whatever its name."""
    return segment.selectors == (Wildcard(),) and "[*]" not in source


def _queries(node: Any) -> Iterator[Query]:
    """The path itself, and those inside its filters."""
    if isinstance(node, Query):
        yield node
    if isinstance(node, tuple):
        for each in node:
            yield from _queries(each)


def _name(segment: Segment) -> str | None:
    """Of a step that takes one name; None of one that takes elements."""
    first, *more = segment.selectors
    return first if isinstance(first, str) and not more else None
