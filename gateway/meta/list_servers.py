"""`gateway_list_servers`: what stands behind the gateway and how it fares."""

from typing import ClassVar

import msgspec

from gateway.domain.tool import JsonObject, ToolResult
from gateway.meta.base import json_answer, read, schema
from gateway.runtime.view import View

EMPTY = (
    "no servers yet: they appear as soon as the operator adds a capability file or an MCP server, "
    "or lets you use one"
)


class Arguments(msgspec.Struct):
    pass


class ListServers:
    definition: ClassVar[JsonObject] = {
        "name": "gateway_list_servers",
        "description": "List the servers behind this gateway with status and tool count.",
        "inputSchema": schema(),
    }

    async def call(self, view: View, arguments: JsonObject) -> ToolResult:
        read(arguments, Arguments, self.definition)
        servers = [
            {
                "name": listing.name,
                "description": listing.description,
                "tools": len(listing.tools),
                "status": str(view.health(listing.name)),
            }
            for listing in view.backends.values()
        ]
        return json_answer({"servers": servers} if servers else {"servers": [], "note": EMPTY})
