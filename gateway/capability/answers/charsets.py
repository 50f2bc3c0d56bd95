"""The charsets that an answer may declare: those of texts, as far as Python knows them.

A name is looked up here, never by trying: Python keeps what it was ever asked for, and looks for a
module of each name it does not know.
"""

import re
from encodings.aliases import aliases
from typing import Final

UTF8: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})

_TEXTS: Final = re.compile(  # not the ciphers: Python also knows punycode and rot13
    r"utf_?(?:8|16|32)(?:_?[lb]e)?|(?:us_)?ascii|(?:iso|latin|windows|cp|koi8|mac|ibm|tis)\w*"
    r"|(?:gb|big5|euc|shift|sjis|ms_?kanji)\w*"
)
_WITHOUT_ALIAS: Final = (
    *("iso8859_1", "cp720", "cp737", "cp856", "cp874", "cp875", "cp1006", "koi8_t", "koi8_u"),
    *("mac_arabic", "mac_croatian", "mac_farsi", "mac_romanian"),
)
_KNOWN: Final = frozenset(
    name for name in (*aliases, *aliases.values(), *_WITHOUT_ALIAS) if _TEXTS.fullmatch(name)
)


def known(charset: str) -> bool:
    """`charset` in lower case."""
    return charset.replace("-", "_").replace(":", "_") in _KNOWN
