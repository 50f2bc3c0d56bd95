"""Capability files as text: what an author would have written, for a person to review.

The rule: our own strict reader reads back the very tree that was given. What is short stands in one
line, the rest in blocks; nothing is ever shared by anchors.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gateway.importers.scalars import LONGEST_KEY, scalar

SCHEMA = "# yaml-language-server: $schema=../schemas/capability.schema.json"
WIDTH = 120  # characters of a line that holds a whole mapping or list

_ORDER = (  # of a file, then of a tool; what is not named here follows in the order given
    *("capability", "name", "title", "description", "docs", "version", "tags", "enabled"),
    *("base_url", "secrets", "vars", "auth", "tls"),
    *("args", "get", "post", "put", "patch", "delete", "head", "steps", "query", "headers"),
    *("json", "form", "multipart", "text", "xml", "bytes", "graphql"),
    *("paginate", "poll", "response", "timeout", "retry", "cache", "errors", "limits"),
    *("idempotency_key", "annotations", "output", "constraints", "examples", "tools"),
)
_RANK = {key: rank for rank, key in enumerate(_ORDER)}
_IN_BLOCKS = frozenset({"tools", "args", "steps", "examples"})  # one line an entry at the least


def capability_text(tree: Mapping[str, Any], comments: Iterable[str] = ()) -> str:
    """The file's text. Each of `comments` becomes a line, or several, below the first.

    Raises ValueError and TypeError for what JSON does not have.
    """
    tools = {
        name: ordered(tool) if isinstance(tool, Mapping) else tool
        for name, tool in tree.get("tools", {}).items()
    }
    whole = ordered({**tree, "tools": tools} if tools else tree)
    return "\n".join([SCHEMA, *comment_lines(comments), *yaml_lines(whole)]) + "\n"


def ordered(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Its keys in the order of the format's page."""
    return dict(sorted(mapping.items(), key=lambda item: _RANK.get(item[0], len(_ORDER))))


def comment_lines(comments: Iterable[str]) -> Iterator[str]:
    """Foreign words stay comments: no line end in them starts a line of the file."""
    for comment in comments:
        for line in comment.splitlines():
            yield f"# {printable(line)}".rstrip()


def printable(text: str) -> str:
    """Without control characters and what else no file shows."""
    return "".join(each if each.isprintable() else " " for each in text)


def yaml_lines(tree: Mapping[str, Any]) -> Iterator[str]:
    """A mapping in block style; an empty line before each tool and each first of them."""
    for key, value in tree.items():
        if key == "tools" and isinstance(value, Mapping) and value:
            yield ""
            yield "tools:"
            yield from _tools(value)
        else:
            yield from _entry(key, value, "")


def _tools(tools: Mapping[str, Any]) -> Iterator[str]:
    for index, (name, tool) in enumerate(tools.items()):
        if index:
            yield ""
        yield from _entry(name, tool, "  ", in_blocks=True)


def _entry(key: str, value: Any, indent: str, *, in_blocks: bool = False) -> Iterator[str]:
    """`key: value`, in one line if it is short, and may be."""
    name = scalar(key, flow=True)
    if len(name.encode()) > LONGEST_KEY:
        yield f"{indent}? {name}"
        name = ""
    head = f"{indent}{name}:"
    if not isinstance(value, (Mapping, list, tuple)):
        yield from _scalar_lines(head, value, indent)
        return
    in_blocks = in_blocks or key in _IN_BLOCKS
    flow = None if in_blocks and value else _flow(value, WIDTH - len(head))
    if flow is not None:
        yield f"{head} {flow}"
        return
    if not in_blocks and _all_scalars(value):
        yield f"{head} ["
        yield from _wrapped(value, f"{indent}  ")
        yield f"{indent}]"
        return
    yield head
    yield from _block(value, f"{indent}  ")


def _all_scalars(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and not any(
        isinstance(each, (Mapping, list, tuple)) for each in value
    )


def _wrapped(values: Iterable[Any], indent: str) -> Iterator[str]:
    """As many to a line as it holds."""
    line = ""
    for each in values:
        text = f"{scalar(each, flow=True)},"
        if line and len(indent) + len(line) + len(text) >= WIDTH:
            yield f"{indent}{line}"
            line = ""
        line = f"{line} {text}" if line else text
    yield f"{indent}{line}"


def _block(value: Mapping[str, Any] | Sequence[Any], indent: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _entry(key, each, indent)
        return
    for each in value:
        yield from item_lines(each, indent)


def item_lines(value: Any, indent: str) -> Iterator[str]:
    """`- value`; the first line of a block stands right behind the dash."""
    if not isinstance(value, (Mapping, list, tuple)):
        yield f"{indent}- {scalar(value)}"
        return
    flow = _flow(value, WIDTH - len(indent) - 2)
    if flow is not None:
        yield f"{indent}- {flow}"
        return
    lines = _block(value, f"{indent}  ")
    yield f"{indent}- {next(lines)[len(indent) + 2 :]}"
    yield from lines


def _scalar_lines(head: str, value: Any, indent: str) -> Iterator[str]:
    if not isinstance(value, str) or not _may_be_literal(value):
        yield f"{head} {scalar(value)}"
        return
    yield f"{head} |" if value.endswith("\n") else f"{head} |-"
    for line in value.removesuffix("\n").split("\n"):
        yield f"{indent}  {line}" if line else ""


def _may_be_literal(text: str) -> bool:
    """Lines that a `|` block keeps as they are, and that a person reads better so."""
    body = text.removesuffix("\n")
    return (
        "\n" in body
        and not body.endswith("\n")
        and body[0] not in " \n"
        and all(line.isprintable() and not line.endswith(" ") for line in body.split("\n"))
    )


def _flow(value: Any, room: int) -> str | None:
    """In one line of at most `room` characters; None when it does not fit."""
    if room < 0:
        return None
    if isinstance(value, Mapping):
        return _joined("{", "}", _pairs(value, room), room)
    if isinstance(value, (list, tuple)):
        return _joined("[", "]", (_flow(each, room) for each in value), room)
    text = scalar(value, flow=True)
    return text if len(text) <= room else None


def _pairs(value: Mapping[str, Any], room: int) -> Iterator[str | None]:
    for key, each in value.items():
        name = scalar(key, flow=True)
        inner = _flow(each, room - len(name) - 2)
        yield None if inner is None else f"{name}: {inner}"


def _joined(start: str, end: str, parts: Iterable[str | None], room: int) -> str | None:
    texts: list[str] = []
    used = 2
    for part in parts:
        if part is None:
            return None
        used += len(part) + 2
        if used - 2 > room:
            return None
        texts.append(part)
    return f"{start}{', '.join(texts)}{end}"
