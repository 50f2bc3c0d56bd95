"""Puts one example into the text of a capability file, and leaves every other byte as it was.

The rule: it is put where the text says, and then the file is read again; unless that gives the old
tree and the example, and nothing else, the text is not changed at all.
"""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import yaml

from gateway.capability.file.yaml import parse
from gateway.importers.writing import item_lines

Json = Mapping[str, Any]


class NotInserted(Exception):
    """The text has no place for it that could be found; the message says why."""


@dataclass(frozen=True, slots=True)
class _Edit:
    at: int  # an index into the text
    text: str


def with_example(text: str, tool: str, example: Json) -> str:
    """`text` with `example` behind the examples that `tools.TOOL` has. Raises NotInserted."""
    before = parse(text.encode(), "").tree
    node = _tool(text, tool)
    edit = _edit(text, node, example)
    made = text[: edit.at] + edit.text + text[edit.at :]
    after = parse(made.encode(), "")
    if after.issues or after.tree != _wanted(before, tool, example):
        raise NotInserted(
            f"tools.{tool} is written so that an example cannot be put into it (an anchor, perhaps)"
        )
    return made


def _wanted(tree: Any, tool: str, example: Json) -> Any:
    wanted = copy.deepcopy(tree)
    spec = wanted["tools"][tool] = {**wanted["tools"][tool]}
    spec["examples"] = [*spec.get("examples", []), example]
    return wanted


def _tool(text: str, tool: str) -> yaml.MappingNode:
    try:
        found = _value(_value(yaml.compose(text, yaml.CSafeLoader), "tools"), tool)
    except yaml.YAMLError:
        raise NotInserted("the file is not valid YAML") from None
    if not isinstance(found, yaml.MappingNode):
        raise NotInserted(f"the file has no tool {tool!r}")
    return found


def _value(node: Any, key: str) -> Any:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if getattr(name, "value", None) == key:
                return value
    return None


def _edit(text: str, tool: yaml.MappingNode, example: Json) -> _Edit:
    examples = _value(tool, "examples")
    if isinstance(examples, yaml.SequenceNode):
        if examples.flow_style:
            return _in_flow(examples, f"{', ' if examples.value else ''}{_flow(example)}")
        column = examples.start_mark.column
        return _below(text, examples, item_lines(example, " " * column))
    if examples is not None:
        raise NotInserted("examples: is no list")
    if tool.flow_style:
        return _in_flow(tool, f", examples: [{_flow(example)}]")
    column = tool.start_mark.column
    lines = [f"{' ' * column}examples:", *item_lines(example, " " * (column + 2))]
    return _below(text, tool, lines)


def _flow(example: Json) -> str:
    """JSON is YAML in flow style."""
    return msgspec.json.encode(example).decode()


def _in_flow(node: yaml.CollectionNode, added: str) -> _Edit:
    """Behind its last value, inside its brackets."""
    return _Edit(_end(node.value[-1]) if node.value else node.start_mark.index + 1, added)


def _below(text: str, node: yaml.Node, lines: Iterable[str]) -> _Edit:
    """On lines of their own, below the last line of `node`."""
    last = len(text[: _end(node)].rstrip())
    at = text.find("\n", last)
    newline = "\r\n" if "\r\n" in text[:4096] else "\n"
    body = newline.join(lines)
    if at < 0:
        return _Edit(len(text), f"{newline}{body}{newline}")
    return _Edit(at + 1, f"{body}{newline}")


def _end(part: Any) -> int:
    """Where its last scalar ends: a block's own end is where the next thing begins.

    An alias stands for a node further up, so of a pair the key may end last.
    """
    if isinstance(part, tuple):
        return max(_end(part[0]), _end(part[1]))
    if isinstance(part, yaml.CollectionNode) and part.value and not part.flow_style:
        return max(map(_end, part.value))
    return int(part.end_mark.index)
