"""Text to words, words to terms: the same way for tools and for requests.

A word is ASCII in lower case, or a run of another script. Its terms are what is looked up: the stem
of an English word, the pairs of neighbouring characters of another script; and the exact form.
"""

import re
import string
import threading
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import Stemmer

# Function words only: `up`, `all` or `before` tell tools apart.
_STOP = """
am an and any are as at be because been being both but by can cannot could did do does doing don
each few for from further had has have having he help her here hers herself him himself his how if
in into is it its itself just let like ll me more most my myself need no nor not of on once only or
other our ours ourselves own please re same she should so some such than that the their theirs them
themselves then there these they this those through to too until ve very want was we were what when
where which while who whom why will with would you your yours yourself yourselves
"""
_DROPPED = frozenset(_STOP.split()) | set(string.ascii_lowercase)

_WORD = re.compile(
    r"(?<![A-Za-z])[A-Za-z]{1,3}[0-9]{1,2}s?(?![A-Za-z0-9])"  # s3, ipv4
    r"|(?<=[a-z])[A-Z]{1,3}[0-9]{1,2}(?![a-z0-9])"  # the S3 of listS3Buckets
    r"|[A-Z]{2,64}s?(?![a-z0-9])"  # URLs
    r"|[A-Z]{1,64}(?![a-z])"  # the HTTP of HTTPServer
    r"|[A-Z]?[a-z]{1,64}"
    r"|[0-9]{2,64}"
    r"|[^\x00-\x7f]{1,64}"
)
_ACCENTS = re.compile("[\u0300-\u036f]")
_LATIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O"}
    | {"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH"}
)


class Terms(NamedTuple):
    """`stems` find a tool; `exact`, which no stem equals, ranks the very form first."""

    stems: tuple[str, ...]
    exact: str


def words(text: str) -> list[str]:
    """The words of `text` in order: camelCase, snake_case and digits apart, no stop words."""
    if not text.isascii():
        text = _fold(text)
    found = " ".join(_WORD.findall(text)).lower().split()
    return [word for word in found if word not in _DROPPED]


@lru_cache(maxsize=1 << 16)
def terms(word: str) -> Terms:
    if word.isascii():
        return Terms((_porter.stem(word),), f"={word}")
    pairs = (word[start : start + 2] for start in range(len(word) - 1))
    return Terms(tuple(dict.fromkeys(pairs)) or (word,), f"={word}")


def stem(word: str) -> str:
    """The first stem: the only one of an English word."""
    return terms(word).stems[0]


def is_stem(term: str) -> bool:
    return not term.startswith("=")


def _fold(text: str) -> str:
    """Latin letters become ASCII; of other scripts, letters, marks and digits stay."""
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", text)).translate(_LATIN)
    whole = unicodedata.normalize("NFKC", bare)
    return "".join(char if char.isascii() or _written(char) else " " for char in whole)


def _written(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char).startswith("M")


class _Porter(threading.local):
    """A stemmer must not be shared by threads, and an index may be made in one beside the loop."""

    def __init__(self) -> None:
        self.stem = Stemmer.Stemmer("english", 0).stemWord


_porter = _Porter()
