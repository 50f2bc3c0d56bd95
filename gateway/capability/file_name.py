"""What a caller calls a file, made into a name that is nothing but a name.

No path, no quote, no line break or other control, no trick with the direction of writing: what is
left can stand in a header, and in a folder.
"""

import re
from typing import Final

from gateway.capability.expressions.values import RenderError

LONGEST: Final = 120  # characters; with all their bytes still less than a file system allows

_DROPPED = re.compile(
    '[\x00-\x1f\x7f-\x9f"\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+'
)


def file_name(said: str, instead: str) -> str:
    """The last part of `said`, or of `instead` where that leaves nothing. Raises RenderError."""
    for text in (said, instead):
        name = _DROPPED.sub("", text).replace("\\", "/").rpartition("/")[2].strip()
        if name.strip("."):
            break
    else:
        name = "file"
    try:
        name.encode()
    except UnicodeEncodeError:
        raise RenderError("the file's name is not valid Unicode") from None
    return _short(name)


def numbered(name: str, index: int) -> str:
    """`name` of the file `index`, from 1: the second `a.png` is `a-2.png`."""
    if index == 1:
        return name
    stem, dot, ending = name.rpartition(".")
    return f"{stem}-{index}.{ending}" if dot and stem else f"{name}-{index}"


def _short(name: str) -> str:
    """The end stays: it says what the file is."""
    if len(name) <= LONGEST:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > LONGEST // 4:
        return name[:LONGEST]
    return f"{stem[: LONGEST - len(ending) - 1]}.{ending}"
