"""The MCP methods over a surface: a request in, response bytes out. It knows no transport.

Here alone errors are translated, by `faults.py`: a fault of the *protocol* (unknown method or tool,
malformed params) is a JSON-RPC error, a fault of the *tool* is a result with `isError`, so that the
model can read it and recover; anything else is an internal error that tells nothing.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from gateway.domain.client import NO_CONTEXT, Context
from gateway.domain.events import Observer, RequestAnswered
from gateway.domain.identity import Identity
from gateway.domain.text import shown
from gateway.errors import GatewayError
from gateway.protocol import jsonrpc, mcp, wire
from gateway.protocol.inbound import Rejection, unknown_method
from gateway.runtime.snapshot import Current
from gateway.runtime.view import View
from gateway.server.asked import Asked, Quick, Refused, Waiting, text_of
from gateway.server.faults import instead, rejection
from gateway.server.levels import Levels
from gateway.server.listing import Listings
from gateway.server.parking import Parking
from gateway.server.tools import Tools
from gateway.server.views import Views

log = logging.getLogger(__name__)

EMPTY_LISTS: Mapping[str, str] = {
    mcp.PROMPTS_LIST: "prompts",
    mcp.RESOURCES_LIST: "resources",
    mcp.TEMPLATES_LIST: "resourceTemplates",
}  # capability files bring tools only


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A JSON-RPC response and, if it is an error, its code."""

    body: bytes
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Methods:
    """Those of one era: `quick` ones are answered at once, `waiting` ones ask a backend."""

    quick: Mapping[str, Quick]
    waiting: Mapping[str, Waiting]


class Endpoint:
    """One for the process."""

    def __init__(self, current: Current, observe: Observer) -> None:
        self._views = Views(current, observe)
        self._observe = observe
        self._listings = Listings()
        common: dict[str, Quick] = {
            mcp.TOOLS_LIST: self._list_tools,
            mcp.PROMPTS_LIST: self._list_nothing,
            mcp.RESOURCES_LIST: self._list_nothing,
            mcp.TEMPLATES_LIST: self._list_nothing,
            mcp.PROMPTS_GET: self._get_prompt,
            mcp.RESOURCES_READ: self._read_resource,
        }
        self._parking = Parking(self._views)
        waiting: dict[str, Waiting] = {mcp.TOOLS_CALL: Tools(self._views, self._parking).call}
        self._modern = Methods({**common, mcp.DISCOVER: self._discover}, waiting)
        self._legacy = Methods(
            {**common, mcp.INITIALIZE: self._initialize, mcp.PING: self._ping},
            {**waiting, mcp.SET_LEVEL: Levels(self._views).set},
        )

    def view(self, caller: Identity, context: Context = NO_CONTEXT) -> View:
        """The newest snapshot as the caller sees it, for a request with that context."""
        return self._views.view(caller, context)

    def close(self) -> None:
        """Cancel what waits for clients that are away: no request of theirs will be taken."""
        self._parking.close()

    def waits(self, method: str) -> bool:
        """Whether a request of that method may take its time; all others are answered at once."""
        return method in self._modern.waiting or method in self._legacy.waiting

    async def answer(self, asked: Asked) -> Answer:
        """Carry out a request that has passed its era's checks. Raises CancelledError only."""
        started = time.perf_counter()
        request, revision = asked.request, asked.revision
        try:
            methods = self._modern if revision.modern else self._legacy
            waiting = methods.waiting.get(request.method)
            raw = _at_once(methods, asked) if waiting is None else await waiting(asked)
        except asyncio.CancelledError:
            seconds = time.perf_counter() - started
            self._observe(RequestAnswered(request.method, revision.era, "cancelled", seconds))
            raise
        except Refused as refused:
            return self.refuse(request, revision.era, refused.rejection, started)
        except GatewayError as error:
            said = instead(error, asked)
            if said is None:
                return self.refuse(request, revision.era, rejection(error, asked), started)
            raw = said
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
        name = text_of(asked.request.params, "name")
        raise Refused(jsonrpc.INVALID_PARAMS, f"no prompt {shown(name)}")

    def _read_resource(self, asked: Asked) -> bytes:
        uri = text_of(asked.request.params, "uri")
        raise Refused(asked.revision.resource_missing, f"no resource {shown(uri)}", {"uri": uri})


def _at_once(methods: Methods, asked: Asked) -> bytes:
    method = methods.quick.get(asked.request.method)
    if method is None:
        unknown = unknown_method(asked.request.method)
        raise Refused(unknown.code, unknown.message)
    return method(asked)
