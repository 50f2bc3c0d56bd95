"""Foreign words made fit to be read by a model: plain, short, and never a template.

The rule: whatever a stranger wrote is text. Markup goes, so do characters nobody sees, and `{{`.
"""

import html
import re
import unicodedata
from functools import lru_cache
from typing import Any

_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_TAG = re.compile(r"<!--.{0,2000}?-->|</?[A-Za-z][^<>]{0,500}>")
_LINK = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()\s]{0,500}\)")
_MARKS = re.compile(r"\*\*|__|`|^\s{0,3}#{1,6}\s+|^\s*[-=*_]{3,}\s*$", re.MULTILINE)
_SPACE = re.compile(r"\s+")
_BEFORE_MARK = re.compile(r" (?=[.,;:!?)](?:\s|$))")  # what a tag leaves behind
_SENTENCE = re.compile(r"[.!?](?=\s)|;(?=\s)")
_OPENS = re.compile(r"\{(?=[{%#])")
_INVISIBLE = ("Cc", "Cf", "Co", "Cs", "Cn")
_LOOKED_AT = 6000  # characters; nobody describes in more what is worth reading


def words(value: Any, most: int = 10_000) -> str:
    """Text of at most `most` characters, cut at a sentence if one ends there."""
    if not isinstance(value, str) or not value or most < 1:
        return ""
    return _short(value[:_LOOKED_AT], most)


@lru_cache(maxsize=2048)  # one schema stands in many operations
def _short(text: str, most: int) -> str:
    if not text.isalnum():
        text = _plain(text)
    return text if len(text) <= most else _cut(text, most)


def _plain(text: str) -> str:
    if "```" in text:
        text = _FENCE.sub(" ", text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    if "&" in text:
        text = html.unescape(text)
    if "](" in text:
        text = _LINK.sub(r"\1", text)
    text = _MARKS.sub("", text)
    text = _BEFORE_MARK.sub("", _SPACE.sub(" ", text)).strip()
    if not text.isprintable():
        text = "".join(each for each in text if unicodedata.category(each) not in _INVISIBLE)
    return _OPENS.sub("{ ", text) if "{" in text else text


def _cut(text: str, most: int) -> str:
    head = text[:most]
    ends = [found.end() for found in _SENTENCE.finditer(text[: most + 1]) if found.end() <= most]
    if ends and ends[-1] > most // 3:
        return head[: ends[-1]].rstrip(";")
    cut = head[: most - 1].rpartition(" ")[0] or head[: most - 1]
    return cut.rstrip(" ,;:-") + "…"


def joined(summary: str, description: str, most: int) -> str:
    """A summary and what the description adds to it."""
    first, second = words(summary), words(description)
    if not second or first.rstrip(".").lower() == second.rstrip(".").lower():
        return words(first, most)
    if not first or second.lower().startswith(first.rstrip(".").lower()):
        return words(second, most)
    end = "" if first.endswith((".", "!", "?", ":")) else "."
    return words(f"{first}{end} {second}", most)


def printable_line(text: str) -> str:
    """A name of the document, for messages: one line, short, nothing invisible."""
    line = "".join(each if each.isprintable() else " " for each in text[:160])
    return line if len(text) <= len(line) else f"{line}…"
