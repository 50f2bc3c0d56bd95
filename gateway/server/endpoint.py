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
from gateway.errors import GatewayError
from gateway.protocol import jsonrpc, mcp, wire
from gateway.protocol.inbound import Rejection
from gateway.runtime.snapshot import Current
from gateway.runtime.view import View
from gateway.server.asked import Asked, Quick, Refused, Waiting
from gateway.server.extensions import Extensions
from gateway.server.faults import rejection
from gateway.server.listing import Lists
from gateway.server.methods import asking, of_legacy, of_modern
from gateway.server.parking import Bounds, Parking
from gateway.server.surface import BackendSurface, Surface
from gateway.server.views import Views

log = logging.getLogger(__name__)


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A JSON-RPC response and, if it is an error, its code; and the HTTP status of modern ones."""

    body: bytes
    code: int | None = None
    status: int = 200


@dataclass(frozen=True, slots=True)
class Methods:
    """Those of one era: `quick` ones are answered at once, `waiting` ones ask a backend.

    Those of extensions ask one too, and stand in neither.
    """

    quick: Mapping[str, Quick]
    waiting: Mapping[str, Waiting]


class Endpoint:
    """One for the process. `parking` holds the calls that wait for their clients."""

    def __init__(self, current: Current, observe: Observer, bounds: Bounds | None = None) -> None:
        self._views = Views(current, observe)
        self._observe = observe
        self.parking = Parking(self._views, bounds)
        self._extensions = Extensions(self._views)
        self._turn = asyncio.Lock()
        lists = Lists(self._views).answer
        common: dict[str, Quick] = dict.fromkeys(mcp.CHANGED_BY, lists)
        waiting = asking(self._views, self.parking)
        self._modern = Methods(
            {**common, mcp.DISCOVER: self._discover},
            {**waiting, **of_modern(self._views, self.parking)},
        )
        self._legacy = Methods(
            {**common, mcp.INITIALIZE: self._initialize, mcp.PING: self._ping},
            {**waiting, **of_legacy(self._views, self.parking)},
        )

    def view(self, caller: Identity, context: Context = NO_CONTEXT) -> View:
        """The newest snapshot as the caller sees it, for a request with that context."""
        return self._views.view(caller, context)

    def backend(self, name: str, caller: Identity) -> Surface | None:
        """The surface of the backend with that name or alias, where the caller may see it."""
        view = self.view(caller)
        name = name if name in view.backends else view.name_of(name)
        return BackendSurface(name) if name in view.backends else None

    async def settled(self, surface: Surface) -> None:
        """Return when it is known what the surface offers."""
        if surface.name:
            await self._views.settled(surface.name)

    def close(self) -> None:
        """Cancel what waits for clients that are away: no request of theirs will be taken."""
        self.parking.close()

    def waits(self, method: str) -> bool:
        """Whether a request of that method may take its time; all others are answered at once."""
        return method not in self._modern.quick and method not in self._legacy.quick

    async def answer(self, asked: Asked) -> Answer:
        """Carry out a request that has passed its era's checks. Raises CancelledError only."""
        started = time.perf_counter()
        request, revision = asked.request, asked.revision
        try:
            if self.view(asked.caller).fresh:
                await self._its_turn()
            methods = self._modern if revision.modern else self._legacy
            quick = methods.quick.get(request.method)
            if quick is None:
                raw = await methods.waiting.get(request.method, self._extensions.carry)(asked)
            else:
                raw = quick(asked)
        except asyncio.CancelledError:
            seconds = time.perf_counter() - started
            self._observe(RequestAnswered(request.method, revision.era, "cancelled", seconds))
            raise
        except Refused as refused:
            return self.refuse(request, revision.era, refused.rejection, started)
        except GatewayError as error:
            return self.refuse(request, revision.era, rejection(error, asked), started)
        except Exception:
            log.exception("request_failed", extra={"method": request.method})
            fault = Rejection(jsonrpc.INTERNAL_ERROR, "internal error")
            return self.refuse(request, revision.era, fault, started)
        seconds = time.perf_counter() - started
        self._observe(RequestAnswered(request.method, revision.era, "ok", seconds))
        return Answer(jsonrpc.result(request.id, raw))

    async def _its_turn(self) -> None:
        """After a reload many may come at once of whom nobody knows yet what they see: one in a
        turn of the loop has that worked out.
        """
        async with self._turn:
            await asyncio.sleep(0)

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
        return Answer(body, rejection.code, rejection.status)

    def _initialize(self, asked: Asked) -> bytes:
        view, surface = self.view(asked.caller), asked.surface
        capabilities = surface.capabilities(view, asked.revision)
        return wire.initialize_result(asked.revision, surface.instructions(view), capabilities)

    def _discover(self, asked: Asked) -> bytes:
        view, surface = self.view(asked.caller), asked.surface
        capabilities = surface.capabilities(view, asked.revision)
        return wire.discover_result(surface.instructions(view), capabilities)

    def _ping(self, asked: Asked) -> bytes:
        return b"{}"
