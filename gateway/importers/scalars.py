"""One scalar as YAML text that every reader takes for the same value.

The rule: what some reader of YAML might take for something else is quoted: `yes`, `010`, a date.
"""

import math
import re
from typing import Any

LONGEST_KEY = 1000  # characters, quotes and all; libyaml takes no longer one before a ':'

_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_PLAIN = re.compile(
    r"(?:(?:[^\W\d]|[$(])(?:[^{}`:#]|[:#](?=\S)(?<!\s.))*|/(?:[^`:#]|[:#](?=\S)(?<!\s.))*)(?<!\s)"
)
_PLAIN_IN_FLOW = re.compile(r"[^\W\d$(/](?:[^{}\[\]`:#,\"]|:(?=[^\W\d]))*(?<!\s)")
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
_ESCAPED = re.compile(r'["\\]|[^\x20-\x7e]')
_SURROGATES = range(0xD800, 0xE000)
_MOST_BITS = 960  # of the longest number that our reader takes, about


def scalar(value: Any, *, flow: bool = False) -> str:
    """`flow`: it stands between braces or brackets, or is a key.

    Raises TypeError for what JSON does not have, ValueError for a number that is out of range.
    """
    if isinstance(value, str):
        return value if _is_plain(value, flow=flow) else quoted(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return _number(value)
    raise TypeError(f"{type(value).__name__} is no scalar of JSON")


def quoted(text: str) -> str:
    """In double quotes on one line. A lone surrogate, which no file can hold, becomes U+FFFD."""
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code in _SURROGATES:
        return "\ufffd"
    if character.isprintable():
        return character
    if code <= 0xFF:  # noqa: PLR2004  what two hexadecimal digits hold
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004  four


def _is_plain(text: str, *, flow: bool) -> bool:
    pattern = _PLAIN_IN_FLOW if flow else _PLAIN
    return text.isprintable() and pattern.fullmatch(text) is not None and text.lower() not in _WORDS


def _number(value: float) -> str:
    if isinstance(value, int):
        if value.bit_length() > _MOST_BITS:
            raise ValueError("the number is out of range")
        return str(value)
    if not math.isfinite(value):
        raise ValueError("JSON has no such number")
    return repr(value)
