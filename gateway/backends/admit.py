"""Which of the things that an MCP server lists are taken, and as what: each is judged alone.

The rule: what is taken is what the server sent, unknown fields included. Only characters that no
reader sees and descriptions without measure are taken out of it; everything odd is left out as a
whole, with a reason. Pure; much of it may run in a thread.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gateway.backends.definitions import DEEPEST, Oddity, check, check_depth, cleaned
from gateway.backends.remarks import Remarks
from gateway.domain.issue import Issue
from gateway.domain.text import cut, shown, visible
from gateway.domain.tool import JsonObject, Tool, ToolRef

MOST = 10_000  # items of one kind
LARGEST = 256 * 1024  # bytes of one definition
LONGEST_NAME = 128  # characters (2025-11-25, server/tools "Tool Names")
LONGEST_TEXT = 16 * 1024  # characters of a description (I52)
PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.")
PATHS = frozenset("/\\")

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of thing that servers list. `keys` are its texts without which no client reads it;
    no two items share the first.
    """

    noun: str
    keys: tuple[str, ...]


TOOLS = Kind("tool", ("name",))
PROMPTS = Kind("prompt", ("name",))
RESOURCES = Kind("resource", ("uri", "name"))
TEMPLATES = Kind("resource template", ("uriTemplate", "name"))


@dataclass(frozen=True, slots=True)
class Taken:
    """`items` as they are offered, `sources` the same as they came, by their first key."""

    items: tuple[JsonObject, ...] = ()
    issues: tuple[Issue, ...] = ()
    sources: Mapping[str, tuple[JsonObject, JsonObject]] = field(default_factory=dict)


def taken(backend: str, kind: Kind, came: Sequence[Any], before: Taken) -> Taken:
    """What of `came` is offered. An item that came `before` just so is the same object again."""
    remarks = Remarks(backend, kind.noun)
    found: dict[str, tuple[JsonObject, JsonObject]] = {}
    if len(came) > MOST:
        remarks.add("", f"{len(came)} are listed; only the first {MOST} are taken")
    for place, item in enumerate(came[:MOST]):
        name = _name(item, kind)
        known = before.sources.get(name) if name is not None else None
        if known is not None and known[0] == item and _silent(known):
            found.setdefault(name or "", known)
            continue
        try:
            _judge(name, item, kind, found)
            found[name or ""] = (item, _as_offered(item, kind, name or "", remarks))
        except Oddity as reason:
            remarks.add(_place(name, place), f"left out: {reason}")
    items = tuple(offered for _, offered in found.values())
    return Taken(items if items != before.items else before.items, remarks.issues, found)


def tools(backend: str, items: Iterable[JsonObject], before: Iterable[Tool]) -> tuple[Tool, ...]:
    """`items` as Tools; one whose definition is the same object as before is the same Tool."""
    known = {id(tool.definition): tool for tool in before}
    return tuple(
        known.get(id(item)) or Tool(ToolRef(backend, str(item["name"])), item) for item in items
    )


def bad_name(name: str) -> str | None:
    """Why no tool may be called so; None when it may."""
    if not name:
        return "its name is empty"
    if len(name) > LONGEST_NAME:
        return f"its name is longer than {LONGEST_NAME} characters"
    if not PATHS.isdisjoint(name) or name in {".", ".."}:
        return "its name is a path"
    if visible(name) != name or not name.isprintable():
        return "its name holds characters that are not printable"
    return None


def _name(item: Any, kind: Kind) -> str | None:
    found = item.get(kind.keys[0]) if isinstance(item, Mapping) else None
    return found if isinstance(found, str) else None


def _place(name: str | None, place: int) -> str:
    return shown(name) if name is not None else f"number {place + 1}"


def _silent(known: tuple[JsonObject, JsonObject]) -> bool:
    """Whether it was taken without a remark: one that earns a remark earns it every time."""
    came, offered = known
    return came is offered and PLAIN.issuperset(str(came.get("name", "")))


def _judge(name: str | None, item: Any, kind: Kind, found: Mapping[str, Any]) -> None:
    """Raises Oddity."""
    if name is None:
        raise Oddity(f"it has no {kind.keys[0]}" if isinstance(item, Mapping) else "no object")
    for key in kind.keys[1:]:
        if not isinstance(item.get(key), str):
            raise Oddity(f"it has no {key}")
    if kind is TOOLS:
        problem = bad_name(name)
        if problem:
            raise Oddity(problem)
    if name in found:
        raise Oddity(f"another {kind.noun} before it has the same {kind.keys[0]}")


def _as_offered(item: JsonObject, kind: Kind, name: str, remarks: Remarks) -> JsonObject:
    """`item` itself, unless something in it has to be cleaned. Raises Oddity."""
    text = item.get("description")
    if isinstance(text, str) and len(text) > LONGEST_TEXT:
        remarks.add(shown(name), f"its description has {len(text)} characters and was cut")
        item = {**item, "description": cut(text, LONGEST_TEXT)}
    data = _measured(item)
    if kind is TOOLS:
        check(item, data)
        if not PLAIN.issuperset(name):
            text = "its name has characters beyond A-Z a-z 0-9 _ - . and some clients refuse it"
            remarks.add(shown(name), text, "an override can rename it")
    if hidden(data):
        clean = cleaned(item)
        if clean is not item:
            text = "characters that no reader sees were taken out of its descriptions"
            remarks.add(shown(name), text)
            return dict(clean)
    return item


def _measured(item: JsonObject) -> bytes:
    """`item` in JSON. Raises Oddity when there is too much of it."""
    try:
        data = _encode(item)
    except (RecursionError, ValueError, TypeError):
        raise Oddity("it is nested too deep") from None
    if len(data) > LARGEST:
        raise Oddity(f"it has {len(data)} bytes, more than {LARGEST}")
    if data.count(b"{") + data.count(b"[") > DEEPEST:
        check_depth(item)
    return data


def hidden(data: bytes) -> bool:
    """Whether there may be characters in a JSON text that are not for reading."""
    return not data.isascii() or b"\\u00" in data or b"\x7f" in data
