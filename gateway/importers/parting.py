"""Tools in parts, each of which fits one capability file."""

from collections.abc import Iterator
from typing import Any

import msgspec

BYTES_A_VALUE = 9  # that many of JSON count for each at the least


def by_size(tools: dict[str, Any], most: int) -> Iterator[dict[str, Any]]:
    """In parts of at most `most` bytes of JSON each, as one file may not hold more; and it may not
    hold more than so many values either.
    """
    part: dict[str, Any] = {}
    used = 0
    for name, tool in tools.items():
        size = max(len(msgspec.json.encode(tool)), BYTES_A_VALUE * _values(tool))
        if part and used + size > most:
            yield part
            part, used = {}, 0
        part[name] = tool
        used += size
    if part:
        yield part


def _values(tree: Any) -> int:
    """As a reader of YAML counts them: keys are free."""
    if isinstance(tree, dict):
        return 1 + sum(map(_values, tree.values()))
    return 1 + sum(map(_values, tree)) if isinstance(tree, list) else 1
