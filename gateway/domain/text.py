"""Words for people: others' made safe to print back, and numbers of things."""

import re

LONGEST = 64
CUT = " … (cut)"  # where words of somebody's end before they do

_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def shown(name: str) -> str:
    """A caller's own word in quotes: shortened, control and non-ASCII characters escaped (I26)."""
    return ascii(name if len(name) <= LONGEST else name[: LONGEST - 3] + "...")


def counted(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def visible(text: str) -> str:
    """`text` without what no reader sees: controls other than tab and line ends, zero-width and
    bidi marks, and the tag characters that hide words from people but not from models (I52).
    """
    return text if text.isascii() and text.isprintable() else _HIDDEN.sub("", text)


def cut(text: str, most: int) -> str:
    """`text`, or its first `most` characters, marked."""
    return text if len(text) <= most else f"{text[:most]}{CUT}"
