"""Requests of modern clients that a legacy server has questions about: parked, and resumed later.

A modern client takes no requests. So the request goes on in a task of its own, its client is
answered with the questions and a sealed `requestState`, and the client's retry brings the answers
and takes what comes next: the result or further questions. Source: 2026-07-28,
basic/patterns/mrtr.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from gateway.domain.listing import OF_FILES
from gateway.errors import Busy, Draining, Reached, StateRejected
from gateway.meta.invoke import Invoke
from gateway.protocol import jsonrpc, mcp
from gateway.server.asked import Asked, Refused, Waiting
from gateway.server.asking import may_be_asked
from gateway.server.parked import Lot, Parked
from gateway.server.seal import Seal, Ticket, bound_to
from gateway.server.views import Views

INVOKE = Invoke.definition["name"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of what clients may leave unfinished with us."""

    ttl: float = 600.0  # seconds that a client has to come back
    most: int = 1024  # parked calls in all
    most_each: int = 256  # of one caller


class Parking(Lot):
    """One for the process: parked calls live here, and so end with it."""

    def __init__(self, views: Views, bounds: Bounds | None = None) -> None:
        self._views = views
        self._bounds = bounds or Bounds()
        self._seal = Seal()
        self._parked: dict[str, Parked] = {}
        self._callers: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._parked)

    async def carry(self, asked: Asked, handler: Waiting) -> bytes:
        """Answer by `handler`, or take up what an earlier request began. Raises as `handler`."""
        if not self.concerns(asked):
            return await handler(asked)
        state = asked.request.params.get("requestState")
        if state is not None and self._seal.ours(state):
            return await self._next(self._resumed(asked, state), asked)
        if not self._may_ask(asked):
            return await handler(asked)
        return await self._next(Parked(self, asked, handler), asked)

    def concerns(self, asked: Asked) -> bool:
        """Whether it may have to be parked, or resumes something; all others need nothing here."""
        if not asked.revision.modern:
            return False
        return "requestState" in asked.request.params or may_be_asked(asked.client.capabilities)

    def close(self) -> None:
        """Cancel every call whose client is away: nobody can come back any more."""
        for parked in tuple(self._parked.values()):
            parked.lapse()

    def enter(self, parked: Parked) -> None:
        """It is about to ask: from now on it counts. Raises Busy when there are too many."""
        caller, bounds = parked.caller, self._bounds
        if len(self._parked) >= bounds.most or self._callers[caller] >= bounds.most_each:
            text = "too many calls wait for answers from their clients"
            raise Busy(text, reached=Reached.SENT_UNKNOWN)
        self._parked[parked.id] = parked
        self._callers[caller] += 1

    def leave(self, parked: Parked) -> None:
        if self._parked.pop(parked.id, None) is not None:
            self._callers[parked.caller] -= 1
            if not self._callers[parked.caller]:
                del self._callers[parked.caller]

    def _may_ask(self, asked: Asked) -> bool:
        """Whether its server may ask something: else a task of its own would be in vain."""
        if not may_be_asked(asked.client.capabilities):
            return False
        params = asked.request.params
        name: Any = asked.surface.name
        if not name and params.get("name") == INVOKE and asked.request.method == mcp.TOOLS_CALL:
            arguments = params.get("arguments")
            name = arguments.get("server") if type(arguments) is dict else ""
        if type(name) is not str:
            return False
        listing = self._views.view(asked.caller).backends.get(name)
        return listing is None or (listing.transport not in OF_FILES and listing.era != "modern")

    def _resumed(self, asked: Asked, state: str) -> Parked:
        ticket = self._seal.open(state, bound_to(asked))
        parked = self._parked.get(ticket.call)
        if parked is None or not parked.awaits(ticket.round):
            raise StateRejected("what the requestState led to has ended or was taken up already")
        answers = asked.request.params.get("inputResponses", {})
        if type(answers) is not dict:
            raise Refused(jsonrpc.INVALID_PARAMS, "params.inputResponses must be an object")
        parked.resume(asked.client, answers)
        return parked

    async def _next(self, parked: Parked, asked: Asked) -> bytes:
        """The result of the call, or what its client has to answer first."""
        await parked.turn()
        if parked.task.done():
            self.leave(parked)
            if parked.task.cancelled():
                raise Draining("the gateway is shutting down", reached=Reached.SENT_UNKNOWN)
            return parked.task.result()
        ttl = self._bounds.ttl
        ticket = Ticket(parked.id, parked.wait(ttl))
        return parked.questions(self._seal.issue(ticket, bound_to(asked), ttl))
