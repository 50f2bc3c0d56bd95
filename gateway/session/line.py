"""One conversation with an MCP server: requests go out on it and come back as results, until the
server forgets who we are, and again after we said so anew.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from gateway.domain.call import Relayed
from gateway.domain.client import NOBODY, Client, nothing
from gateway.domain.tool import JsonObject
from gateway.errors import BadResponse, GatewayError, SessionLost
from gateway.protocol import jsonrpc, mcp
from gateway.protocol.answers import ErrorAnswered, relayed
from gateway.protocol.introduction import Introduction
from gateway.protocol.outbound import Dialect, Draft, next_id
from gateway.protocol.received import Inbound
from gateway.session.flights import Flight, Flights
from gateway.session.opening import PATIENCE, initialize, probe
from gateway.transports.base import Outbound, Transport

MOST_ERRANDS = 1_000

Work = Callable[[], Awaitable[Any]]


class Hearer(Protocol):
    """Its methods never block or raise."""

    def renewed(self) -> None:
        """We were introduced anew: what the server knew of us is gone."""
        ...

    def failed(self, reason: str) -> None:
        """We could not be: the line has ended."""
        ...


class Line:
    """`epoch` counts how often we were introduced anew. `name` is the backend's, for log lines."""

    def __init__(
        self,
        name: str,
        transport: Transport,
        introduction: Introduction,
        flights: Flights,
        hearer: Hearer,
    ) -> None:
        self.name = name
        self.flights = flights
        self.epoch = 0
        self._transport = transport
        self._hearer = hearer
        self._renewing: asyncio.Task[None] | None = None
        self._errands: set[asyncio.Task[None]] = set()
        self._ended: str | None = None
        self._introduced(introduction)

    def _introduced(self, introduction: Introduction) -> None:
        self.introduction = introduction
        self.modern = introduction.revision.modern
        self.dialect = Dialect(introduction.revision, named=self._transport.apart)

    @property
    def apart(self) -> bool:
        return self._transport.apart

    async def ask(self, draft: Draft, client: Client, flight: Flight | None = None) -> Relayed:
        """One request of a client's. Raises GatewayError, ErrorAnswered among them.

        A `flight` of the caller's own stays in flight until the caller ends it.
        """
        if self._renewing is not None or self._ended is not None:
            await self.ready()
            draft = self.dialect.readdressed(draft)
        id, epoch = next_id(), self.epoch
        body = self.dialect.body(id, draft, client)
        current = flight or Flight(client, draft.caller)
        self.flights.begin(id, current)
        try:
            out = Outbound(id, draft.method, body, draft.headers, draft.repeatable)
            answer = await self._transport.request(out)
            result = relayed(answer, client, modern=self.modern)
        except asyncio.CancelledError:
            self._withdraw(id)
            raise
        except ErrorAnswered as error:
            raise _blamed(current) or error from None
        except SessionLost:
            self.renew_soon(epoch)
            raise
        finally:
            if flight is None:
                self.flights.end(id, lasting=draft.lasting)
                if current.questions:
                    current.ends()
        if result.is_error and current.declined is not None:
            raise _blamed(current) or current.declined
        return result

    async def own(
        self, method: str, params: JsonObject | None = None, client: Client = NOBODY
    ) -> Inbound:
        """One request of the gateway's own."""
        if self._renewing is not None or self._ended is not None:
            await self.ready()
        draft = self.dialect.query(method, params or nothing())
        id = next_id()
        body = self.dialect.body(id, draft, client)
        return await self.exchange(Outbound(id, method, body, draft.headers, draft.repeatable))

    async def exchange(self, out: Outbound) -> Inbound:
        """The response, an error included."""
        epoch = self.epoch
        try:
            return await self._transport.request(out)
        except asyncio.CancelledError:
            self._withdraw(out.id)
            raise
        except SessionLost:
            self.renew_soon(epoch)
            raise

    async def tell(self, body: bytes) -> None:
        """A notification, or the answer to a question of the server's. Raises GatewayError."""
        await self._transport.send(body, self.dialect.headers)

    def errand(self, work: Work) -> None:
        """Do `work` beside everything else; whether a server or a connection minds is nobody's
        affair.
        """
        if self._ended is not None or len(self._errands) >= MOST_ERRANDS:
            return
        task = asyncio.create_task(_quietly(work))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def end(self, reason: str) -> None:
        """No request goes out any more."""
        if self._ended is None:
            self._ended = reason
        for task in (*self._errands, *filter(None, (self._renewing,))):
            task.cancel()

    def _withdraw(self, id: int) -> None:
        """Say that nobody waits for a response; over modern HTTP the end of its stream says it."""
        if self.modern and self._transport.apart:
            return
        params = jsonrpc.encode({"requestId": id, "reason": "nobody waits for it any more"})
        withdrawal = jsonrpc.notification(mcp.CANCELLED, params)
        self.errand(lambda: self.tell(withdrawal))

    # -- being known ----------------------------------------------------------------------------

    async def renew(self, epoch: int) -> None:
        """Introduce ourselves anew, once for all who found us forgotten in `epoch`.

        Raises SessionLost; then the line has ended.
        """
        self.renew_soon(epoch)
        await self.ready()

    def renew_soon(self, epoch: int) -> None:
        if epoch == self.epoch and self._renewing is None and self._ended is None:
            self._renewing = asyncio.create_task(self._renew())

    async def ready(self) -> None:
        """Wait until the server knows us (again). Raises SessionLost when it never will."""
        if self._renewing is not None:
            await asyncio.wait((self._renewing,))
        if self._ended is not None:
            raise SessionLost(f"the connection to the server has ended: {self._ended}")

    async def _renew(self) -> None:
        try:
            async with asyncio.timeout(2 * PATIENCE):
                found = await self._introduce()
        except TimeoutError:
            self._give_up("the server did not answer when we introduced ourselves anew")
        except GatewayError as error:
            self._give_up(str(error))
        else:
            self._introduced(found)
            self.epoch += 1
            self._hearer.renewed()
        finally:
            self._renewing = None

    async def _introduce(self) -> Introduction:
        if not self.modern:
            return await initialize(self._transport)
        found = await probe(self._transport)
        if found is None:
            raise BadResponse("the server speaks another era than before")
        return found

    def _give_up(self, reason: str) -> None:
        self._ended = reason
        self._hearer.failed(reason)


def _blamed(flight: Flight) -> GatewayError | None:
    """What a failed request is put down to: that a modern client lacks what the server needed."""
    return flight.declined if flight.client.modern else None


async def _quietly(work: Work) -> None:
    try:
        await work()
    except GatewayError:
        return
