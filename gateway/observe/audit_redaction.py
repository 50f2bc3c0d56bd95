"""What of a call's arguments may be written down: by the operator's rules about their names, and by
what the redactor knows of secrets.
"""

import re
from collections.abc import Iterable
from fnmatch import translate
from typing import Any

import msgspec

from gateway.credentials.redact import MASK, Redactor
from gateway.observe.audit_copy import Cut, Left, copied

LAYERS = 3  # of JSON in text in JSON
MOST_KEPT = 4_096  # names whose judgement is remembered
JSON_BEGINS = frozenset("{[")
SPACE = " \t\r\n\ufeff"
INT64, UINT64 = 2**63, 2**64

_APART = re.compile("[-_]")
_QUOTED = re.compile(r'"([^"\\\n]{1,256})"\s*:')
_encode = msgspec.json.Encoder().encode


class Names:
    """Which arguments are hidden, by globs of their names; case, `_` and `-` do not count."""

    def __init__(self, globs: Iterable[str]) -> None:
        folded = [glob.casefold() for glob in globs]
        loose = [_APART.sub("", glob) for glob in folded if "[" not in glob]
        self._exactly = _any_of(folded)
        self._loosely = _any_of(loose)
        self._known: dict[str, bool] = {}

    def hide(self, name: str) -> bool:
        known = self._known.get(name)
        if known is None:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            known = self._known[name] = self._hide(name.casefold())
        return known

    def _hide(self, name: str) -> bool:
        exactly, loosely = self._exactly, self._loosely
        if exactly is not None and exactly.match(name):
            return True
        return loosely is not None and loosely.match(_APART.sub("", name)) is not None


class Rules:
    """`rules` are globs of names, or `backend:tool:name` of globs."""

    def __init__(self, rules: Iterable[str]) -> None:
        parts = [rule.split(":", 2) for rule in rules]
        self._everywhere = tuple(part[0] for part in parts if len(part) == 1)
        self._of_tools = tuple(
            (_any_of([part[0].casefold()]), _any_of([part[1].casefold()]), part[2])
            for part in parts
            if len(part) == 3  # noqa: PLR2004 (backend, tool, name)
        )
        self._always = Names(self._everywhere)
        self._all = Names((*self._everywhere, *(name for _, _, name in self._of_tools)))
        self._known: dict[tuple[str, str], Names] = {}

    def of(self, backend: str, tool: str) -> Names:
        """For a call of that very tool."""
        if not self._of_tools:
            return self._always
        found = self._known.get((backend, tool))
        if found is None:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            found = self._known[backend, tool] = self._made(backend.casefold(), tool.casefold())
        return found

    def of_any(self) -> Names:
        """For a call of nobody knows what: each rule may be meant."""
        return self._all

    def _made(self, backend: str, tool: str) -> Names:
        more = [
            name
            for of_backend, of_tool, name in self._of_tools
            if of_backend and of_backend.match(backend) and of_tool and of_tool.match(tool)
        ]
        return Names((*self._everywhere, *more)) if more else self._always


class Redaction:
    """Copied arguments to what is shown of them: JSON values, no text of more than `longest`
    characters.

    A text that is a JSON object or array is looked into; one that looks like such and was cut is
    not shown. Known secrets in the rest are left to whoever writes the line, but for one that is
    cut in two.
    """

    def __init__(self, longest: int, redactor: Redactor) -> None:
        self._longest = longest
        self._redactor = redactor

    def shown(self, value: Any, names: Names, layers: int = LAYERS) -> Any:
        kind = type(value)
        if kind is str:
            return self._text(value, names, layers)
        if kind is dict:
            return {
                _name(key): self._member(key, each, names, layers) for key, each in value.items()
            }
        if kind is list:
            return [self.shown(each, names, layers) for each in value]
        if kind is int:
            return value if -INT64 <= value < UINT64 else str(value)
        if kind is Cut:
            return self._cut(value.text, value.length)
        return value.text if kind is Left else value

    def _member(self, key: Any, value: Any, names: Names, layers: int) -> Any:
        """Of a name that was too long to be looked at the value is not shown either."""
        if type(key) is not str:
            return MASK
        return MASK if names.hide(key) else self.shown(value, names, layers)

    def _text(self, text: str, names: Names, layers: int) -> str:
        if _looks_like_json(text):
            text = self._json(text, names, layers)
        return text if len(text) <= self._longest else self._cut(text, len(text), seen=True)

    def _json(self, text: str, names: Names, layers: int) -> str:
        try:
            found = msgspec.json.decode(text)
        except (ValueError, RecursionError):  # several of them, half of one, or none
            secret = any(map(names.hide, _QUOTED.findall(text)))
            return _unseen(text) if secret else text
        if not isinstance(found, dict | list):
            return text
        if not layers:
            return _unseen(text)
        copy = copied({"": found}, self._longest).value[""]
        shown = self.shown(copy, names, layers - 1)
        return text if shown == found else _encode(shown).decode()

    def _cut(self, text: str, length: int, *, seen: bool = False) -> str:
        """The beginning of a text, without what may be the beginning of a secret at its end."""
        if not seen and _looks_like_json(text):
            return f"({length} characters of JSON)"
        kept = self._redactor.text(text)[: self._longest]
        begun = self._redactor.begun(kept)
        return f"{kept[: len(kept) - begun]} … ({length} characters)"


def _name(key: Any) -> str:
    return key if type(key) is str else str(key.text)


def _looks_like_json(text: str) -> bool:
    first = text[:1]
    return first in JSON_BEGINS or (first in SPACE and text.lstrip(SPACE)[:1] in JSON_BEGINS)


def _unseen(text: str) -> str:
    return f"({len(text)} characters of JSON)"


def _any_of(globs: list[str]) -> re.Pattern[str] | None:
    """In Python 3.11 a glob's pattern has no way back, so no name takes long."""
    return re.compile("|".join(map(translate, globs))) if globs else None
