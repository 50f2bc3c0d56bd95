"""Which operations are asked for, and how the files are to be."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Options:
    """Globs; empty means all. An operation is chosen when it matches one of each kind given."""

    tags: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    split: Literal["api", "tag"] = "api"
    name: str | None = None
    base_url: str | None = None

    @property
    def chooses(self) -> bool:
        return bool(self.tags or self.paths or self.operations)

    def takes_path(self, path: str) -> bool:
        return _matches([path], self.paths)

    def takes(self, operation: Mapping[str, Any]) -> bool:
        tags = operation.get("tags")
        listed = [str(tag) for tag in tags] if isinstance(tags, list) else []
        known = str(operation.get("operationId", ""))
        return _matches(listed, self.tags) and _matches([known], self.operations)


def _matches(values: Iterable[str], globs: tuple[str, ...]) -> bool:
    return not globs or any(fnmatchcase(value, glob) for value in values for glob in globs)
