"""MCP servers in memory that offer prompts, resources and tasks, and keep what they were asked."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from gateway.domain.call import Call, Outcome, Query, Relayed
from gateway.domain.catalog import Catalog
from gateway.domain.listing import Listing
from gateway.domain.tool import JsonObject, Tool, ToolRef
from gateway.runtime.snapshot import Snapshot

OFFERED: JsonObject = MappingProxyType(
    {
        "tools": {},
        "prompts": {},
        "resources": {"subscribe": True},
        "completions": {},
        "logging": {},
    }
)


def prompt(name: str, **more: Any) -> JsonObject:
    return {"name": name, "description": f"prompt {name}", **more}


def resource(uri: str, name: str = "r", **more: Any) -> JsonObject:
    return {"uri": uri, "name": name, **more}


def template(uri: str, name: str = "t", **more: Any) -> JsonObject:
    return {"uriTemplate": uri, "name": name, **more}


def offering(name: str, **said: Any) -> Listing:
    """What a connected MCP server tells of itself; lists may be given as any sequence."""
    lists = {key: tuple(said.pop(key, ())) for key in ("prompts", "resources", "templates")}
    tools = tuple(Tool(ToolRef(name, its), {"name": its}) for its in said.pop("tools", ()))
    given = {"capabilities": OFFERED, "era": "modern", "transport": "stdio", **lists, **said}
    return replace(Listing(name, f"The {name} server.", tools), **given)


class Servers:
    """Behind a snapshot of `listings`: each request is answered with what was asked, or as
    `answers` says: method → an error to raise, or a result from its params.
    """

    def __init__(self, *listings: Listing) -> None:
        self.listings = listings
        self.asked: list[Query] = []
        self.answers: dict[str, Exception | Callable[[Mapping[str, Any]], Any]] = {}

    def snapshot(self, version: int = 1, *listings: Listing) -> Snapshot:
        offered = listings or self.listings
        return Snapshot(
            version,
            Catalog(offered),
            routes={one.name: self.call for one in offered},
            queries={one.name: self.query for one in offered},
        )

    @property
    def said(self) -> list[tuple[str, str, Mapping[str, Any]]]:
        """Backend, method and params of each request, in order."""
        return [(query.backend, query.method, query.params) for query in self.asked]

    def modern(self, backend: str) -> bool:
        return next(one.era for one in self.listings if one.name == backend) == "modern"

    async def query(self, query: Query) -> Relayed:
        self.asked.append(query)
        answer = self.answers.get(query.method, dict)
        if isinstance(answer, Exception):
            raise answer
        modern = self.modern(query.backend)
        kind: dict[str, Any] = {"resultType": "complete"} if modern else {}
        return Relayed(json.dumps({**kind, **answer(query.params)}).encode(), modern)

    async def call(self, call: Call) -> Outcome:
        """Every tool begins a task, called as the tool."""
        task = {"taskId": call.tool.ref.name, "status": "working"}
        if self.modern(call.tool.ref.backend):
            raw = json.dumps({"resultType": "task", **task}).encode()
            return Relayed(raw, modern=True, kind="task")
        return Relayed(json.dumps({"task": task}).encode())
