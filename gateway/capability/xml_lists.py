"""Which names of an XML answer are lists, be there one element of the name or several.

XML has no lists: whether `Buckets` holds one `Bucket` or two, the same path has to find them. So
what a path of the tool takes elements out of, such as `$.Buckets.Bucket[*]`, is always a list.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any

from gateway.capability import path_syntax
from gateway.capability.model import Step, ToolSpec
from gateway.capability.path_syntax import Query, Segment
from gateway.errors import ConfigError


def listed(spec: ToolSpec) -> frozenset[str]:
    """By all JSONPaths of a tool that read an answer."""
    every: list[ToolSpec | Step] = [spec, *spec.steps]
    read = [one.response for one in every if one.response is not None]
    parts: list[Any] = [part for each in read for part in (each.select, each.map)]
    if spec.paginate is not None:
        parts.append(spec.paginate.items)
    return frozenset(name for part in parts for text in _texts(part) for name in _names(text))


def _texts(spec: Any) -> Iterator[str]:
    if isinstance(spec, str):
        if spec.startswith("$") and "[" in spec:
            yield spec
    elif isinstance(spec, dict):
        for each in spec.values():
            yield from _texts(each)


@lru_cache(maxsize=1024)
def _names(source: str) -> frozenset[str]:
    """Faulty ones are told where they are compiled."""
    try:
        query = path_syntax.parse(source)
    except ConfigError:
        return frozenset()
    return frozenset(
        name
        for each in _queries(query)
        for one, after in pairwise(each.segments)
        if (name := _name(one)) is not None and not after.descends and _name(after) is None
    )


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
