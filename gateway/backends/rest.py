"""A capability file at work: its tools' calls carried out, and its answers kept.

What a call means (arguments, request, result) was compiled; whether it is sent at all, for whom its
answer is kept, and how the backend fares is decided here.
"""

import asyncio
import functools
import math
from collections.abc import Callable
from dataclasses import replace

from yarl import URL

from gateway.backends.base import Notify
from gateway.backends.cache import NOT_MODIFIED, Cache, Pairs, key_of
from gateway.backends.carrier import Carrier, Chance
from gateway.capability.compiled import CompiledCapability, CompiledTool, TryAgain
from gateway.domain.call import Call, Query, Relayed
from gateway.domain.listing import Listing, Status
from gateway.domain.tool import JsonObject, ToolResult
from gateway.errors import BackendUnavailable, StateRejected, Unsupported
from gateway.http.addresses import names_private
from gateway.http.message import HttpRequest, HttpResponse
from gateway.http.outgoing import Outgoing

SUCCESS = range(200, 300)
LOOK_AGAIN = 2.0  # seconds between two looks for a missing secret
UNCHANGED = ToolResult(())  # stands for an answer that is the kept one still


class RestBackend:
    """One version of one file. `outgoing` and `cache` are the process's own and outlive it.

    `allow_private`: it may reach addresses that are not public, whatever its `base_url` names.
    """

    def __init__(
        self,
        compiled: CompiledCapability,
        outgoing: Outgoing,
        cache: Cache,
        *,
        allow_private: bool = False,
        chance: Chance | None = None,
    ) -> None:
        private = allow_private or names_private(URL(compiled.origin).raw_host or "")
        self._carrier = Carrier(outgoing, chance or Chance(), private=private)
        self._cache = cache
        self._compiled = compiled
        self._listing = compiled.listing("rest", compiled.health())
        self._on_change: Callable[[], None] | None = None
        self._next_look: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<RestBackend {self._compiled.name!r}, {self._listing.health}>"

    @property
    def listing(self) -> Listing:
        return self._listing

    async def start(self, on_change: Callable[[], None], notify: Notify) -> None:
        self._on_change = on_change
        self._look()

    async def aclose(self) -> None:
        self._on_change = None
        if self._next_look is not None:
            self._next_look.cancel()
        self._compiled.secrets.release()

    async def call(self, call: Call) -> ToolResult:
        """Raises GatewayError. Cancelled, it drops the request on the way at once."""
        check_stateless(call)
        tool = self._compiled.find(call.tool.ref.name)
        args = tool.prepare(call.arguments)
        try:
            request = tool.request(args)
        except BackendUnavailable:  # a secret has gone missing
            self._look()
            raise
        if tool.plan.cache_ttl is not None:
            return await self._kept(tool, args, request, call.caller.name)
        read = functools.partial(tool.read, args)
        _, result = await self._carrier.carry(request, tool.plan, read, call.deadline)
        return result

    async def query(self, query: Query) -> Relayed:
        """Raises Unsupported: a capability file brings tools only."""
        raise tools_only(query)

    async def _kept(
        self, tool: CompiledTool, args: JsonObject, request: HttpRequest, caller: str
    ) -> ToolResult:
        """By way of the cache. It keeps the API's answer: two calls may read it differently."""
        fetch = _Fetch(self._carrier, tool, args, request)
        key = key_of((caller, str(tool.tool.ref), self._compiled.digest), request)
        ttl = tool.plan.cache_ttl or 0.0
        response = await self._cache.get(key, ttl, fetch, revalidate=tool.plan.revalidate)
        if fetch.result is not None:
            return fetch.result
        result = await self._carrier.read(response, functools.partial(tool.read, args))
        if isinstance(result, TryAgain):  # which only the call that brought the answer could do
            raise result.error
        return result

    def _look(self) -> None:
        """See whether secrets came or went; while one is missing, look again later."""
        health = self._compiled.health()
        if health != self._listing.health:
            self._listing = replace(self._listing, health=health)
            if self._on_change is not None:
                self._on_change()
        if self._next_look is not None:
            self._next_look.cancel()
            self._next_look = None
        if health.status is not Status.OK and self._on_change is not None:
            loop = asyncio.get_running_loop()
            self._next_look = loop.call_later(LOOK_AGAIN, self._look)


def check_stateless(call: Call) -> None:
    """Raises StateRejected for a call that says that it goes on: none here ever stops half way."""
    if "requestState" in call.context.params:
        raise StateRejected(f"{call.tool.ref} never gave this requestState")


def tools_only(query: Query) -> Unsupported:
    return Unsupported(f"server {query.backend!r} has tools only, and nothing for {query.method}")


class _Fetch:
    """What the cache calls when it has nothing; `result` is what the call itself read out of it."""

    def __init__(
        self, carrier: Carrier, tool: CompiledTool, args: JsonObject, request: HttpRequest
    ) -> None:
        self._carrier = carrier
        self._tool = tool
        self._args = args
        self._request = request
        self.result: ToolResult | None = None

    async def __call__(self, conditions: Pairs) -> tuple[HttpResponse, bool]:
        request = self._request
        if conditions:
            request = replace(request, headers=(*request.headers, *conditions))
        # others may come to wait for this as well, so it has no one call's deadline
        response, result = await self._carrier.carry(
            request, self._tool.plan, functools.partial(self._read, conditions), math.inf
        )
        if result is UNCHANGED:
            return response, True
        self.result = result
        return response, response.status in SUCCESS and not result.is_error

    def _read(self, conditions: Pairs, response: HttpResponse) -> ToolResult | TryAgain:
        if conditions and response.status == NOT_MODIFIED:
            return UNCHANGED
        return self._tool.read(self._args, response)
