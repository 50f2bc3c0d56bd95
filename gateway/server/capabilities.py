"""What a client may use at a surface, shaped like MCP's ServerCapabilities.

A backend's own declaration is handed on, unknown members included; only what we cannot carry into
the client's era is taken out, and what we tell ourselves (that a list changed) is put in.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.domain.listing import OF_FILES, Listing
from gateway.domain.tool import JsonObject
from gateway.protocol import mcp
from gateway.protocol.eras import Revision

CHANGING: JsonObject = {"listChanged": True}
WATCHED: JsonObject = {"listChanged": True, "subscribe": True}
LISTED = ("tools", "prompts", "resources")  # we compare these lists, so we tell of every change
MERGED = ("completions", "logging")  # beside lists, what many backends may share one URL for

REST: JsonObject = {"tools": CHANGING, "prompts": {}, "resources": {}}
UNKNOWN: JsonObject = {
    "tools": CHANGING,
    "prompts": CHANGING,
    "resources": WATCHED,
    "completions": {},
    "logging": {},
}  # of a server that nobody has reached yet: whatever it turns out to offer will be carried


def is_known(listing: Listing) -> bool:
    """Whether it is settled what it offers: one never reached may turn out to have anything."""
    return listing.transport in OF_FILES or listing.era is not None or bool(listing.capabilities)


def of_backend(listing: Listing, revision: Revision) -> JsonObject:
    """At the URL of one backend, for a client of `revision`."""
    if listing.transport in OF_FILES:
        return REST
    if not is_known(listing):
        return UNKNOWN
    found: dict[str, Any] = dict(listing.capabilities)
    for name in LISTED:
        if name in found:
            found[name] = {**_object(found[name]), "listChanged": True}
    if not (revision.task_support and listing.era == revision.era):
        found.pop("tasks", None)
    extensions = _object(found.pop("extensions", None))
    carried = {key: value for key, value in extensions.items() if _carries(key, listing, revision)}
    if carried:
        found["extensions"] = carried
    return found


def of_all(listings: Iterable[Listing], revision: Revision) -> JsonObject:
    """At the URL of all backends together: the meta-tools, and what any of them offers beside."""
    servers = [listing for listing in listings if listing.transport not in OF_FILES]
    if not servers:
        return REST
    offered = [of_backend(listing, revision) for listing in servers]
    subscribe = any(_object(one.get("resources")).get("subscribe") for one in offered)
    found: dict[str, Any] = {
        "tools": CHANGING,
        "prompts": CHANGING,
        "resources": WATCHED if subscribe else CHANGING,
    }
    found |= {name: {} for name in MERGED if any(name in one for one in offered)}
    if any(has_tasks_extension(one) for one in offered):
        found["extensions"] = {mcp.TASKS_EXTENSION: {}}
    return found


def has_tasks_extension(capabilities: Mapping[str, Any]) -> bool:
    """Whether a client's or server's capabilities name the tasks extension (SEP-2663)."""
    return mcp.TASKS_EXTENSION in _object(capabilities.get("extensions"))


def _carries(extension: str, listing: Listing, revision: Revision) -> bool:
    """Tasks have methods of their own, so they stay in their era; of others we know nothing."""
    return extension != mcp.TASKS_EXTENSION or (revision.modern and listing.era == revision.era)


def _object(value: Any) -> JsonObject:
    return value if isinstance(value, Mapping) else {}
