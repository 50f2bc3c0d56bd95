"""One YAML document, built event by event.

The rule: each event is counted before anything nests. The composer of libyaml recurses in C, where
a deep file ends the process (T7); and what an alias repeats is counted as if it stood there (T8).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]

from gateway.capability.file import yaml_trouble as trouble
from gateway.domain.issue import Issue

MAX_DEPTH = 64
MAX_NODES = 100_000  # after the expansion of aliases
MAX_ISSUES = 50  # of one file: beyond that it is no YAML of ours

Spot = tuple[Any, Any, Any]  # mark of the key, mark of the value, spots of the children
Node = tuple[Any, Any]  # value, spots of the children

_WORDS: dict[str, bool | None] = {"": None, "null": None, "true": True, "false": False}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_NUMBER_STARTS = frozenset("-0123456789")
_LONGEST_NUMBER = 300


class Stop(Exception):
    """Nothing more can be read from this file."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.message)
        self.issue = issue


@dataclass(frozen=True, slots=True)
class _Anchor:
    """`size` counts nodes, `height` levels below the node itself; both after expansion."""

    node: Node
    size: int
    height: int


class Builder:
    """Consumes one event stream. Recursion is bounded by `MAX_DEPTH`."""

    def __init__(self, data: bytes, file: str) -> None:
        self.issues: list[Issue] = []
        self._next: Callable[[], Any] = CParser(data).get_event
        self._data = data
        self._file = file
        self._anchors: dict[str, _Anchor | None] = {}  # None while it is being built
        self._nodes = 0
        self._deepest = 0

    def document(self) -> tuple[Any, Spot]:
        self._next()  # stream start
        if type(self._next()) is yaml.StreamEndEvent:
            raise Stop(Issue(self._file, "the file is empty"))
        root = self._next()
        tree, children = self._node(root, 1)
        self._next()  # document end
        after = self._next()
        if type(after) is not yaml.StreamEndEvent:
            hint = "one file describes one API: remove '---', or make it two files"
            raise Stop(self._issue(after, "a second YAML document starts here", hint))
        if tree is None:
            raise Stop(Issue(self._file, "the file is empty"))
        return tree, (None, root.start_mark, children)

    def _node(self, event: Any, depth: int) -> Node:
        kind = type(event)
        if kind is yaml.AliasEvent:
            return self._alias(event, depth)
        self._count(event, 1)
        if depth > self._deepest:
            self._reach(event, depth)
        if event.tag is not None:
            self._tell(event, *trouble.of_tag(event.tag))
        if event.anchor is not None:
            return self._anchored(event, kind, depth)
        return self._content(event, kind, depth)

    def _content(self, event: Any, kind: type, depth: int) -> Node:
        if kind is yaml.ScalarEvent:
            return (event.value if event.style else self._plain(event)), None
        if kind is yaml.MappingStartEvent:
            return self._mapping(depth)
        return self._sequence(depth)

    def _count(self, event: Any, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            hint = "an alias ('*name') counts as all that it repeats"
            raise Stop(self._issue(event, f"more than {MAX_NODES:,} values", hint))

    def _reach(self, event: Any, depth: int) -> None:
        self._deepest = depth
        if depth > MAX_DEPTH:
            raise Stop(self._issue(event, f"nested deeper than {MAX_DEPTH} levels"))

    def _sequence(self, depth: int) -> Node:
        values: list[Any] = []
        spots: list[Spot] = []
        while type(event := self._next()) is not yaml.SequenceEndEvent:
            value, children = self._node(event, depth + 1)
            values.append(value)
            spots.append((None, event.start_mark, children))
        return values, spots

    def _mapping(self, depth: int) -> Node:
        values: dict[str, Any] = {}
        spots: dict[str, Spot] = {}
        merged: Node | None = None
        while type(event := self._next()) is not yaml.MappingEndEvent:
            key = self._key(event, depth)
            content = self._next()
            value, children = self._node(content, depth + 1)
            if key is None:
                continue
            if key in values or (merged and key == "<<"):
                self._duplicate(event, key, spots)
            elif key == "<<" and not event.style:
                merged = self._merge(content, value, children)
            else:
                values[key] = value
                spots[key] = (event.start_mark, content.start_mark, children)
        if merged:
            return {**merged[0], **values}, {**merged[1], **spots}
        return values, spots

    def _key(self, event: Any, depth: int) -> str | None:
        """The key's text; None for a key that is no text, of which it has told."""
        if type(event) is not yaml.ScalarEvent:
            self._add(trouble.of_key(event, self._data, self._file))
            told = len(self.issues)
            self._node(event, depth + 1)
            del self.issues[told:]  # what is wrong inside does not matter any more
            return None
        if event.tag is not None or event.anchor is not None:
            self._tell(event, "a key with a tag or an anchor", "write the key as plain text")
            return None
        text: str = event.value
        if not event.style and (text in _WORDS or _NUMBER.fullmatch(text)):
            shown = trouble.clip(text)
            hint = f'to mean the text, quote it: "{shown}"' if text else None
            self._tell(event, f"the key {shown or 'here'} is not text", hint)
            return None
        return text

    def _duplicate(self, event: Any, key: str, spots: dict[str, Spot]) -> None:
        first = spots[key][0].line + 1 if key in spots else 0
        message = f"the key {trouble.clip(key)!r} stands here a second time"
        self._tell(event, message, f"the first is in line {first}" if first else None)

    def _merge(self, event: Any, value: Any, children: Any) -> Node:
        """`<<`: a mapping, or a list of them of which an earlier one wins."""
        sources = value if isinstance(value, list) else [value]
        spots = children if isinstance(value, list) else [(None, None, children)]
        if not all(isinstance(source, dict) for source in sources):
            self._tell(event, "'<<' merges mappings only", "such as <<: *name")
            return {}, {}
        values: dict[str, Any] = {}
        places: dict[str, Spot] = {}
        for source, spot in zip(sources, spots, strict=True):
            for key in source:
                values.setdefault(key, source[key])
                places.setdefault(key, spot[2][key])
        return values, places

    def _anchored(self, event: Any, kind: type, depth: int) -> Node:
        before, deepest = self._nodes - 1, self._deepest
        self._anchors[event.anchor] = None
        self._deepest = depth
        node = self._content(event, kind, depth)
        height = self._deepest - depth
        self._deepest = max(deepest, self._deepest)
        self._anchors[event.anchor] = _Anchor(node, self._nodes - before, height)
        return node

    def _alias(self, event: Any, depth: int) -> Node:
        anchor = self._anchors.get(event.anchor)
        if anchor is None:
            name = trouble.clip(event.anchor)
            if event.anchor in self._anchors:
                raise Stop(self._issue(event, f"'*{name}' stands inside what '&{name}' names"))
            hint = "text that starts with '*' must be quoted"
            self._tell(event, f"'*{name}' repeats nothing: there is no '&{name}' above", hint)
            return None, None
        self._count(event, anchor.size)
        if depth + anchor.height > self._deepest:
            self._reach(event, depth + anchor.height)
        return anchor.node

    def _plain(self, event: Any) -> Any:
        """JSON's words and numbers; all else, `yes`, `010` and `2024-01-01` too, is text."""
        text: str = event.value
        if text in _WORDS:
            return _WORDS[text]
        if text[0] not in _NUMBER_STARTS:
            return text
        match = _NUMBER.fullmatch(text)
        if match is None:
            return text
        if len(text) <= _LONGEST_NUMBER:
            number = float(text) if match.lastindex else int(text)
            if number not in (float("inf"), float("-inf")):
                return number
        self._tell(event, f"the number {trouble.clip(text)} is out of range", "as text, quote it")
        return 0

    def _tell(self, event: Any, message: str, hint: str | None = None) -> None:
        self._add(self._issue(event, message, hint))

    def _add(self, issue: Issue) -> None:
        self.issues.append(issue)
        if len(self.issues) >= MAX_ISSUES:
            text = f"{MAX_ISSUES} problems; the rest of the file was not read"
            raise Stop(Issue(self._file, text, issue.line, issue.column))

    def _issue(self, event: Any, message: str, hint: str | None = None) -> Issue:
        mark = event.start_mark
        return Issue(self._file, message, mark.line + 1, mark.column + 1, hint=hint)
