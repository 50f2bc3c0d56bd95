"""The MCP methods over a surface: a request in, response bytes out. It knows no transport.

Here alone errors are translated, by one table: a fault of the *protocol* (unknown method or tool,
malformed params) is a JSON-RPC error, a fault of the *tool* is a result with `isError`, so that the
model can read it and recover; anything else is an internal error that tells nothing.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.domain.client import NO_CONTEXT, NOBODY, Client, Context
from gateway.domain.events import Observer, RequestAnswered
from gateway.domain.identity import ANONYMOUS, Identity
from gateway.domain.text import shown
from gateway.domain.tool import JsonObject, text_result
from gateway.errors import CapabilityMissing, GatewayError
from gateway.protocol import jsonrpc, mcp, wire
from gateway.protocol.eras import Revision
from gateway.protocol.header_values import Headers
from gateway.protocol.inbound import Rejection, unknown_method
from gateway.runtime.snapshot import Current
from gateway.runtime.view import View
from gateway.server.listing import Listings
from gateway.server.mirrors import Mirrors
from gateway.server.surface import Surface

log = logging.getLogger(__name__)

OF_THE_TOOL = frozenset({"name", "arguments"})  # of a tools/call, not of its context
EMPTY_LISTS: Mapping[str, str] = {
    mcp.PROMPTS_LIST: "prompts",
    mcp.RESOURCES_LIST: "resources",
    mcp.TEMPLATES_LIST: "resourceTemplates",
}  # capability files bring tools only


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A JSON-RPC response and, if it is an error, its code."""

    body: bytes
    code: int | None = None


class Refused(Exception):
    """A protocol fault, on its way to becoming a JSON-RPC error."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.rejection = Rejection(code, message, data)


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A request and all that answering it depends on. `headers` None: the transport has none.

    `client` is the way back to whoever sent it, while it is being answered.
    """

    surface: Surface
    request: jsonrpc.Request
    revision: Revision
    caller: Identity = ANONYMOUS
    headers: Headers | None = None
    client: Client = NOBODY


class Endpoint:
    """One for the process."""

    def __init__(self, current: Current, observe: Observer) -> None:
        self._current = current
        self._observe = observe
        self._listings = Listings()
        self._mirrors = Mirrors()
        common = {
            mcp.TOOLS_LIST: self._list_tools,
            mcp.PROMPTS_LIST: self._list_nothing,
            mcp.RESOURCES_LIST: self._list_nothing,
            mcp.TEMPLATES_LIST: self._list_nothing,
            mcp.PROMPTS_GET: self._get_prompt,
            mcp.RESOURCES_READ: self._read_resource,
        }
        self._legacy = {**common, mcp.INITIALIZE: self._initialize, mcp.PING: self._ping}
        self._modern = {**common, mcp.DISCOVER: self._discover}

    def view(self, caller: Identity, context: Context = NO_CONTEXT) -> View:
        """The newest snapshot as the caller sees it, for a request with that context."""
        return View(self._current.get(), self._observe, caller, context)

    async def answer(self, asked: Asked) -> Answer:
        """Carry out a request that has passed its era's checks. Raises CancelledError only."""
        started = time.perf_counter()
        request, revision = asked.request, asked.revision
        try:
            called = request.method == mcp.TOOLS_CALL
            raw = await self._call(asked) if called else self._quick(asked)
        except asyncio.CancelledError:
            seconds = time.perf_counter() - started
            self._observe(RequestAnswered(request.method, revision.era, "cancelled", seconds))
            raise
        except Refused as refused:
            return self.refuse(request, revision.era, refused.rejection, started)
        except Exception:
            log.exception("request_failed", extra={"method": request.method})
            fault = Rejection(jsonrpc.INTERNAL_ERROR, "internal error")
            return self.refuse(request, revision.era, fault, started)
        seconds = time.perf_counter() - started
        self._observe(RequestAnswered(request.method, revision.era, "ok", seconds))
        return Answer(jsonrpc.result(request.id, raw))

    def malformed(self, problem: jsonrpc.Problem, era: str) -> bytes:
        """The error response to what is no message."""
        self._observe(RequestAnswered("", era, str(problem.code), 0.0))
        return jsonrpc.error(problem.id, problem.code, problem.message)

    def begun(self, request: jsonrpc.Request, era: str) -> None:
        """Note a request whose answer is a stream that has just begun."""
        self._observe(RequestAnswered(request.method, era, "ok", 0.0))

    def refuse(
        self, request: jsonrpc.Request, era: str, rejection: Rejection, started: float | None = None
    ) -> Answer:
        """The error response to a request. `started` is on the performance counter."""
        seconds = 0.0 if started is None else time.perf_counter() - started
        self._observe(RequestAnswered(request.method, era, str(rejection.code), seconds))
        body = jsonrpc.error(request.id, rejection.code, rejection.message, rejection.data)
        return Answer(body, rejection.code)

    def _quick(self, asked: Asked) -> bytes:
        """Everything but a tool call: nothing in it waits."""
        methods = self._modern if asked.revision.modern else self._legacy
        method = methods.get(asked.request.method)
        if method is None:
            rejection = unknown_method(asked.request.method)
            raise Refused(rejection.code, rejection.message)
        return method(asked)

    def _initialize(self, asked: Asked) -> bytes:
        instructions = asked.surface.instructions(self.view(asked.caller))
        return wire.initialize_result(asked.revision, instructions)

    def _discover(self, asked: Asked) -> bytes:
        return wire.discover_result(asked.surface.instructions(self.view(asked.caller)))

    def _ping(self, asked: Asked) -> bytes:
        return b"{}"

    def _list_tools(self, asked: Asked) -> bytes:
        cursor = asked.request.params.get("cursor")
        view = self.view(asked.caller)
        page = None
        if cursor is None or isinstance(cursor, str):
            page = self._listings.answer(asked.surface, view, asked.revision, cursor)
        if page is None:
            raise Refused(
                jsonrpc.INVALID_PARAMS, "the cursor leads nowhere: list again from the start"
            )
        return page

    def _list_nothing(self, asked: Asked) -> bytes:
        return wire.list_result(EMPTY_LISTS[asked.request.method], (), asked.revision)

    def _get_prompt(self, asked: Asked) -> bytes:
        name = _text(asked.request.params, "name")
        raise Refused(jsonrpc.INVALID_PARAMS, f"no prompt {shown(name)}")

    def _read_resource(self, asked: Asked) -> bytes:
        uri = _text(asked.request.params, "uri")
        raise Refused(asked.revision.resource_missing, f"no resource {shown(uri)}", {"uri": uri})

    async def _call(self, asked: Asked) -> bytes:
        surface, params = asked.surface, asked.request.params
        name, arguments = _text(params, "name"), params.get("arguments", {})
        if type(arguments) is not dict:
            raise Refused(jsonrpc.INVALID_PARAMS, "params.arguments must be an object")
        view = self.view(asked.caller, _context(asked))
        definition = surface.definition(view, name)
        if definition is None:
            message = f"unknown tool: {shown(name)}; {surface.nearest(view, name)}"
            raise Refused(jsonrpc.INVALID_PARAMS, message)
        if asked.revision.modern and asked.headers is not None:
            self._check_mirrors(asked, definition, arguments)
        try:
            result = await surface.call(view, name, arguments)
        except CapabilityMissing as error:
            if asked.revision.modern:
                data = {"requiredCapabilities": error.required}
                raise Refused(mcp.MISSING_CAPABILITY, str(error), data) from None
            result = text_result(error.explain(), is_error=True)
        except GatewayError as error:
            result = text_result(error.explain(), is_error=True)
        return wire.call_result(result, asked.revision)

    def _check_mirrors(self, asked: Asked, definition: JsonObject, arguments: JsonObject) -> None:
        tool = (asked.surface.name, str(definition["name"]))
        schema = definition.get("inputSchema")
        mismatch = self._mirrors.mismatch(tool, schema, arguments, asked.headers or {})
        if mismatch is not None:
            raise Refused(mcp.HEADER_MISMATCH, f"header mismatch: {mismatch}")


def _context(asked: Asked) -> Context:
    own = {key: value for key, value in asked.request.params.items() if key not in OF_THE_TOOL}
    return Context(asked.client, own)


def _text(params: Mapping[str, Any], name: str) -> str:
    value = params.get(name)
    if type(value) is not str:
        raise Refused(jsonrpc.INVALID_PARAMS, f"params.{name} must be a string")
    return value
