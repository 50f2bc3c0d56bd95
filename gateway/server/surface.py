"""What one URL offers: at `/mcp/{backend}` all of one backend, as it is; at `/mcp` the four
meta-tools, and the prompts and resources of every backend under names that tell them apart.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from gateway.domain.call import Outcome, Relayed
from gateway.domain.listing import OF_FILES
from gateway.domain.merged import prompt_sources, resource_sources
from gateway.domain.names import nearest
from gateway.domain.naming import Owned, namespaced, owner_named
from gateway.domain.text import shown
from gateway.domain.tool import JsonObject, ToolRef
from gateway.errors import BackendNotFound, InvalidArguments, ToolNotFound
from gateway.meta import AGENT_ID, MetaTool, for_agents
from gateway.protocol import mcp
from gateway.protocol.eras import Revision
from gateway.protocol.task_ids import TASK, renamed
from gateway.runtime.view import View
from gateway.server import capabilities
from gateway.server.merging import Merging, listed

META_INSTRUCTIONS = (
    "The tools of many servers stand behind four: find one with gateway_search_tools, or look "
    "around with gateway_list_servers and gateway_list_tools, then run it with gateway_invoke, "
    "naming server, tool and arguments as you found them. When a call fails, its text says what "
    "happened, whether the call reached the server, and what to do next."
)


class NotOffered(ToolNotFound):
    """No tool of the surface has that name: a fault of the protocol, which no model reads."""


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
        """Call a tool. Raises NotOffered for a name that is not one of the surface's, and any
        GatewayError or CancelledError.
        """
        ...

    def capabilities(self, view: View, revision: Revision) -> JsonObject:
        """MCP ServerCapabilities for a client of `revision`."""
        ...

    def listed(self, view: View, method: str) -> Sequence[JsonObject]:
        """What `method` (prompts/list, …) lists: MCP objects, in order."""
        ...

    def seen(self, view: View, changed: str) -> object:
        """All that the lists depend on of which the notification `changed` tells; two are equal
        when a client sees the same. Cheap.
        """
        ...

    def prompt(self, view: View, name: str) -> Owned | None:
        """Whose prompt that is, and what it is called there."""
        ...

    def resource(self, view: View, uri: str) -> Sequence[Owned]:
        """Whose resource that may be, under which URI there; one is the answer."""
        ...

    def template(self, view: View, uri: str) -> Sequence[Owned]:
        """The same for the template or resource whose arguments a client wants completed."""
        ...

    def task(self, view: View, id: str) -> Owned | None:
        """Whose task that is, and what it is called there."""
        ...

    def task_id(self, owned: Owned) -> str:
        """Under which id clients know that task here."""
        ...


class MetaSurface:
    """The meta-tools, then the tools pinned beside them by `surfaced_tools`.

    A pinned tool keeps its own name; where that name is taken, its backend's stands before it.
    `keep_ms` counts while nothing is pinned: the meta-tools themselves change only when agents come
    to have rules, and are then asked for as which agent they are called.
    """

    name = ""

    def __init__(
        self, meta_tools: Sequence[MetaTool], pinned: Sequence[ToolRef] = (), keep_ms: int = 0
    ) -> None:
        self.keep_ms = 0 if pinned else keep_ms
        self._meta = {str(tool.definition["name"]): tool for tool in meta_tools}
        self._plain = {name: tool.definition for name, tool in self._meta.items()}
        self._for_agents = {name: for_agents(found) for name, found in self._plain.items()}
        taken = Counter([*self._meta, *(ref.name for ref in pinned)])
        self._pinned = {
            ref.name if taken[ref.name] == 1 else f"{ref.backend}__{ref.name}": ref
            for ref in pinned
        }
        self._merged = Merging()

    def instructions(self, view: View) -> str:
        return META_INSTRUCTIONS

    def definitions(self, view: View) -> Sequence[JsonObject]:
        pinned = (self.definition(view, name) for name in self._pinned)
        return [*self._own(view).values(), *(found for found in pinned if found is not None)]

    def definition(self, view: View, tool: str) -> JsonObject | None:
        own = self._own(view).get(tool)
        if own is not None:
            return own
        ref = self._pinned.get(tool)
        found = _find(view, ref) if ref is not None else None
        return found if found is None or tool == found["name"] else {**found, "name": tool}

    def nearest(self, view: View, tool: str) -> str:
        offered = ", ".join(self._meta)
        return f"this URL offers {offered}; call any other tool through gateway_invoke"

    async def call(self, view: View, tool: str, arguments: JsonObject) -> Outcome:
        meta = self._meta.get(tool)
        ref = self._pinned.get(tool)
        if meta is None and ref is not None:
            try:
                result = await view.call(ref, arguments)
            except (ToolNotFound, BackendNotFound):  # it is not listed either
                raise NotOffered(f"no tool {shown(tool)}") from None
            server: Any = ref.backend
        else:
            work = partial(_not_offered, tool) if meta is None else partial(_meta, meta, arguments)
            agent = arguments.get(AGENT_ID)
            named = agent if isinstance(agent, str) else None
            result = await view.meta(tool, arguments, work, named)
            server = arguments.get("server")
        if isinstance(result, Relayed) and result.kind == TASK:
            backend = view.name_of(str(server))  # whose agent may see it
            return renamed(result, lambda own: self.task_id(Owned(backend, own)))
        return result

    def capabilities(self, view: View, revision: Revision) -> JsonObject:
        return capabilities.of_all(view.backends.values(), revision)

    def listed(self, view: View, method: str) -> Sequence[JsonObject]:
        if method == mcp.TOOLS_LIST:
            return self.definitions(view)
        return listed(self._merged.of(view), method)

    def seen(self, view: View, changed: str) -> object:
        if changed == mcp.TOOLS_CHANGED:
            return self.definitions(view)
        prompts = changed == mcp.PROMPTS_CHANGED
        return prompt_sources(view.backends) if prompts else resource_sources(view.backends)

    def prompt(self, view: View, name: str) -> Owned | None:
        return self._merged.of(view).prompt(name)

    def resource(self, view: View, uri: str) -> Sequence[Owned]:
        return self._merged.of(view).resource(_unaliased(view, uri))

    def template(self, view: View, uri: str) -> Sequence[Owned]:
        return self._merged.of(view).template(_unaliased(view, uri))

    def task(self, view: View, id: str) -> Owned | None:
        named, colon, own = id.partition(":")
        backend = view.name_of(named)
        return Owned(backend, own) if colon and backend in view.backends else None

    def task_id(self, owned: Owned) -> str:
        return f"{owned.backend}:{owned.name}"

    def _own(self, view: View) -> Mapping[str, JsonObject]:
        return self._for_agents if view.snapshot.policy.agents else self._plain


@dataclass(frozen=True, slots=True)
class BackendSurface:
    """Direct mode: all of the backend called `name`, as it is. What it does not list is asked of
    it all the same: it may have more than it lists.
    """

    name: str
    keep_ms: int = 0

    def instructions(self, view: View) -> str:
        listing = view.backends.get(self.name)
        return (listing.instructions or listing.description) if listing is not None else ""

    def definitions(self, view: View) -> Sequence[JsonObject]:
        listing = view.backends.get(self.name)
        return [tool.definition for tool in listing.tools] if listing is not None else []

    def definition(self, view: View, tool: str) -> JsonObject | None:
        return _find(view, ToolRef(self.name, tool))

    def nearest(self, view: View, tool: str) -> str:
        listing = view.backends.get(self.name)
        if listing is not None and not listing.tools:
            return f"the server is {listing.health}"
        close = nearest(tool, [str(found["name"]) for found in self.definitions(view)])
        return f"did you mean {' or '.join(close)}?" if close else "tools/list names every tool"

    async def call(self, view: View, tool: str, arguments: JsonObject) -> Outcome:
        try:
            return await view.call(ToolRef(self.name, tool), arguments)
        except (ToolNotFound, BackendNotFound) as error:
            raise NotOffered(str(error)) from None

    def capabilities(self, view: View, revision: Revision) -> JsonObject:
        listing = view.backends.get(self.name)
        return capabilities.of_backend(listing, revision) if listing is not None else {}

    def listed(self, view: View, method: str) -> Sequence[JsonObject]:
        listing = view.backends.get(self.name)
        if listing is None:
            return ()
        return self.definitions(view) if method == mcp.TOOLS_LIST else listed(listing, method)

    def seen(self, view: View, changed: str) -> object:
        if changed == mcp.TOOLS_CHANGED:
            return self.definitions(view)
        listing = view.backends.get(self.name)
        if listing is None:
            return ()
        prompts = changed == mcp.PROMPTS_CHANGED
        return listing.prompts if prompts else (listing.resources, listing.templates)

    def prompt(self, view: View, name: str) -> Owned | None:
        return self._own(view, name)

    def resource(self, view: View, uri: str) -> Sequence[Owned]:
        """Of an API only a file that a call has linked to, by the URI that says whose it is."""
        own = self._own(view, uri)
        said = owner_named(uri) if own is None else None
        if said is not None and self.name in view.backends:
            own = Owned(self.name, said.name) if view.name_of(said.backend) == self.name else None
        return () if own is None else (own,)

    def template(self, view: View, uri: str) -> Sequence[Owned]:
        return self.resource(view, uri)

    def task(self, view: View, id: str) -> Owned | None:
        return self._own(view, id)

    def task_id(self, owned: Owned) -> str:
        return owned.name

    def _own(self, view: View, name: str) -> Owned | None:
        listing = view.backends.get(self.name)
        asked = listing is not None and listing.transport not in OF_FILES
        return Owned(self.name, name) if asked else None


async def _meta(meta: MetaTool, arguments: JsonObject, view: View) -> Outcome:
    """Without `agent_id`, which says nothing where no agent has rules."""
    if AGENT_ID in arguments:
        agent = arguments[AGENT_ID]
        if view.snapshot.policy.agents and not isinstance(agent, str | None):
            raise InvalidArguments(f"{AGENT_ID} must be text")
        arguments = {key: value for key, value in arguments.items() if key != AGENT_ID}
    return await meta.call(view, arguments)


async def _not_offered(tool: str, _view: View) -> Outcome:
    raise NotOffered(f"no tool {shown(tool)}")


def _unaliased(view: View, uri: str) -> str:
    """A URI that says by an alias whose it is, with the backend's own name."""
    said = owner_named(uri)
    return uri if said is None else namespaced(view.name_of(said.backend), said.name)


def _find(view: View, ref: ToolRef) -> JsonObject | None:
    found = view.find(ref)
    return found.definition if found is not None else None
