"""`gateway.lock` → pinned definitions, or every reason why not; and back.

It is JSON for people who read what changed in Git: a line a value, tools by name, nothing in it
that differs from one run to the next, and no character that a reader does not see.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from gateway.backends.definitions import DEEPEST, deeper
from gateway.capability.file.yaml import Parsed, dotted, parse
from gateway.capability.file.yaml_trouble import MAX_BYTES
from gateway.config.folder import NOT_A_FILE, look, read
from gateway.domain.issue import Issue, Severity
from gateway.domain.pins import PINNED, Pin, Pins, digest
from gateway.domain.text import visible

VERSION = 1
MOST_BYTES = 64 << 20
MOST_TOLD = 20  # issues
PARTS = {"sha256", "definition"}
ANEW = "to pin everything anew, delete the file and run: capgate lock"


class Wrong(NamedTuple):
    """What is wrong, at a path inside the file."""

    path: tuple[str, ...]
    message: str
    hint: str | None = None


class _Twice(ValueError):
    """A key stands twice in one object."""


def load(file: str) -> tuple[Pins | None, tuple[Issue, ...]]:
    """The file as it is now; no pins and no issue where there is none. Blocks for a moment."""
    found = look([file], MOST_BYTES)
    entry = found.entries.get(file)
    if entry is None:
        reasons = {**found.unlisted, **found.refused}
        return None, () if file in found.missing else (reasons.get(file, Issue(file, NOT_A_FILE)),)
    content = read(entry)
    if content is None:
        return None, (Issue(file, "is being written just now"),)
    return understand(content, file) if isinstance(content, bytes) else (None, (content,))


def understand(data: bytes, file: str) -> tuple[Pins | None, tuple[Issue, ...]]:
    """The content of `file`. Never raises, whatever the bytes."""
    try:
        tree = json.loads(data, object_pairs_hook=_object, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        text = f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        return None, (Issue(file, text, error.lineno, error.colno, hint=ANEW),)
    except (ValueError, RecursionError) as error:
        parsed = _lines(data, file)
        text = str(error) if isinstance(error, _Twice) else "not JSON that can be read"
        return None, (parsed and parsed.issues) or (Issue(file, text, hint=ANEW),)
    wrong = [*_wrong(tree)]
    if wrong:
        return None, _placed(wrong[:MOST_TOLD], data, file)
    pins = {
        backend: {name: Pin(one["sha256"], one["definition"]) for name, one in tools.items()}
        for backend, tools in tree["backends"].items()
    }
    return Pins(pins), ()


def written(pins: Pins) -> str:
    """The same pins give the same text."""
    tree = {
        "version": VERSION,
        "backends": {
            backend: {
                name: {"sha256": tools[name].sha256, "definition": tools[name].definition}
                for name in sorted(tools)
            }
            for backend, tools in sorted(pins.backends.items())
        },
    }
    text = msgspec.json.format(msgspec.json.encode(tree), indent=2).decode()
    return f"{_seen(text)}\n"


def unmet(pins: Pins | None, file: str, on_change: str, backends: Sequence[str]) -> Iterator[Issue]:
    """What can only be said of all that is on offer."""
    if pins is None:
        if on_change != "warn":
            text = f"there is none, so that nothing is pinned and lock.on_change {on_change} idles"
            yield _warning(file, text, "capgate lock writes it")
        return
    gone = [name for name in pins.backends if name not in backends]
    for name in gone[:MOST_TOLD]:
        text = f"pins the tools of {name!a}, and there is no such server"
        yield _warning(file, text, "capgate lock takes it out")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for number, key in enumerate(keys) if key in keys[:number])
        raise _Twice(f"the key {twice[:80]!a} stands twice in one place")
    return made


def _no_number(word: str) -> Any:
    raise ValueError(word)


def _wrong(tree: Any) -> Iterator[Wrong]:
    if not isinstance(tree, dict) or not isinstance(tree.get("backends"), dict):
        yield Wrong((), 'no lock: it has to be {"version": 1, "backends": {…}}', ANEW)
        return
    if tree.get("version") != VERSION or tree["version"] is True:
        text = f"is of version {_short(tree.get('version'))}; this capgate reads version {VERSION}"
        yield Wrong(("version",), text)
        return
    for key in tree.keys() - {"version", "backends"}:
        yield Wrong((key,), f"unknown key {key[:80]!a}")
    for backend, tools in tree["backends"].items():
        if not isinstance(tools, dict):
            yield Wrong(("backends", backend), "its tools by name are no object")
            continue
        for name, one in tools.items():
            yield from _wrong_tool(("backends", backend, name), one)


def _wrong_tool(path: tuple[str, ...], one: Any) -> Iterator[Wrong]:
    if not isinstance(one, dict) or one.keys() != PARTS:
        yield Wrong(path, "has to be {sha256, definition}", ANEW)
        return
    definition = one["definition"]
    inside = (*path, "definition")
    if not isinstance(definition, dict) or not isinstance(definition.get("inputSchema"), dict):
        yield Wrong(inside, "is no definition of a tool: it has no inputSchema")
    elif definition.get("name") != path[-1]:
        yield Wrong(inside, f"is that of {_short(definition.get('name'))}")
    elif definition.keys() - {*PINNED}:
        more = sorted(definition.keys() - {*PINNED})
        yield Wrong((*inside, more[0]), f"unknown key {more[0][:80]!a}")
    elif deeper(definition, DEEPEST):
        yield Wrong(inside, f"is nested deeper than {DEEPEST} levels")
    elif not _fits(one):
        text = "does not fit its definition: one of the two was changed by hand"
        yield Wrong((*path, "sha256"), text, ANEW)


def _fits(one: Mapping[str, Any]) -> bool:
    try:
        return bool(one["sha256"] == digest(one["definition"]))
    except (ValueError, TypeError):  # half a surrogate pair, which no server can send
        return False


def _short(value: Any) -> str:
    return ascii(value)[:80]


def _placed(wrong: Sequence[Wrong], data: bytes, file: str) -> tuple[Issue, ...]:
    parsed = _lines(data, file)
    if parsed is None or parsed.issues:
        return tuple(
            Issue(file, one.message, path=dotted(one.path), hint=one.hint) for one in wrong
        )
    return tuple(parsed.issue(one.path, one.message, one.hint) for one in wrong)


def _lines(data: bytes, file: str) -> Parsed | None:
    """Where everything stands; None in a file that is too large for the parser that knows."""
    return parse(data.replace(b"\t", b" "), file) if len(data) <= MAX_BYTES else None


def _seen(text: str) -> str:
    """JSON in which what no reader sees is escaped; there it can only stand inside strings."""
    if visible(text) == text:
        return text
    return "".join(each if visible(each) else json.dumps(each)[1:-1] for each in text)


def _warning(file: str, text: str, hint: str) -> Issue:
    return Issue(file, text, hint=hint, severity=Severity.WARNING)
