"""A parsed JSONPath -> a function over decoded JSON; its only error is BadResponse: too large.

Filters follow RFC 9535: a missing value equals only another missing one, `true` is not 1, and only
numbers and texts have an order. A step finds at most `MOST_FOUND` values, so the cost of a path
grows no faster than the document.
"""

import operator
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from itertools import chain
from typing import Any, Final

from gateway.capability.expressions.path_syntax import (
    And,
    Compare,
    Exists,
    Function,
    Literal,
    Logic,
    Not,
    Operand,
    Query,
    Segment,
    Selector,
    Wildcard,
)
from gateway.capability.expressions.values import MISSING
from gateway.errors import BadResponse

SIZED: Final = frozenset((str, list, dict))
NUMBERS: Final = frozenset((int, float))  # exact types: bool is none of them
MOST_FOUND: Final = 100_000
MOST_SEARCHED: Final = 20_000  # values below a `..`: 0.1 s of the event loop


Keys = tuple[str | int, ...]
Value = Callable[[Any], Any]  # document -> what is there, or MISSING
Step = Callable[[list[Any], Any], list[Any]]  # (values so far, document) -> next values
Pick = Callable[[Any, Any], Iterable[Any]]  # (one value, document) -> values below it
Test = Callable[[Any, Any], bool]  # (element, document)
Get = Callable[[Any, Any], Any]  # (element, document) -> value or MISSING


def keys_of(segments: Sequence[Segment]) -> Keys:
    """The keys of singular segments."""
    return tuple(segment.selectors[0] for segment in segments if segment.singular)  # type: ignore[misc]


def follower(keys: Keys) -> Value:
    """The fastest walk for these keys."""
    if not keys:
        return _itself
    if any(isinstance(key, int) for key in keys):
        return partial(_follow_carefully, keys)
    first, *more = keys
    return partial(_follow_names, keys) if more else partial(_follow_name, first)


def _itself(node: Any) -> Any:
    return node


def _follow_name(name: str | int, node: Any) -> Any:
    return node.get(name, MISSING) if type(node) is dict else MISSING


def _follow_names(names: Keys, node: Any) -> Any:
    try:
        for name in names:
            node = node[name]
    except (KeyError, TypeError):
        return MISSING
    return node


def _follow_carefully(keys: tuple[Any, ...], node: Any) -> Any:
    try:
        for key in keys:
            if type(key) is int and type(node) is not list:  # a text has indexes too
                return MISSING
            node = node[key]
    except (KeyError, IndexError, TypeError):
        return MISSING
    return node


def lister(segments: Sequence[Segment]) -> Value:
    """Gives the list of all values the path leads to, in document order."""
    steps = tuple(_steps(segments))

    def find(document: Any) -> list[Any]:
        return _run(steps, document, document)

    return find


def _run(steps: Sequence[Step], start: Any, document: Any) -> list[Any]:
    found = [start]
    for step in steps:
        found = step(found, document)
        if len(found) > MOST_FOUND:
            raise BadResponse(f"a JSONPath found more than {MOST_FOUND} values in the answer")
    return found


def _steps(segments: Sequence[Segment]) -> Iterable[Step]:
    """Runs of singular segments become one step."""
    run: list[Segment] = []
    for segment in segments:
        if segment.singular:
            run.append(segment)
            continue
        if run:
            yield _keys_step(keys_of(run))
            run = []
        yield _descent(segment) if segment.descends else _many_step(segment)
    if run:
        yield _keys_step(keys_of(run))


def _keys_step(keys: Keys) -> Step:
    follow = follower(keys)

    def step(nodes: list[Any], _: Any) -> list[Any]:
        return [value for node in nodes if (value := follow(node)) is not MISSING]

    return step


def _many_step(segment: Segment) -> Step:
    picks = tuple(_pick(selector) for selector in segment.selectors)
    if len(picks) == 1:
        only = picks[0]
        return lambda nodes, document: list(
            chain.from_iterable(only(node, document) for node in nodes)
        )
    return lambda nodes, document: [
        value for node in nodes for pick in picks for value in pick(node, document)
    ]


def _pick(selector: Selector) -> Pick:
    match selector:
        case str() | int():
            return partial(_pick_key, follower((selector,)))
        case slice():
            return partial(_pick_slice, selector)
        case Wildcard():
            return _pick_all
        case _:
            return partial(_pick_matching, _test(selector))


def _pick_key(follow: Value, node: Any, _: Any) -> Iterable[Any]:
    value = follow(node)
    return () if value is MISSING else (value,)


def _pick_slice(part: slice, node: Any, _: Any) -> Iterable[Any]:
    return node[part] if type(node) is list and part.step != 0 else ()


def _pick_all(node: Any, _: Any) -> Iterable[Any]:
    if type(node) is list:
        return node
    return node.values() if type(node) is dict else ()


def _pick_matching(test: Test, node: Any, document: Any) -> Iterable[Any]:
    return [value for value in _pick_all(node, document) if test(value, document)]


# descent: the one thing handed to jsonpath-ng


def _descent(segment: Segment) -> Step:
    """`..`: jsonpath-ng finds every value below, our own selectors choose among them."""
    everything = _library()
    choose = _many_step(segment)

    def step(nodes: list[Any], document: Any) -> list[Any]:
        _bound_search(nodes)
        below = [[node, *(match.value for match in everything(node))] for node in nodes]
        return choose(list(chain.from_iterable(below)), document)

    return step


@lru_cache(maxsize=1)
def _library() -> Callable[[Any], Iterable[Any]]:
    # imported here alone and only when a file has `..`: jsonpath-ng costs 60 ms at start
    from jsonpath_ng.ext.parser import parse  # noqa: PLC0415

    return parse("$..*").find


def _bound_search(nodes: list[Any]) -> None:
    count, level = len(nodes), nodes
    while level and count <= MOST_SEARCHED:
        level = [value for node in level for value in _pick_all(node, None)]
        count += len(level)
    if count > MOST_SEARCHED:
        raise BadResponse(
            f"the answer holds more than {MOST_SEARCHED} values, too many for a JSONPath with '..'",
            hint="the capability's author should name the path instead of '..'",
        )


# filters


def _test(logic: Logic) -> Test:
    match logic:
        case Exists(query):
            return _exists(query)
        case Compare(left, sign, right):
            return _compare(_get(left), sign, _get(right))
        case Not(inner):
            refused = _test(inner)
            return lambda element, document: not refused(element, document)
        case And(parts):
            every = tuple(map(_test, parts))
            return lambda element, document: all(test(element, document) for test in every)
        case _:
            some = tuple(map(_test, logic.parts))
            return lambda element, document: any(test(element, document) for test in some)


def _exists(query: Query) -> Test:
    if query.singular:
        get = _singular(query)
        return lambda element, document: get(element, document) is not MISSING
    steps = tuple(_steps(query.segments))
    return lambda element, document: bool(_run(steps, element, document))


def _singular(query: Query) -> Get:
    follow = follower(keys_of(query.segments))
    if query.root == "$":
        return lambda _, document: follow(document)
    return lambda element, _: follow(element)


def _get(operand: Operand) -> Get:
    match operand:
        case Literal(value):
            return lambda *_: value
        case Function("length", query):
            whole = _singular(query)
            return lambda element, document: _length(whole(element, document))
        case Function(name, query):
            steps = tuple(_steps(query.segments))
            reduce = len if name == "count" else _only
            return lambda element, document: reduce(_run(steps, element, document))
        case _:
            return _singular(operand)


def _length(value: Any) -> Any:
    return len(value) if type(value) in SIZED else MISSING


def _only(found: list[Any]) -> Any:
    return found[0] if len(found) == 1 else MISSING


def _compare(left: Get, sign: str, right: Get) -> Test:
    if sign == "==":
        return lambda *at: same(left(*at), right(*at))
    if sign == "!=":
        return lambda *at: not same(left(*at), right(*at))
    before = operator.lt if sign[0] == "<" else operator.gt
    if sign in "<>":
        return lambda *at: _ordered(before, left(*at), right(*at))

    def test(element: Any, document: Any) -> bool:
        one, other = left(element, document), right(element, document)
        return _ordered(before, one, other) or same(one, other)

    return test


def same(one: Any, other: Any) -> bool:
    """JSON equality: 1 equals 1.0, but true is not 1, at any depth."""
    if type(one) is list and type(other) is list:
        return len(one) == len(other) and all(map(same, one, other))
    if type(one) is dict and type(other) is dict:
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return (type(one) is bool) is (type(other) is bool) and bool(one == other)


def _ordered(before: Callable[[Any, Any], bool], one: Any, other: Any) -> bool:
    if type(one) is str:
        return type(other) is str and before(one, other)
    return type(one) in NUMBERS and type(other) in NUMBERS and before(one, other)
