"""Whether a surface offers what a method needs, and whose it is: asked before any backend is."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from gateway.domain.naming import Owned, namespaced
from gateway.domain.text import shown
from gateway.domain.tool import JsonObject
from gateway.protocol import jsonrpc, mcp
from gateway.protocol.inbound import unknown_method
from gateway.runtime.view import View
from gateway.server.asked import Asked, Refused

NEEDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        mcp.PROMPTS_LIST: ("prompts",),
        mcp.PROMPTS_GET: ("prompts",),
        mcp.RESOURCES_LIST: ("resources",),
        mcp.RESOURCES_READ: ("resources",),
        mcp.TEMPLATES_LIST: ("resources",),
        mcp.SUBSCRIBE: ("resources", "subscribe"),
        mcp.UNSUBSCRIBE: ("resources", "subscribe"),
        mcp.COMPLETE: ("completions",),
        mcp.TASKS_LIST: ("tasks", "list"),
        mcp.TASKS_GET: ("tasks",),
        mcp.TASKS_RESULT: ("tasks",),
        mcp.TASKS_CANCEL: ("tasks", "cancel"),
    }
)  # method → where in ServerCapabilities it says that there is one; tools are always listed


def require(asked: Asked, view: View) -> JsonObject:
    """The capabilities of the surface; raises Refused where they lack what the method needs."""
    offered = asked.surface.capabilities(view, asked.revision)
    if not has(offered, NEEDED.get(asked.request.method, ())):
        raise Refused(*not_found(asked.request.method))
    return offered


def not_found(method: str) -> tuple[int, str]:
    """Code and message for a method that the surface does not have."""
    unknown = unknown_method(method)
    return unknown.code, f"{unknown.message}: the server offers nothing of the kind"


def has(offered: JsonObject, path: Sequence[str]) -> bool:
    """Whether that member is there and not false."""
    found: object = offered
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found is not None and found is not False


def only(owners: Sequence[Owned], uri: str, missing: int) -> Owned:
    """The one owner of a resource. Raises Refused; `missing` is the code for a resource that does
    not exist.
    """
    if len(owners) == 1:
        return owners[0]
    if not owners:
        raise Refused(missing, f"no resource {shown(uri)}", {"uri": uri})
    choices = " or ".join(namespaced(*owner) for owner in owners[:3])
    reason = f"several servers may have {shown(uri)}; ask for {shown(choices)}"
    raise Refused(jsonrpc.INVALID_PARAMS, reason)
