"""One tool while it is made of a fulcrum file, and where each part of it stood there."""

import re
from dataclasses import dataclass, field
from typing import Any

from gateway.capability.file.yaml import dotted
from gateway.importers.fulcrum.document import Document, Path
from gateway.importers.fulcrum.secrets import Secrets
from gateway.importers.fulcrum.words import Words

TOOL_LENGTH = 48
SERVER_LENGTH = 32


@dataclass(slots=True)
class Making:
    """`tool` is written as it becomes known; `origins` is place in it → place in the file."""

    document: Document
    words: Words
    secrets: Secrets
    name: str
    tool: dict[str, Any] = field(default_factory=dict)
    base_url: str = ""
    auth: dict[str, Any] | None = None
    origins: dict[str, Path] = field(default_factory=dict)

    def put(self, key: str, value: Any, path: Path) -> None:
        """A key of the tool."""
        self.tool[key] = value
        self.came((key,), path)

    def came(self, place: Path, path: Path) -> None:
        """What stands at `place` of the tool stood at `path`."""
        self.origins[dotted(("tools", self.name, *place))] = path

    def add(self, section: str, key: str, value: Any, path: Path) -> None:
        """A pair of `query` or `form`. What is there twice is sent twice, unless it is the same."""
        pairs = self.tool.setdefault(section, {})
        before = pairs.get(key)
        if before is not None and before != value:
            value = [*(before if isinstance(before, list) else [before]), value]
        pairs[key] = value
        self.came((section, key), path)


def valid_name(name: str, longest: int) -> str:
    """The nearest name that a tool or a server may have."""
    plain = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_") or "tool"
    plain = plain if plain[0].isalpha() else f"t_{plain}"
    return plain[:longest].rstrip("_")
