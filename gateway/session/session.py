"""One open conversation with an MCP server of either era, on any transport.

What differs between the eras is settled by `open` and stays in the parts below: nobody above a
session needs to know which era its server speaks.
"""

import asyncio
from typing import Any, Protocol

from gateway.domain.call import Call, Outcome, Query, Relayed
from gateway.domain.client import Client
from gateway.domain.tool import JsonObject
from gateway.errors import BackendUnavailable, SessionLost, Unsupported
from gateway.protocol import mcp
from gateway.protocol.answers import INPUT_REQUIRED, ErrorAnswered
from gateway.protocol.eras import Revision
from gateway.protocol.introduction import Introduction
from gateway.protocol.jsonrpc import METHOD_NOT_FOUND
from gateway.protocol.outbound import Draft, repeatable
from gateway.protocol.received import Inbound
from gateway.session import tasking
from gateway.session.driving import driven
from gateway.session.flights import Flights
from gateway.session.hearing import Hearing
from gateway.session.line import Line
from gateway.session.listening import NONE, Listening, Refused
from gateway.session.mending import Mending
from gateway.session.opening import PATIENCE, opened
from gateway.session.paging import every
from gateway.session.questions import Questions
from gateway.session.subscribing import Subscribing
from gateway.session.topics import FLAGS, Lists, Tasks
from gateway.session.verbosity import Verbosity
from gateway.transports.base import Means, Transport, TransportKind


class SessionEvents(Protocol):
    """Who is told of what concerns no request. Its methods never block or raise."""

    def changed(self, method: str) -> None:
        """The list of `notifications/…/list_changed` may be another by now."""
        ...

    def said(self, method: str, params: JsonObject) -> None:
        """What the server says to all its clients: `notifications/resources/updated`, ….

        What else it says may be of any name.
        """
        ...

    def lost(self, reason: str) -> None:
        """Nothing goes through this session any more: close it, and open another. Told once, and
        not after `aclose`.
        """
        ...


class Session:
    """Made by `open`. Its methods raise only GatewayError and CancelledError."""

    def __init__(self, name: str, events: SessionEvents) -> None:
        self._name = name
        self._events = events
        self._flights = Flights()
        self._questions = Questions(self._answer)
        self._hearing = Hearing(self._flights, self._questions, self)
        self._transport: Transport | None = None
        self._line: Line
        self._watching: Listening | Subscribing | None = None
        self._tasks: Listening | None = None
        self._gone: str | None = None  # why nothing goes through any more
        self._closed = False

    @classmethod
    async def open(
        cls,
        kind: TransportKind,
        means: Means,
        events: SessionEvents,
        known: Revision | None = None,
        patience: float = PATIENCE,
    ) -> "Session":
        """Connect, find out which era the server speaks, and be introduced.

        `known` is what it spoke last time. A probe waits `patience` seconds before it counts as
        unanswered. Raises NoStreamableHttp where HTTP+SSE is worth a try.
        """
        session = cls(means.name, events)

        async def connect() -> Transport:
            session._gone = None
            session._transport = await kind.connect(session._hearing, means)
            return session._transport

        try:
            transport, introduction = await opened(connect, known, patience)
        except asyncio.CancelledError:
            if session._gone is not None:  # what the server said in the place of an answer
                events.lost(session._gone)
            raise
        if session._gone is not None:
            await transport.aclose()
            raise BackendUnavailable(session._gone)
        session._begin(transport, introduction)
        return session

    def _begin(self, transport: Transport, introduction: Introduction) -> None:
        line = Line(self._name, transport, introduction, self._flights, self)
        self._line = line
        self._hearing.apart, self._hearing.modern = line.apart, line.modern
        self._mending = Mending(line, self._events.changed)
        self._verbosity = None if line.modern else Verbosity(line, self._own)
        if line.modern:
            self._watching = Listening(line, Lists(line, self._events.changed))
            self._watching.start()
            self._tasks = Listening(line, Tasks(line, self._events.said))
        else:
            self._watching = Subscribing(line, self._own)

    @property
    def revision(self) -> Revision:
        return self._line.introduction.revision

    @property
    def capabilities(self) -> JsonObject:
        return self._line.introduction.capabilities

    @property
    def instructions(self) -> str:
        return self._line.introduction.instructions

    @property
    def server_info(self) -> JsonObject:
        return self._line.introduction.server_info

    # -- requests of clients --------------------------------------------------------------------

    async def call(
        self, call: Call, name: str, arguments: JsonObject, schema: JsonObject
    ) -> Outcome:
        """A tools/call of the server's tool `name`, whose inputSchema `schema` is."""
        context, definition = call.context, call.tool.definition
        line, client = self._line, context.client
        if client.log_level is not None:
            await self._heard(client.log_level)
        again = call.repeat
        if again is None:
            again = "annotations" in definition and repeatable(definition)
        draft = line.dialect.call(name, arguments, schema, context, repeatable=again)
        draft = draft.by(call.caller)
        if "execution" in definition and not line.modern and tasking.only_as_task(call):
            return await tasking.carried_out(line, draft, call)
        return await self._asked(draft, client)

    async def query(self, query: Query) -> Relayed:
        """Any other request, but subscriptions."""
        client, trace = query.context.client, query.context.trace
        if query.method == mcp.SET_LEVEL:
            return await self._set_level(query.params)
        if query.method == mcp.PING:
            await self.ping()
            return Relayed(b"{}")
        if client.log_level is not None:
            await self._heard(client.log_level)
        draft = self._line.dialect.query(query.method, query.params, client, trace)
        return await self._asked(draft.by(query.caller), client)

    async def _asked(self, draft: Draft, client: Client) -> Relayed:
        line = self._line
        epoch = line.epoch
        try:
            answer = await line.ask(draft, client)
        except (ErrorAnswered, SessionLost) as failure:
            answer = await self._mending.again(draft, client, failure, epoch)
        if answer.kind == INPUT_REQUIRED and not client.modern:
            return await driven(self._mending.ask, draft, client, answer)
        return answer

    async def _heard(self, level: str) -> None:
        """Let the server log what somebody wants to hear."""
        if self._verbosity is not None and self._verbosity.lacks(level):
            await self._verbosity.raise_to(level)

    async def _set_level(self, params: JsonObject) -> Relayed:
        level = params.get("level")
        if not self._line.modern and "logging" not in self.capabilities:
            raise Unsupported("the server sends no log messages")
        if isinstance(level, str):
            await self._heard(level)
        return Relayed(b"{}")

    # -- requests of the gateway ----------------------------------------------------------------

    async def list_all(self, method: str) -> list[Any]:
        """Every item of a list, within bounds, as they came."""
        return await every(self._own, method, self._line.name)

    async def ping(self) -> None:
        """Returns when the server is there and knows us."""
        answer = await self._own(mcp.DISCOVER if self._line.modern else mcp.PING, {})
        if answer.error is not None:
            error = ErrorAnswered(answer.error, answer.status)
            if error.number != METHOD_NOT_FOUND:  # it answered, after all
                raise error

    async def _own(self, method: str, params: JsonObject) -> Inbound:
        try:
            return await self._line.own(method, params)
        except SessionLost:
            return await self._line.own(method, params)  # as soon as it knows us again

    async def watch(self, uris: frozenset[str]) -> Refused:
        """Be told when these resources change, and no others. Raises Unsupported where the server
        tells nobody, and what else keeps it from being asked.
        """
        return await self._watching.watch(uris) if self._watching is not None else NONE

    async def watch_tasks(self, ids: frozenset[str]) -> Refused:
        """The same of how these tasks fare. A legacy server tells unasked."""
        return await self._tasks.watch(ids) if self._tasks is not None else NONE

    def missed_tasks(self) -> None:
        """Tell soon how all of them fare: they were watched by a session before this one."""
        if self._tasks is not None:
            self._tasks.missed()

    async def aclose(self) -> None:
        """End it, and everything that runs for it. Twice is once."""
        self._closed = True
        self._stop("it was closed")
        if self._transport is not None:
            await self._transport.aclose()

    # -- what the server says -------------------------------------------------------------------

    def changed(self, method: str) -> None:
        self._events.changed(method)

    def said(self, method: str, params: JsonObject) -> None:
        self._events.said(method, params)

    def acknowledged(self, listen: int | None, honoured: JsonObject | None) -> None:
        for each in (self._watching, self._tasks):
            if isinstance(each, Listening):
                each.acknowledged(listen, honoured)

    def lost(self, reason: str) -> None:
        """From the transport; while we are introduced, requests fail by themselves.

        Over legacy HTTP it can only be that the session has ended, and that can be mended; but some
        servers know no standing stream and say so in the same way, so another request has to show.
        """
        if self._watching is None:
            self._gone = reason
        elif self._line.apart and not self._line.modern:
            self._line.errand(self.ping)
        else:
            self.failed(reason)

    def failed(self, reason: str) -> None:
        if self._gone is None and not self._closed:
            self._gone = reason
            self._stop(reason)
            self._events.lost(reason)

    def _stop(self, reason: str) -> None:
        self._questions.close()
        if self._watching is not None:
            self._watching.close()
            if self._tasks is not None:
                self._tasks.close()
            self._line.end(reason)

    def renewed(self) -> None:
        """The server has forgotten what we told it, and may be another than before."""
        for kind, (_, notification) in FLAGS.items():
            if kind in self.capabilities:
                self._events.changed(notification)
        if self._verbosity is not None:
            self._verbosity.forgotten()
            self._line.errand(self._verbosity.restore)
        if isinstance(self._watching, Subscribing):
            self._line.errand(self._watching.restore)

    async def _answer(self, body: bytes) -> None:
        if self._watching is not None:
            await self._line.tell(body)
        elif self._transport is not None:  # some servers ask before they are introduced
            await self._transport.send(body)
