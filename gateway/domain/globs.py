"""Globs of names: which of many fit a text, in time that grows with their number and its length,
whatever anybody writes. Pure.

`*` any characters, `?` one, `[seq]` one of these, `[!seq]` one of all others; a `[` that nothing
closes is itself. Case counts. Texts are compared in Unicode's normal form C on either side.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

ANY = "*"
LONGEST = 8_192  # characters of a text that is compared: no name on offer is that long
LONGEST_COMPOSED = 1_024  # of one that has to be normalised, which takes time by the square
_SPECIAL = re.compile(r"[*?\[]")

Fits = Callable[[str], object]  # truthy where it does


class Glob(NamedTuple):
    """What a text has to begin and to end with, and the whole of it where that does not do.

    `exact`: `head` is the whole text. Without `fits`, head and tail say all.
    """

    head: str
    tail: str = ""
    exact: bool = False
    fits: Fits | None = None

    def matches(self, text: str) -> bool:
        """`text` is normal."""
        if self.exact:
            return text == self.head
        if self.fits is not None:
            return bool(self.fits(text))
        return (
            text.startswith(self.head)
            and text.endswith(self.tail)
            and len(text) >= len(self.head) + len(self.tail)
        )


def normal(text: str) -> str | None:
    """In normal form C; None where it is too long for any name."""
    if text.isascii():
        return text if len(text) <= LONGEST else None
    return unicodedata.normalize("NFC", text) if len(text) <= LONGEST_COMPOSED else None


@lru_cache(maxsize=4_096)
def glob(pattern: str) -> Glob:
    pattern = unicodedata.normalize("NFC", pattern)
    first = _SPECIAL.search(pattern)
    if first is None:
        return Glob(pattern, exact=True)
    head, rest = pattern[: first.start()], pattern[first.start() :]
    if rest[0] == ANY and _SPECIAL.search(rest, 1) is None:
        return Glob(head, rest[1:])
    return Glob(head, fits=re.compile(_expression(pattern), re.DOTALL).fullmatch)


def any_of(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Whether one of them fits."""
    found = Globs((pattern, 1) for pattern in patterns)

    def fits(text: str) -> bool:
        known = normal(text)
        return known is not None and bool(found.fitting(known))

    return fits


class Globs:
    """Globs with a bit each: `fitting` gives those of all that fit. Most cost a look into a
    dictionary for all of a kind together, others a look for a piece of them.
    """

    __slots__ = ("_always", "_exact", "_heads", "_lengths", "_pieces", "_tails")

    def __init__(self, patterns: Iterable[tuple[str, int]]) -> None:
        self._always = 0
        self._exact: dict[str, int] = {}
        self._heads: dict[str, list[tuple[Fits | None, int]]] = {}
        self._tails: dict[str, int] = {}
        self._pieces: list[tuple[str, Fits, int]] = []
        for pattern, bits in patterns:
            self._add(pattern, glob(pattern), bits)
        self._lengths = (
            tuple(sorted({len(head) for head in self._heads})),
            tuple(sorted({len(tail) for tail in self._tails})),
        )

    def fitting(self, text: str) -> int:
        """`text` is normal."""
        found = self._always | self._exact.get(text, 0)
        heads, tails = self._heads, self._tails
        of_heads, of_tails = self._lengths
        for length in of_heads:
            for fits, bits in heads.get(text[:length], ()):
                if fits is None or fits(text):
                    found |= bits
        for length in of_tails:
            found |= tails.get(text[-length:], 0)
        for piece, whole, bits in self._pieces:
            if piece in text and whole(text):
                found |= bits
        return found

    def _add(self, pattern: str, one: Glob, bits: int) -> None:
        if one.exact:
            self._exact[one.head] = self._exact.get(one.head, 0) | bits
        elif one.head:
            fits = one.fits or (one.matches if one.tail else None)
            self._heads.setdefault(one.head, []).append((fits, bits))
        elif one.fits is not None:
            self._pieces.append((_piece(pattern), one.fits, bits))
        elif one.tail:
            self._tails[one.tail] = self._tails.get(one.tail, 0) | bits
        else:
            self._always |= bits


def _piece(pattern: str) -> str:
    """The longest text that everything holds that fits; the empty one where that is unclear."""
    if "[" in pattern:
        return ""
    return max(re.split(r"[*?]+", unicodedata.normalize("NFC", pattern)), key=len)


def _expression(pattern: str) -> str:
    """For `fullmatch`. Each part between two stars is taken where it first fits, and never tried
    elsewhere: that is as good as any other place, and takes no time by the power of the stars.
    """
    parts: list[str] = [""]
    at = 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == ANY:
            parts.append("")
        elif character == "?":
            parts[-1] += "."
        elif character == "[" and (end := _closed(pattern, at)) is not None:
            parts[-1] += _one_of(pattern[at:end])
            at = end + 1
        else:
            parts[-1] += re.escape(character)
    first, *between = parts
    if not between:
        return first
    last = between.pop()
    return first + "".join(f"(?>.*?{part})" for part in between if part) + ".*" + last


def _closed(pattern: str, at: int) -> int | None:
    """Where the `]` stands that closes what begins there; one right at the beginning is itself."""
    start = at + 1 if pattern[at : at + 1] == "!" else at
    end = pattern.find("]", start + 1)
    return None if end < 0 else end


def _one_of(said: str) -> str:
    other = said[0] == "!"
    said = said[1:] if other else said
    members = ""
    at = 0
    while at < len(said):
        low, high = said[at], said[at : at + 3]
        if len(high) == 3 and high[1] == "-":  # noqa: PLR2004 (such as a-z)
            if low <= high[2]:
                members += f"{re.escape(low)}-{re.escape(high[2])}"
            at += 3
        else:
            members += re.escape(low)
            at += 1
    if not members:
        return "." if other else "(?!)"
    return f"[{'^' if other else ''}{members}]"
