"""A document and its references: looked up when asked for, in the files below its folder only.

The rule: nothing is fetched, and no reference leads out of the folder. One that leads nowhere, or
in a circle, is nothing: whoever needs it says what is lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from gateway.importers.base import ImportFailed
from gateway.importers.openapi.reading import MAX_BYTES, read

MOST_FILES = 500
MOST_STEPS = 30  # from one reference to the next

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """`name` is what messages call it, `folder` where files it refers to may be; `url` where it
    came from, for addresses that are relative to it.
    """

    data: bytes
    name: str
    folder: Path | None = None
    url: str | None = None


class Document:
    """Raises ImportFailed for what is no OpenAPI document at all."""

    def __init__(self, source: Source) -> None:
        tree = read(source.data, source.name)
        if not isinstance(tree, dict):
            raise ImportFailed(f"{source.name} is no OpenAPI document: it is no mapping")
        self.source = source
        self.root: dict[str, Any] = tree
        self.version = _version(tree, source.name)
        self._folder = source.folder.resolve() if source.folder else None
        self._files: dict[str, Any] = {"": tree}
        self._bytes = len(source.data)
        self._found: dict[str, Any] = {}
        self.merged: dict[int, tuple[Any, Any]] = {}  # id of a node → it, and what `merging` made

    @property
    def is_swagger(self) -> bool:
        return self.version.startswith("2")

    def see(self, node: Any) -> Any:
        """What stands there, references followed; None where one leads nowhere."""
        for _ in range(MOST_STEPS):
            if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
                return node
            node = self._at(node["$ref"])
        return None

    def mapping(self, node: Any) -> dict[str, Any]:
        """As `see`; an empty one in place of anything that is no mapping."""
        found = self.see(node)
        return found if isinstance(found, dict) else {}

    def listed(self, node: Any) -> list[Any]:
        found = self.see(node)
        return found if isinstance(found, list) else []

    def _at(self, reference: str) -> Any:
        if reference not in self._found:
            self._found[reference] = self._look(reference)
        return self._found[reference]

    def _look(self, reference: str) -> Any:
        file, _, fragment = reference.partition("#")
        if not fragment and not file.endswith((".json", ".yaml", ".yml")) and file.isidentifier():
            file, fragment = "", f"/definitions/{file}"  # as some documents of 2.0 have it
        node = self._file(unquote(file))
        for step in fragment.strip("/").split("/") if fragment.strip("/") else ():
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(node, list) and key.isdecimal() and int(key) < len(node):
                node = node[int(key)]
            elif isinstance(node, dict):
                node = node.get(key)
            else:
                return None
        return node

    def _file(self, name: str) -> Any:
        if name not in self._files:
            self._files[name] = self._read(name) if len(self._files) < MOST_FILES else None
        return self._files[name]

    def _read(self, name: str) -> Any:
        """The file's tree, with all its references as seen from the first file."""
        if self._folder is None or "://" in name or "\0" in name:
            return None
        try:
            path = (self._folder / name).resolve()
            if not path.is_relative_to(self._folder) or not path.is_file():
                return None
            self._bytes += path.stat().st_size
            if self._bytes > MAX_BYTES:
                return None
            tree = read(path.read_bytes(), name)
        except (OSError, ValueError, ImportFailed):
            return None
        _rebase(tree, path.relative_to(self._folder).as_posix(), self._folder)
        return tree


def _rebase(tree: Any, name: str, folder: Path) -> None:
    """`#/x` in the file `a/b.yaml` becomes `a/b.yaml#/x`, `c.yaml#/x` becomes `a/c.yaml#/x`."""
    pending, seen = [tree], set[int]()
    while pending:
        node = pending.pop()
        if not isinstance(node, (dict, list)) or id(node) in seen:
            continue
        seen.add(id(node))
        pending.extend(node.values() if isinstance(node, dict) else node)
        reference = node.get("$ref") if isinstance(node, dict) else None
        if isinstance(node, dict) and isinstance(reference, str):
            node["$ref"] = _rebased(reference, name, folder)


def _rebased(reference: str, name: str, folder: Path) -> str:
    file, mark, fragment = reference.partition("#")
    if "://" in file:
        return reference
    if not file:
        return f"{name}{mark}{fragment}"
    beside = (folder / name).parent / unquote(file)
    try:
        return f"{beside.resolve().relative_to(folder).as_posix()}{mark}{fragment}"
    except (OSError, ValueError):
        return f"outside://{mark}{fragment}"


def _version(tree: dict[str, Any], name: str) -> str:
    """`2.0`, `3.1.0`; a document that only forgot to say it is told by its keys."""
    given = tree.get("openapi") or tree.get("swagger")
    version = str(given) if isinstance(given, (str, int, float)) else ""
    if version[:1] in ("2", "3"):
        return version
    if version.startswith("1") or "apis" in tree or "swaggerVersion" in tree:
        raise ImportFailed(f"{name} is of Swagger 1.x: convert it to OpenAPI first")
    if not isinstance(tree.get("paths"), dict):
        hint = "it has neither 'openapi', 'swagger' nor 'paths'"
        raise ImportFailed(f"{name} is no OpenAPI document: {hint}")
    return "3.0" if "components" in tree or "servers" in tree else "2.0"
