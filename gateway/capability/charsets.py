"""The charsets that an answer may declare: those of texts, as far as Python knows them."""

import codecs
import re
from functools import lru_cache
from typing import Final

UTF8: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})

_TEXTS = re.compile(  # not the ciphers: Python also knows punycode and rot13
    r"utf-?(?:8|16|32)(?:-?[lb]e)?|(?:us-)?ascii|(?:iso|latin|windows|cp|koi8|mac|ibm|tis)[\w:-]*"
    r"|(?:gb|big5|euc|shift|sjis|ms_?kanji)[\w:-]*"
)


@lru_cache(maxsize=128)
def known(charset: str) -> bool:
    """`charset` in lower case."""
    try:
        return bool(_TEXTS.fullmatch(charset) and codecs.lookup(charset))
    except LookupError:
        return False
