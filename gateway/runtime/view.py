"""A snapshot as one identity sees it, and THE road a tool call takes.

Every front, meta-tool and command reaches tools through a `View`; there is no other way to a
backend. What an identity may not see is, here, simply not there. Whatever becomes of a call, one
event tells of it.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from gateway.domain.call import Call, Outcome, Query, Relayed
from gateway.domain.client import NO_CONTEXT, NOBODY, Context
from gateway.domain.events import Observer, Searched
from gateway.domain.identity import ANONYMOUS, Identity
from gateway.domain.listing import Health, Listing, Status
from gateway.domain.names import did_you_mean
from gateway.domain.policy import Rights
from gateway.domain.search import Found
from gateway.domain.text import shown
from gateway.domain.tool import JsonObject, Tool, ToolRef
from gateway.errors import (
    IN_VAIN,
    LOOK_FIRST,
    BackendNotFound,
    BackendUnavailable,
    DeadlineExceeded,
    GatewayError,
    InvalidAgent,
    ToolNotFound,
)
from gateway.failsafe.guard import UNGUARDED, Guard
from gateway.protocol import mcp
from gateway.runtime.admission import Subject, judge_call, judge_hidden, judge_query, subject
from gateway.runtime.passage import Passage
from gateway.runtime.patience import Patient, extending
from gateway.runtime.snapshot import Snapshot

Answered = TypeVar("Answered", Outcome, Relayed)


class View:
    """Cheap to make: one for each request."""

    __slots__ = (
        *("_caller", "_entered", "_observe", "_sight"),
        *("calls", "context", "identity", "snapshot"),
    )

    def __init__(
        self,
        snapshot: Snapshot,
        observe: Observer,
        identity: Identity = ANONYMOUS,
        context: Context = NO_CONTEXT,
    ) -> None:
        self._caller = identity
        if snapshot.policy.agents is (identity.agent is None):
            identity = _acting_unasked(snapshot, identity)
        self.snapshot = snapshot
        self.identity = identity
        self.context = context
        self._observe = observe
        self._sight = snapshot.sight(identity)
        self.calls = 0
        self._entered = False

    @property
    def rights(self) -> Rights:
        return self._sight.rights

    @property
    def fresh(self) -> bool:
        """Whether what is seen has still to be worked out, which may take milliseconds."""
        return self._sight.fresh

    @property
    def beholder(self) -> Identity:
        """Under whom to keep what is made of what is seen. Anybody may claim to be any agent: those
        who may see nothing for that are one.
        """
        who = self.identity
        if who.agent is None or self.rights.refusal is None:
            return who
        return Identity(who.name, who.team, who.org, who.grant)

    def acting(self, agent: str | None) -> "View":
        """The same as that agent, or as the one as which its caller acts unasked. Raises
        InvalidAgent.
        """
        policy = self.snapshot.policy
        who = policy.acting(self._caller, agent) if policy.agents else self.identity
        return View(self.snapshot, self._observe, who, self.context)

    @property
    def backends(self) -> Mapping[str, Listing]:
        return self._sight.backends

    def backend(self, name: str) -> Listing:
        """The backend called `name`; raises BackendNotFound with the nearest names, or Denied."""
        found = self.backends.get(name) or self.backends.get(self.name_of(name))
        if found is None:
            judge_hidden(self.identity, self.rights, self.name_of(name))
            hint = did_you_mean(name, self.backends) or "gateway_list_servers names every server"
            raise BackendNotFound(f"no server {shown(name)}", hint=hint)
        return found

    def health(self, name: str) -> Health:
        """How the backend fares right now, and when it is tried again; raises BackendNotFound."""
        listing = self.backend(name)
        return self._guard(listing.name).health(listing.health)

    def find(self, ref: ToolRef) -> Tool | None:
        """The tool called `ref`, to the letter, if there is one."""
        return self._sight.find(ref)

    def tool(self, ref: ToolRef) -> Tool:
        """The tool called `ref`; raises BackendNotFound or ToolNotFound with the nearest names."""
        found = self._sight.find(ref)
        if found is None and ref.backend not in self.backends:
            found = self._sight.find(ToolRef(self.name_of(ref.backend), ref.name))
        if found is None:
            raise self._missing(ref)
        return found

    def _missing(self, ref: ToolRef) -> GatewayError:
        """Why there is no such tool; raises what says that there is no such backend."""
        listing = self.backend(ref.backend)
        name = listing.name
        if listing.health.status is Status.DOWN and not listing.tools:
            hint = IN_VAIN if listing.health.wrong else None
            return BackendUnavailable(f"server {name!r} is {listing.health}", hint=hint)
        tools = [tool.ref.name for tool in listing.tools]
        fallback = f"gateway_list_tools with server {name!r} names every tool"
        hint = did_you_mean(ref.name, tools) or fallback
        return ToolNotFound(f"no tool {shown(ref.name)} on server {name!r}", hint=hint)

    def tools(self, backend: str) -> Sequence[Tool]:
        return self.backend(backend).tools

    def search(self, query: str, limit: int, backend: str | None = None) -> Found:
        started = time.perf_counter()
        if backend is not None:
            backend = self.backend(backend).name
        snapshot = self.snapshot
        part = snapshot.sights.part(snapshot.index, self.beholder, self._sight)
        found = snapshot.index.search(query, limit, backend=backend, part=part)
        self._observe(Searched(found.total, time.perf_counter() - started))
        return found

    def name_of(self, backend: str) -> str:
        """The backend's own name, where `backend` is an alias of one that may be seen."""
        if backend in self.backends:
            return backend
        own = self.snapshot.aliases.get(backend)
        return own if own is not None and own in self.backends else backend

    async def call(
        self, ref: ToolRef, arguments: JsonObject, within: float | None = None
    ) -> Outcome:
        """Call a tool; `within` seconds may be less than its backend's limit, never more.

        Raises GatewayError or CancelledError.
        """
        self.calls += 1
        passage = Passage(self.identity, self.context)
        try:
            self.enter()
            tool = self._callable(passage, ref, arguments)
            ref = tool.ref
            passage.to(mcp.TOOLS_CALL, ref.backend, ref.name)
            handler = self.snapshot.routes[ref.backend]
            most = self._most(ref.backend)
            seconds = min(most, within or math.inf)
            hurried = seconds < most

            def work(deadline: float, context: Context) -> Awaitable[Outcome]:
                return handler(
                    Call(passage.id, tool, arguments, self.identity, deadline, context, hurried)
                )

            result = await self._within(seconds, str(ref), ref.backend, work, passage)
            passage.done(result)
        except BaseException as error:
            passage.failed(error)
            raise
        finally:
            self._observe(passage.call(ref, arguments))
        return result

    async def query(self, backend: str, method: str, params: JsonObject) -> Relayed:
        """Send any other MCP request to a backend: `params` in its own words, `_meta` included.

        Raises GatewayError or CancelledError.
        """
        passage, about = Passage(self.identity, self.context), subject(method, params)
        try:
            self.enter()
            backend = self._askable(passage, backend, about)
            passage.to(method, backend, about.name)
            handler = self.snapshot.queries[backend]
            name = backend

            def work(_deadline: float, context: Context) -> Awaitable[Relayed]:
                return handler(Query(passage.id, name, method, params, self.identity, context))

            most, what = self._most(backend), f"{method} of {backend}"
            result = await self._within(most, what, backend, work, passage)
            passage.done(result)
        except BaseException as error:
            passage.failed(error)
            raise
        finally:
            self._observe(passage.query(backend, method, about.name))
        return result

    async def meta(
        self,
        tool: str,
        arguments: JsonObject,
        work: Callable[["View"], Awaitable[Outcome]],
        agent: str | None = None,
    ) -> Outcome:
        """Carry out a meta-tool as that agent. What is told of it is the call it leads to or, where
        it leads to none, an event of its own.
        """
        passage, view = Passage(self._caller, self.context), self
        try:
            view = self._acting(agent)
            passage.acting(view.identity)
            view.enter()
            result = await work(view)
            passage.done(result)
        except BaseException as error:
            passage.failed(error)
            raise
        finally:
            event = passage.meta(tool, arguments)
            if not view.calls:
                self._observe(event)
        return result

    def enter(self) -> None:
        """What every request passes, once. Raises RateLimited, AuditUnavailable, InvalidAgent."""
        if self._entered:
            return
        self._entered = True
        self._counted()
        if self.rights.refusal is not None:
            raise self.rights.refusal

    def _counted(self) -> None:
        road = self.snapshot.road
        road.throttle(self.identity, self.rights.rate_limit)
        road.recorded()

    def _acting(self, agent: str | None) -> "View":
        """Who guesses names of agents is counted like anybody else."""
        try:
            return self.acting(agent)
        except InvalidAgent:
            self._counted()
            raise

    async def _within(
        self,
        seconds: float,
        what: str,
        backend: str,
        work: Callable[[float, Context], Awaitable[Answered]],
        passage: Passage,
    ) -> Answered:
        """Do `work` within `seconds`, as part of the caller's trace."""
        deadline = asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(deadline if seconds < math.inf else None) as timer:
                context = self._context(timer, backend, seconds)
                tracer = self.snapshot.road.tracer
                if tracer is not None:
                    context = context._replace(trace=passage.traced(tracer))
                return await work(deadline, context)
        except TimeoutError:
            if seconds >= self._most(backend):
                self._guard(backend).late()
            raise self._late(what, backend, seconds) from None

    def _guard(self, backend: str) -> Guard:
        return self.snapshot.guards.get(backend, UNGUARDED)

    def _context(self, timer: asyncio.Timeout, backend: str, seconds: float) -> Context:
        context = self.context
        most = self._guard(backend).most
        if most > seconds >= self._most(backend):
            return extending(context, timer, seconds, most)
        if context.client is NOBODY:
            return context
        return context._replace(client=Patient(context.client, timer))

    def _callable(self, passage: Passage, ref: ToolRef, arguments: JsonObject) -> Tool:
        """The tool; one of a backend that is only just connecting is known by its name alone."""
        name = self.name_of(ref.backend)
        if not self.rights.whole:
            decision = judge_call(self.identity, self.rights, name, ref.name, arguments)
            passage.rule = decision.rule
            if not decision.allowed:
                passage.denied = True
                raise self._missing(ref)
        listing = self.backends.get(name)
        if listing is not None and not listing.settled and not listing.sealed:
            return Tool(ToolRef(listing.name, ref.name), {"name": ref.name})
        return self.tool(ref)

    def _askable(self, passage: Passage, backend: str, about: Subject) -> str:
        """The backend's own name, where it may be asked that."""
        own = self.name_of(backend)
        if not self.rights.whole and own not in self.backends:
            decision = self.rights.backend(own)
            passage.rule, passage.denied = decision.rule, not decision.visible
        name = self.backend(backend).name
        if not self.rights.whole:
            passage.rule = judge_query(self.identity, self.rights, name, about)
        return name

    def _most(self, backend: str) -> float:
        """Seconds that a request to `backend` may take."""
        own = self.backends[backend].timeout
        return self.snapshot.request_timeout if own is None else own

    def _late(self, what: str, backend: str, seconds: float) -> DeadlineExceeded:
        text = f"{what} did not answer within {seconds * 1000:.0f} ms"
        longer = "allow more time, or ask for less"
        advice = longer if seconds < self._most(backend) else "ask for less"
        return DeadlineExceeded(text, hint=f"{advice}; {LOOK_FIRST}")


def _acting_unasked(snapshot: Snapshot, who: Identity) -> Identity:
    """As the agent as which `who` acts unasked; where there is none, its rights say why. As none
    where agents have no rules.
    """
    if not snapshot.policy.agents:
        return Identity(who.name, who.team, who.org, who.grant, None, who.operator)
    try:
        return snapshot.policy.acting(who, None)
    except InvalidAgent:
        return who
