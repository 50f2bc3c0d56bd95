"""The search index as retrieval scorers want it: `build`, `search`, `add`, `remove`."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.domain.search import Index
from gateway.domain.tool import Tool, ToolRef


class Engine:
    """Tools are dictionaries with `id`, `server`, `name`, `description` and `inputSchema`."""

    name = "capgate"

    def build(self, tools: Sequence[Mapping[str, Any]]) -> None:
        self._refs: dict[str, ToolRef] = {}
        self._taken: dict[ToolRef, str] = {}
        self._index = Index.build([self._as_tool(tool) for tool in tools])

    def search(self, text: str, k: int) -> list[str]:
        return [match.tool.definition["id"] for match in self._index.search(text, k).matches]

    def add(self, tool: Mapping[str, Any]) -> None:
        self._index = self._index.updated((), [self._as_tool(tool)])

    def remove(self, id: str) -> None:
        self._index = self._index.updated([self._refs.pop(id)], ())

    def _as_tool(self, tool: Mapping[str, Any]) -> Tool:
        """Data sets repeat names, backends do not: copies get tildes, which are no words."""
        ref = ToolRef(tool["server"], tool["name"])
        while self._taken.setdefault(ref, tool["id"]) != tool["id"]:
            ref = ToolRef(ref.backend, f"{ref.name}~")
        self._refs[tool["id"]] = ref
        return Tool(ref, tool)
