"""Where two JSON values differ, told at the deepest place, for authors."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from gateway.capability.answers.decode import tidy
from gateway.capability.expressions.path_walk import same

LONGEST: Final = 400  # characters of a value that are shown

Difference = tuple[tuple[str | int, ...], str]  # path inside the value, and what


def differences(wanted: Any, found: Any) -> Iterator[Difference]:
    if isinstance(wanted, dict) and isinstance(found, dict):
        yield from _of_objects(wanted, found)
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, pair in enumerate(zip(wanted, found, strict=True)):
            yield from _below(index, differences(*pair))
    elif not same(wanted, found):
        yield (), f"differs\n    expected: {shown(wanted)}\n    actual:   {shown(found)}"


def shown(value: Any) -> str:
    """A text as it is, anything else as JSON; shortened."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    text = tidy(text)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _of_objects(wanted: dict[str, Any], found: dict[str, Any]) -> Iterator[Difference]:
    for name, value in wanted.items():
        if name in found:
            yield from _below(name, differences(value, found[name]))
        else:
            yield (name,), f"missing; expected: {shown(value)}"
    for name in [name for name in found if name not in wanted]:
        yield (), f"{name!r} is there too: {shown(found[name])}"


def _below(step: str | int, inner: Iterator[Difference]) -> Iterator[Difference]:
    for path, message in inner:
        yield (step, *path), message
