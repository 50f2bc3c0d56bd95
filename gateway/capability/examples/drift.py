"""How the shape of a live result differs from that of an example: values may change, shapes not."""

from collections.abc import Iterator
from typing import Any, Final

Drift = tuple[tuple[str | int, ...], str]  # path inside the value, and what

_KINDS: Final = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def drifts(wanted: Any, found: Any) -> Iterator[Drift]:
    """`wanted` is the example's value, `found` the live one; both are JSON.

    An empty list or null tells nothing of what else may stand there, so it fits anything. Members
    that are new are no drift: whoever read the old ones still can.
    """
    if wanted is None or found is None or found == [] or wanted == []:
        return
    if _kind(wanted) != _kind(found):
        yield (), f"was {_kind(wanted)}, is {_kind(found)}"
    elif isinstance(wanted, dict):
        yield from _of_objects(wanted, found)
    elif isinstance(wanted, list):
        yield from _of_lists(wanted, found)


def _of_objects(wanted: dict[str, Any], found: dict[str, Any]) -> Iterator[Drift]:
    for name, value in wanted.items():
        if name not in found:
            yield (name,), f"is gone; it was {_kind(value)}"
        else:
            yield from _below(name, drifts(value, found[name]))


def _of_lists(wanted: list[Any], found: list[Any]) -> Iterator[Drift]:
    """Elements are alike, so each of the example's is looked for among a few live ones, and what
    has drifted in several of them is said of the first.
    """
    said: set[Drift] = set()
    for index, value in enumerate(wanted):
        tried = [list(drifts(value, each)) for each in found[:MOST_TRIED]]
        best = [drift for drift in min(tried, key=len) if drift not in said]
        said.update(best)
        yield from _below(index, iter(best))


MOST_TRIED: Final = 20  # elements of a live list that an element of an example may be like


def _kind(value: Any) -> str:
    return _KINDS[type(value)]


def _below(step: str | int, inner: Iterator[Drift]) -> Iterator[Drift]:
    for path, message in inner:
        yield (step, *path), message
