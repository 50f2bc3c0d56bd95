"""A text that a regular expression matches: the plainest one, made from its parse tree."""

import math
import re
from collections.abc import Callable, Iterator
from re import _constants as words  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

LIKED = "aA1bB2-_ ./:"  # characters to take where the pattern leaves a choice, best first
CLASSES = {
    words.CATEGORY_DIGIT: r"\d",
    words.CATEGORY_NOT_DIGIT: r"\D",
    words.CATEGORY_SPACE: r"\s",
    words.CATEGORY_NOT_SPACE: r"\S",
    words.CATEGORY_WORD: r"\w",
    words.CATEGORY_NOT_WORD: r"\W",
}


def matching(pattern: str, shortest: int = 0, longest: float = math.inf) -> str:
    """A text of that many characters that it is found in, with at least one where there is such;
    the pattern itself where none was found.
    """
    found = []
    try:
        for extra in (*range(33), *range(max(33, shortest - 8), shortest + 1)):
            text = "".join(_texts(parser.parse(pattern), extra))
            if shortest <= len(text) <= longest and re.search(pattern, text):
                found.append(text)
            if text in found and text:
                return text
    except (re.error, OverflowError):
        return pattern
    return found[0] if found else pattern


def _texts(tree: Any, extra: int) -> Iterator[str]:
    """`extra`: how often a part is repeated beyond what it must be, where it may."""
    return (_text(kind, value, extra) for kind, value in tree)


def _text(kind: Any, value: Any, extra: int) -> str:
    if kind is words.LITERAL:
        return chr(value)
    if kind in {words.NOT_LITERAL, words.ANY}:
        return next(one for one in LIKED if one != chr(value or 0))
    if kind is words.IN:
        return _one_of(value)
    if kind in {words.MAX_REPEAT, words.MIN_REPEAT}:
        least, most, inner = value
        times = range(min(int(most), int(least) + extra))
        return "".join("".join(_texts(inner, extra)) for _ in times)
    if kind is words.SUBPATTERN:
        return "".join(_texts(value[-1], extra))
    return "".join(_texts(value[1][0], extra)) if kind is words.BRANCH else ""


def _one_of(choices: Any) -> str:
    """A character of the set, of those in `LIKED` if there is one."""
    negated = choices[0][0] is words.NEGATE
    tests = [_test(*choice) for choice in choices[int(negated) :]]
    liked = (one for one in LIKED if any(holds(one) for holds in tests) is not negated)
    kind, value = choices[-1]
    plainest = value[0] if kind is words.RANGE else value
    return next(liked, chr(plainest) if isinstance(plainest, int) else "~")


def _test(kind: Any, value: Any) -> Callable[[str], bool]:
    if kind is words.RANGE:
        return lambda one: bool(value[0] <= ord(one) <= value[1])
    if kind is words.CATEGORY:
        return lambda one: re.match(CLASSES[value], one) is not None
    return lambda one: ord(one) == value
