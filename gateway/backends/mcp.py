"""One MCP server as a backend: supervised, offered as the operator wants it, and bounded.

The rule: what stands between a call and its session is a comparison, an addition and a look at the
overrides; everything else happens elsewhere, when something changes.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable
from dataclasses import replace

from gateway.backends.base import Notify
from gateway.backends.keeping import Clock, Keeper, Open
from gateway.backends.offering import Offering
from gateway.backends.owners import Owners
from gateway.backends.presenting import introduced, presented
from gateway.backends.refreshing import Refreshing
from gateway.backends.seat import Seat
from gateway.backends.settings import McpSettings
from gateway.backends.subscribed import Subscriptions
from gateway.backends.supervise import Phase, Rng
from gateway.backends.tending import Checking, Pulse
from gateway.backends.way import Way
from gateway.domain.call import Call, Outcome, Query, Relayed
from gateway.domain.client import Context
from gateway.domain.events import Notice
from gateway.domain.listing import Listing
from gateway.domain.text import shown
from gateway.domain.tool import JsonObject, Tool, ToolRef
from gateway.errors import (
    BackendUnavailable,
    DeadlineExceeded,
    GatewayError,
    Reached,
    RemoteError,
    ToolNotFound,
)
from gateway.failsafe.gate import Gate
from gateway.protocol import mcp
from gateway.protocol.task_ids import TASK, TASK_ID
from gateway.session.session import Session
from gateway.transports.base import Means, TransportKind

log = logging.getLogger(__name__)

RESTORE_SECONDS = 5.0  # for all subscriptions of a server that is back
NOTHING = Relayed(b"{}")
TASKS = frozenset({mcp.TASKS_GET, mcp.TASKS_RESULT, mcp.TASKS_CANCEL, mcp.TASKS_UPDATE})
TOLD = frozenset({mcp.TASK_STATUS, mcp.TASK_TOLD})  # of tasks, to their owners alone


class McpBackend:
    """`open` gives a new session, `clock` tells seconds; they and `rng` are there for tests.
    `checking` is the process's.
    """

    def __init__(  # noqa: PLR0913  what tests put another in the place of
        self,
        settings: McpSettings,
        kind: TransportKind,
        means: Means,
        *,
        open: Open | None = None,
        clock: Clock = time.monotonic,
        rng: Rng = random.random,
        checking: Checking | None = None,
    ) -> None:
        self.pulse = Pulse()
        self._settings = settings
        self._name = settings.name
        self._clock = clock
        most = 1 if settings.exclusive else settings.concurrency
        self._gate = Gate(settings.name, most, settings.queue)
        open = open or Way(kind, means, settings.revision).open
        self._keeper = Keeper(settings, self, open, clock, rng, checking)
        self._offering = Offering(settings)
        self._refreshing = Refreshing(self._offering, self._publish)
        self._subscribed = Subscriptions()
        self._owners = Owners()
        self._authorizer = means.authorizer
        self._closed: BackendUnavailable | None = None
        self._mourned: Session | None = None  # the one that was lost last
        self._about = Listing(
            settings.name,
            settings.description,
            (),
            transport=kind.label,
            timeout=settings.timeout,
        )
        self._listing = presented(self._about, self._about, self._offering, self._keeper.state)

    def __repr__(self) -> str:
        return f"<McpBackend {self._name!r}, {self._keeper.state.phase}, {self._gate}>"

    @property
    def listing(self) -> Listing:
        return self._listing

    async def start(self, on_change: Callable[[], None], notify: Notify) -> None:
        self._on_change = on_change
        self._notify = notify
        self._keeper.start()

    async def aclose(self) -> None:
        """Requests that are still inside fail. Twice is once."""
        text = f"server {self._name!r} is closed: removed by a reload, or the gateway is stopping"
        self._closed = BackendUnavailable(text)
        self._gate.close(self._closed)
        await self._keeper.aclose(self._closed)
        if self._authorizer is not None:
            await self._authorizer.aclose()

    def retry(self) -> None:
        """Connect at once: what stood in the way is gone. Never raises."""
        self._keeper.nudge()

    # -- requests -------------------------------------------------------------------------------

    async def call(self, call: Call) -> Outcome:
        gate = self._gate
        if gate.inside < gate.most:
            gate.inside += 1
        else:
            await gate.wait(call.deadline)
        seat = self._seat(call.context)
        if isinstance(seat, Seat):
            call = replace(call, context=call.context._replace(client=seat))
        used: Session | None = None
        try:
            session = used = self._keeper.session or await self._keeper.ready(call.deadline)
            try:
                result = await self._sent(session, call)
            except BackendUnavailable as error:
                session = used = await self._next(session, error, call.deadline)
                result = await self._sent(session, call)
            self.pulse.heard += 1
        except (GatewayError, asyncio.CancelledError) as error:
            raise self._noted(error, used) from None
        finally:
            self._leave(seat)
        if isinstance(result, Relayed) and (result.kind == TASK or TASK in call.context.params):
            self._owners.made(result, call.caller.owner, self._clock())
        return result

    async def _sent(self, session: Session, call: Call) -> Outcome:
        tool = call.tool
        if "inputSchema" not in tool.definition:  # called before anybody knew what there is
            tool = self._listed(tool.ref)
            call = replace(call, tool=tool)
        target = self._offering.targets.get(tool.ref.name)
        if target is None:
            return await session.call(call, tool.ref.name, call.arguments, tool.input_schema)
        arguments = target.arguments(call.arguments)
        return await session.call(call, target.name, arguments, target.schema)

    def _listed(self, ref: ToolRef) -> Tool:
        found = next((tool for tool in self._listing.tools if tool.ref == ref), None)
        if found is None:
            hint = f"gateway_list_tools with server {ref.backend!r} names every tool"
            raise ToolNotFound(f"no tool {shown(ref.name)} on server {ref.backend!r}", hint=hint)
        return found

    async def query(self, query: Query) -> Relayed:
        method, caller = query.method, query.caller.owner
        if method in (mcp.SUBSCRIBE, mcp.UNSUBSCRIBE):
            await self._subscription(query)
            return NOTHING
        if method in TASKS:
            self._owners.check(query.params, caller)
        gate = self._gate
        if gate.inside < gate.most:
            gate.inside += 1
        else:
            await gate.wait(self._soon())
        seat = self._seat(query.context)
        if isinstance(seat, Seat):
            query = replace(query, context=query.context._replace(client=seat))
        used: Session | None = None
        try:
            session = used = self._keeper.session or await self._keeper.ready(self._soon())
            try:
                result = await session.query(query)
            except BackendUnavailable as error:
                session = used = await self._next(session, error, self._soon())
                result = await session.query(query)
            self.pulse.heard += 1
        except (GatewayError, asyncio.CancelledError) as error:
            raise self._noted(error, used) from None
        finally:
            self._leave(seat)
        if method in TASKS:
            self._owners.told(method, query.params, result)
        return self._owners.listed(result, caller) if method == mcp.TASKS_LIST else result

    async def _subscription(self, query: Query) -> None:
        """To a resource or, by `taskId`, to a task. While it is down, it takes effect when it is up
        again.
        """
        session, caller, params = self._keeper.session, query.caller.name, query.params
        if query.method == mcp.UNSUBSCRIBE:
            await self._subscribed.unsubscribe(session, caller, params)
            return
        if TASK_ID in params:
            self._owners.check(params, query.caller.owner)
        state = self._keeper.state
        if session is None and (state.phase is Phase.ASLEEP or not state.settled):
            with contextlib.suppress(BackendUnavailable, DeadlineExceeded):
                session = await self._keeper.ready(self._soon())
        if self._closed is not None:
            raise self._closed
        await self._subscribed.subscribe(session, caller, params)

    async def _next(self, before: Session, error: BackendUnavailable, deadline: float) -> Session:
        """The session after one that was lost before it took a request. Else raises `error`."""
        if error.reached is not Reached.NOT_SENT or self._keeper.session is before:
            raise error
        return await self._keeper.ready(deadline)

    def _seat(self, context: Context) -> Seat | Gate:
        """What is to be left at the end: a client that can be asked may have left it meanwhile."""
        client = context.client
        return Seat(client, self._gate) if client.capabilities else self._gate

    def _leave(self, seat: Seat | Gate) -> None:
        if self._settings.idle_timeout is not None:
            self.pulse.used = self._clock()
        seat.leave()

    def _noted(
        self, error: GatewayError | asyncio.CancelledError, used: Session | None
    ) -> GatewayError | asyncio.CancelledError:
        """`error`, or what it comes from. The loss of a session is one failure of its server, with
        however many requests in it.
        """
        if isinstance(error, RemoteError):
            self.pulse.heard += 1
        elif isinstance(error, asyncio.CancelledError | DeadlineExceeded):
            self.pulse.abandoned += 1
        elif self._closed is not None:
            closed = BackendUnavailable(str(self._closed), reached=error.reached)
            closed.unwell = False
            return closed
        elif used is not None and used is not self._keeper.session:
            error.counted = used is self._mourned
            self._mourned = used
        return error

    def _soon(self) -> float:
        """Until when a request without a deadline of its own waits for a connection."""
        limits = self._settings.connect_timeout, self._settings.timeout
        return asyncio.get_running_loop().time() + min(each for each in limits if each is not None)

    # -- what the keeper asks and tells ---------------------------------------------------------

    @property
    def busy(self) -> bool:
        return self._gate.inside > 0 or self._gate.away > 0

    @property
    def needed(self) -> bool:
        return len(self._subscribed) > 0 or self._owners.at_work(self._clock())

    def turned(self) -> None:
        self._publish()

    def changed(self, method: str) -> None:
        self._refreshing.changed(method)

    def said(self, method: str, params: JsonObject) -> None:
        if self._closed is not None:
            return
        caller = self._owners.heard(params) if method in TOLD else None
        if caller is not None or method not in TOLD:
            self._notify(Notice(self._name, method, params, caller))

    async def welcome(self, session: Session) -> None:
        await self._refreshing.all(session)
        self._about = introduced(self._about, self._settings, session)
        if self.needed:
            reason = await self._restored(session)
            if reason is not None:
                facts = {"backend": self._name, "reason": reason}
                log.warning("subscriptions_lost", extra=facts)

    async def _restored(self, session: Session) -> str | None:
        """Subscribe anew, or say why not: a server that does not answer is up all the same."""
        within = min(RESTORE_SECONDS, self._settings.connect_timeout / 2)
        try:
            async with asyncio.timeout(within):
                error = await self._subscribed.restore(session)
        except TimeoutError:
            return f"no answer within {within:g} s"
        return None if error is None else str(error)

    async def follow(self, session: Session) -> None:
        await self._refreshing.follow(session)

    def _publish(self) -> None:
        if self._closed is not None:
            return
        new = presented(self._listing, self._about, self._offering, self._keeper.state)
        if new != self._listing:
            self._listing = new
            self._on_change()
