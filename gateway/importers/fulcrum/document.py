"""A fulcrum file while it is converted: its values by their places, and what is said about them.

Whatever is not of the type the format asks for refuses the file, at its line.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.capability.file.yaml import Parsed, dotted
from gateway.domain.issue import Issue, Severity

Path = tuple[str | int, ...]

PRIMARY: Path = ("providers", "primary")
CONFIG: Path = (*PRIMARY, "config")

_TOP = re.compile(rb"^[\"']?(fulcrum|providers|capability)[\"']?[ \t]*:", re.MULTILINE)


def is_fulcrum(data: bytes) -> bool:
    """By the keys at the top: the version itself may be left out of such a file."""
    keys = set(_TOP.findall(data))
    return b"capability" not in keys and bool(keys)


class Unconvertible(Exception):
    """Why the file has to stay what it is; `path` is the place to blame."""

    def __init__(self, path: Path, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.path = path
        self.hint = hint


@dataclass(slots=True)
class Document:
    """`notes` are what comes over otherwise than the file says. `tree` is never written to."""

    parsed: Parsed
    tree: Mapping[str, Any]
    notes: list[Issue] = field(default_factory=list)

    @property
    def file(self) -> str:
        return self.parsed.file

    def at(self, *path: str | int) -> Any:
        """The value there; None: there is none. Raises Unconvertible where the way is barred."""
        value: Any = self.tree
        for index, step in enumerate(path):
            if value is None:
                return None
            if not isinstance(value, dict):
                raise _not_a("mapping", path[:index], value)
            value = value.get(step)
        return value

    def mapping(self, *path: str | int) -> Mapping[str, Any]:
        """Empty when nothing is there."""
        value = self.at(*path)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise _not_a("mapping", path, value)
        return value

    def items(self, *path: str | int) -> list[Any]:
        """Empty when nothing is there."""
        value = self.at(*path)
        if value is None:
            return []
        if not isinstance(value, list):
            raise _not_a("list", path, value)
        return value

    def text(self, *path: str | int) -> str:
        """Of a text, a number or a boolean; empty when nothing is there."""
        value = self.at(*path)
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (str, int, float)):
            return str(value)
        raise _not_a("text", path, value)

    def texts(self, *path: str | int) -> dict[str, str]:
        """A mapping of texts, such as headers; what is null is left out."""
        inner = self.mapping(*path)
        return {key: self.text(*path, key) for key in inner if inner[key] is not None}

    def note(self, path: Path, text: str, hint: str | None = None) -> None:
        issue = self.parsed.issue(path, text, hint, severity=Severity.WARNING)
        if issue not in self.notes:
            self.notes.append(issue)


def _not_a(wanted: str, path: Path, value: Any) -> Unconvertible:
    return Unconvertible(path, f"{dotted(path)} is a {wanted} there, not {_kind(value)}")


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else "a single value"
