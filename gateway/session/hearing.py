"""What a server says beside its responses, and to whom it is passed on.

The rule: a message belongs to the request on whose stream it came, and ends with it; where there is
but one stream, to the only request in flight; else to none. Nothing that a server says can break
its session.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from gateway.domain.tool import JsonObject
from gateway.protocol import jsonrpc, mcp
from gateway.protocol.envelope import META, TOKEN
from gateway.protocol.received import Inbound, untagged
from gateway.session.flights import Flight, Flights
from gateway.session.questions import Questions

LIST_CHANGED = frozenset({mcp.TOOLS_CHANGED, mcp.PROMPTS_CHANGED, mcp.RESOURCES_CHANGED})
RELATED = frozenset({mcp.MESSAGE, mcp.ELICITED})  # where it can be told to what


class Listener(Protocol):
    """Who hears what concerns no request. Its methods never block or raise."""

    def changed(self, method: str) -> None: ...

    def said(self, method: str, params: JsonObject) -> None: ...

    def acknowledged(self, listen: int | None, honoured: JsonObject | None) -> None:
        """The server took up those subscriptions that our request `listen` asks for."""
        ...

    def lost(self, reason: str) -> None: ...


class Hearing:
    """A transport's `Peer`. `apart` and `modern` are set when a session opens."""

    def __init__(self, flights: Flights, questions: Questions, listener: Listener) -> None:
        self.apart = False
        self.modern = False
        self._flights = flights
        self._questions = questions
        self._listener = listener

    def received(self, message: Inbound, request: int | None) -> None:
        method, id = message.method, message.id
        if method is None:
            return
        params = None if isinstance(message.params, msgspec.UnsetType) else bytes(message.params)
        if id is None:
            self._told(method, params, request)
        elif not self.modern:  # a modern server asks nothing this way
            self._questions.put(id, method, params, self._asked(request))

    def lost(self, reason: str) -> None:
        self._listener.lost(reason)

    def _asked(self, request: int | None) -> Flight | None:
        """The request that a question is about; some servers ask on the standing stream."""
        return self._flights.only() if request is None else self._flights.get(request)

    def _told(self, method: str, raw: bytes | None, request: int | None) -> None:
        if method in LIST_CHANGED:
            self._listener.changed(method)
            return
        try:
            params = jsonrpc.loads(raw) if raw else {}
        except (ValueError, RecursionError):
            return
        if method == mcp.PROGRESS:
            flight = self._flights.get(params.get(TOKEN))
            if flight is not None:
                flight.client.notify(method, params)
        elif method == mcp.CANCELLED:
            self._questions.withdraw(params.get("requestId"))
        elif method == mcp.ACKNOWLEDGED:
            self._listener.acknowledged(_subscription(params, request), _honoured(params))
        else:
            self._pass_on(method, params, request)

    def _pass_on(self, method: str, params: JsonObject, request: int | None) -> None:
        related = method in RELATED
        flight = self._related(request) if related else None
        if flight is not None:
            flight.client.notify(method, params)
        elif not related or request is None:  # else it is about what nobody waits for any more
            self._listener.said(method, untagged(params))

    def _related(self, request: int | None) -> Flight | None:
        if request is not None:
            return self._flights.get(request)
        return None if self.apart else self._flights.only()


def _subscription(params: JsonObject, request: int | None) -> int | None:
    """The listen request that an acknowledgement is for."""
    meta = params.get(META)
    named = meta.get(mcp.SUBSCRIPTION_ID) if isinstance(meta, Mapping) else None
    return named if type(named) is int else request


def _honoured(params: JsonObject) -> JsonObject | None:
    found = params.get("notifications")
    return found if isinstance(found, Mapping) else None
