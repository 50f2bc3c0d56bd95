"""What one URL offers: the four meta-tools at `/mcp`, a backend's own tools at `/mcp/{backend}`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.domain.call import Outcome
from gateway.domain.names import nearest
from gateway.domain.tool import JsonObject, ToolRef
from gateway.errors import BackendNotFound, ToolNotFound
from gateway.meta import MetaTool
from gateway.runtime.view import View

META_INSTRUCTIONS = (
    "The tools of many servers stand behind four: find one with gateway_search_tools, or look "
    "around with gateway_list_servers and gateway_list_tools, then run it with gateway_invoke, "
    "naming server, tool and arguments as you found them. When a call fails, its text says what "
    "happened, whether the call reached the server, and what to do next."
)


class Surface(Protocol):
    """`name` is unique in the gateway: sessions and memos are bound to it."""

    @property
    def name(self) -> str: ...

    @property
    def keep_ms(self) -> int:
        """For how long a client may keep the list; 0 where a saved file can change it."""
        ...

    def instructions(self, view: View) -> str:
        """What a model is told about this surface."""
        ...

    def definitions(self, view: View) -> Sequence[JsonObject]:
        """MCP Tool objects, in the order they are listed."""
        ...

    def definition(self, view: View, tool: str) -> JsonObject | None:
        """The MCP Tool object of that name, if it is offered."""
        ...

    def nearest(self, view: View, tool: str) -> str:
        """What to try in the place of a tool that is not offered."""
        ...

    async def call(self, view: View, tool: str, arguments: JsonObject) -> Outcome:
        """Call a tool that `definition` has found. Raises GatewayError or CancelledError."""
        ...


class MetaSurface:
    """The meta-tools, then the tools pinned beside them by `surfaced_tools`.

    A pinned tool keeps its own name; where that name is taken, its backend's stands before it.
    `keep_ms` counts while nothing is pinned: the meta-tools themselves never change.
    """

    name = ""

    def __init__(
        self, meta_tools: Sequence[MetaTool], pinned: Sequence[ToolRef] = (), keep_ms: int = 0
    ) -> None:
        self.keep_ms = 0 if pinned else keep_ms
        self._meta = {str(tool.definition["name"]): tool for tool in meta_tools}
        taken = Counter([*self._meta, *(ref.name for ref in pinned)])
        self._pinned = {
            ref.name if taken[ref.name] == 1 else f"{ref.backend}__{ref.name}": ref
            for ref in pinned
        }

    def instructions(self, view: View) -> str:
        return META_INSTRUCTIONS

    def definitions(self, view: View) -> Sequence[JsonObject]:
        own = [tool.definition for tool in self._meta.values()]
        pinned = (self.definition(view, name) for name in self._pinned)
        return [*own, *(found for found in pinned if found is not None)]

    def definition(self, view: View, tool: str) -> JsonObject | None:
        meta = self._meta.get(tool)
        if meta is not None:
            return meta.definition
        ref = self._pinned.get(tool)
        found = _find(view, ref) if ref is not None else None
        return found if found is None or tool == found["name"] else {**found, "name": tool}

    def nearest(self, view: View, tool: str) -> str:
        offered = ", ".join(self._meta)
        return f"this URL offers {offered}; call any other tool through gateway_invoke"

    async def call(self, view: View, tool: str, arguments: JsonObject) -> Outcome:
        meta = self._meta.get(tool)
        if meta is not None:
            return await meta.call(view, arguments)
        return await view.call(self._pinned[tool], arguments)


@dataclass(frozen=True, slots=True)
class BackendSurface:
    """Direct mode: the tools of the backend called `name`, as they are."""

    name: str
    keep_ms: int = 0

    def instructions(self, view: View) -> str:
        listing = view.backends.get(self.name)
        return listing.description if listing is not None else ""

    def definitions(self, view: View) -> Sequence[JsonObject]:
        listing = view.backends.get(self.name)
        return [tool.definition for tool in listing.tools] if listing is not None else []

    def definition(self, view: View, tool: str) -> JsonObject | None:
        return _find(view, ToolRef(self.name, tool))

    def nearest(self, view: View, tool: str) -> str:
        close = nearest(tool, [str(found["name"]) for found in self.definitions(view)])
        return f"did you mean {' or '.join(close)}?" if close else "tools/list names every tool"

    async def call(self, view: View, tool: str, arguments: JsonObject) -> Outcome:
        return await view.call(ToolRef(self.name, tool), arguments)


def _find(view: View, ref: ToolRef) -> JsonObject | None:
    try:
        return view.tool(ref).definition
    except (BackendNotFound, ToolNotFound):
        return None
