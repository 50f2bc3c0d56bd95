"""tools/call: a tool of the surface by its name, with headers that mirror its arguments checked.

Here alone it is decided which errors are results that a model reads and which are the protocol's.
"""

from dataclasses import replace

from gateway.domain.text import shown
from gateway.domain.tool import JsonObject, ToolResult, text_result
from gateway.errors import (
    AuditUnavailable,
    CapabilityMissing,
    GatewayError,
    RemoteError,
    StateRejected,
    Unsupported,
)
from gateway.meta import codes
from gateway.protocol import jsonrpc, mcp
from gateway.protocol.relay import call_result
from gateway.runtime.view import View
from gateway.server.asked import Asked, Refused, context_of, text_of
from gateway.server.mirrors import Mirrors
from gateway.server.parking import Parking
from gateway.server.surface import NotOffered
from gateway.server.views import Views


class Tools:
    def __init__(self, views: Views, parking: Parking) -> None:
        self._views = views
        self._parking = parking
        self._mirrors = Mirrors()

    async def call(self, asked: Asked) -> bytes:
        surface, params = asked.surface, asked.request.params
        name, arguments = text_of(params, "name"), params.get("arguments", {})
        if type(arguments) is not dict:
            raise Refused(jsonrpc.INVALID_PARAMS, "params.arguments must be an object")
        view = self._views.view(asked.caller)
        if asked.revision.modern and asked.headers is not None:
            definition = surface.definition(view, name)
            if definition is not None:
                self._check_mirrors(asked, definition, arguments)

        if not self._parking.concerns(asked):
            return await _run(asked, view, name, arguments)
        return await self._parking.carry(asked, lambda parked: _run(parked, view, name, arguments))

    def _check_mirrors(self, asked: Asked, definition: JsonObject, arguments: JsonObject) -> None:
        tool = (asked.surface.name, str(definition["name"]))
        schema = definition.get("inputSchema")
        mismatch = self._mirrors.mismatch(tool, schema, arguments, asked.headers or {})
        if mismatch is not None:
            raise Refused(mcp.HEADER_MISMATCH, f"header mismatch: {mismatch}")


async def _run(asked: Asked, view: View, name: str, arguments: JsonObject) -> bytes:
    view.context = context_of(asked)
    try:
        return call_result(await asked.surface.call(view, name, arguments), asked.revision)
    except NotOffered:
        message = f"unknown tool: {shown(name)}; {asked.surface.nearest(view, name)}"
        raise Refused(jsonrpc.INVALID_PARAMS, message) from None
    except GatewayError as error:
        if _of_the_protocol(error, asked):
            raise
        return call_result(_told(error, asked, view), asked.revision)


def _told(error: GatewayError, asked: Asked, view: View) -> ToolResult:
    """For a model to read and, where agents have rules, for programs that know them from
    agent-mcp-gateway.
    """
    result = text_result(error.explain(), is_error=True)
    if asked.surface.name or not view.snapshot.policy.agents:
        return result
    return replace(result, structured=codes.structured(error))


def _of_the_protocol(error: GatewayError, asked: Asked) -> bool:
    """Whether the client has to see it as a JSON-RPC error, where a model does not read it."""
    if isinstance(error, CapabilityMissing):
        return asked.revision.modern
    if isinstance(error, RemoteError | Unsupported):  # behind a meta-tool: the tool's own affair
        return asked.surface.name != ""
    return isinstance(error, StateRejected | AuditUnavailable)
