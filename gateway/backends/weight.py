"""How much a call's arguments hold: what takes long to check and to write down goes to a thread."""

from typing import Any


def weight(value: Any, most: int) -> int:
    """About how many characters `value`, as read from JSON, has as such.

    From `most` on it is not counted further.
    """
    size, rest = 0, [value]
    while rest and size < most:
        each = rest.pop()
        if isinstance(each, str):
            size += len(each)
        elif isinstance(each, dict):
            size += 4 * len(each)
            rest += each.keys()
            rest += each.values()
        elif isinstance(each, list):
            size += 2 * len(each)
            rest += each
    return size
