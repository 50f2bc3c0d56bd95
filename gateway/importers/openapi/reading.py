"""The bytes of a foreign document -> plain values: JSON, or YAML as other people write it.

More is forgiven than in our own files: duplicate keys, tags, tabs, numbers as keys. The limits are
not: bytes, depth, and what aliases repeat counts as if it stood there (T7, T8).
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec
import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]

from gateway.importers.base import ImportFailed

MAX_BYTES = 64 << 20
MAX_DEPTH = 200
MAX_NODES = 5_000_000

_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TABS = re.compile(r"^[ ]*\t[ \t]*", re.MULTILINE)
_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,300})(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?")
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read(data: bytes, name: str) -> Any:
    """Dicts, lists and scalars of JSON. Raises ImportFailed."""
    if len(data) > MAX_BYTES:
        raise ImportFailed(f"{name} is larger than {MAX_BYTES >> 20} MiB")
    text = _text(data, name)
    if text.lstrip()[:1] in ("{", "["):
        try:
            tree = msgspec.json.decode(text)
        except RecursionError:
            raise ImportFailed(f"{name} is nested too deeply") from None
        except (msgspec.DecodeError, UnicodeEncodeError):
            tree = None  # what is no JSON may still be YAML: a comma too many, a comment
        if tree is not None:
            _check_depth(tree, name)
            return tree
    return _yaml(text, name)


def _text(data: bytes, name: str) -> str:
    encoding = "utf-16" if data.startswith(_UTF16) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        if b"\0" in data:
            raise ImportFailed(f"{name} is no text") from None
        return data.decode("latin-1")


def _check_depth(tree: Any, name: str) -> None:
    level, depth = [tree], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise ImportFailed(f"{name} is nested deeper than {MAX_DEPTH} levels")
        level = [child for node in level if (inner := _inner(node)) for child in inner]


def _inner(node: Any) -> Any:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()


def _yaml(text: str, name: str) -> Any:
    try:
        return _Builder(_CONTROL.sub(" ", text), name).document()
    except yaml.YAMLError as error:
        if "\t" not in text:
            raise _no_yaml(error, name) from None
    try:
        return _Builder(_CONTROL.sub(" ", _TABS.sub(_spaces, text)), name).document()
    except yaml.YAMLError as error:
        raise _no_yaml(error, name) from None


def _spaces(found: re.Match[str]) -> str:
    return found[0].replace("\t", "  ")


def _no_yaml(error: yaml.YAMLError, name: str) -> ImportFailed:
    mark = getattr(error, "problem_mark", None)
    where = f" line {mark.line + 1}:" if mark else ""
    reason = getattr(error, "problem", None) or "the text ends too early"
    return ImportFailed(f"{name} is neither JSON nor YAML:{where} {reason}")


class _Builder:
    """Event by event: the composer of libyaml recurses in C, where depth ends the process."""

    def __init__(self, text: str, name: str) -> None:
        self._next: Callable[[], Any] = CParser(text).get_event
        self._name = name
        self._anchors: dict[str, tuple[Any, int]] = {}  # value, nodes in it
        self._nodes = 0

    def document(self) -> Any:
        """The first document; what follows it is left unread."""
        self._next()
        if type(self._next()) is yaml.StreamEndEvent:
            raise ImportFailed(f"{self._name} is empty")
        return self._node(self._next(), 1)

    def _node(self, event: Any, depth: int) -> Any:
        if type(event) is yaml.AliasEvent:
            value, size = self._anchors.get(str(event.anchor), (None, 1))
            self._count(size)
            return value
        if depth > MAX_DEPTH:
            raise ImportFailed(f"{self._name} is nested deeper than {MAX_DEPTH} levels")
        self._count(1)
        before = self._nodes
        value = self._content(event, depth)
        if event.anchor is not None:
            self._anchors[str(event.anchor)] = (value, self._nodes - before + 1)
        return value

    def _content(self, event: Any, depth: int) -> Any:
        if type(event) is yaml.ScalarEvent:
            text: str = event.value
            return text if event.style or event.tag is not None else _plain(text)
        if type(event) is yaml.MappingStartEvent:
            return self._mapping(depth)
        values: list[Any] = []
        while type(event := self._next()) is not yaml.SequenceEndEvent:
            values.append(self._node(event, depth + 1))
        return values

    def _mapping(self, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while type(event := self._next()) is not yaml.MappingEndEvent:
            is_merge = type(event) is yaml.ScalarEvent and event.value == "<<" and not event.style
            key = event.value if type(event) is yaml.ScalarEvent else self._node(event, depth + 1)
            value = self._node(self._next(), depth + 1)
            if is_merge:
                for source in value if isinstance(value, list) else [value]:
                    merged = {**source, **merged} if isinstance(source, dict) else merged
            elif isinstance(key, str):
                values[key] = value
        return {**merged, **values} if merged else values

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise ImportFailed(f"{self._name} holds more than {MAX_NODES:,} values")


def _plain(text: str) -> Any:
    """JSON's words and numbers, in any case; all else, `yes` and dates too, is text."""
    word = text.lower() if len(text) <= len("false") else text
    if word in _WORDS:
        return _WORDS[word]
    found = _NUMBER.fullmatch(text)
    if found is None:
        return text
    number = float(text) if found.lastindex else int(text)
    return text if number in (float("inf"), float("-inf")) else number
