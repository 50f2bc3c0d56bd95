"""A capability file at work: its tools' calls carried out, and its answers kept.

What a call means (arguments, request, result) was compiled; whether it is sent at all, for whom its
answer is kept, and how the backend fares is decided here.
"""

import asyncio
import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from yarl import URL

from gateway.backends.base import Notify
from gateway.backends.cache import NOT_MODIFIED, Cache, Pairs, key_of
from gateway.backends.carrier import LARGE, Carrier, Chance, Errand
from gateway.backends.driving import Hands, Step, drive, in_time, teller, too_long
from gateway.backends.files import Files
from gateway.backends.looking import Looking
from gateway.backends.weight import weight
from gateway.capability.compiled import CompiledCapability, CompiledTool, Oversize, TryAgain
from gateway.capability.flow import Effect, Ended, Run, Send, Work
from gateway.credentials.means import Shared
from gateway.credentials.opening import opened
from gateway.credentials.redact import redacted
from gateway.domain.call import Call, Query, Relayed
from gateway.domain.client import NOTHING
from gateway.domain.listing import Listing
from gateway.domain.tool import JsonObject, ToolResult
from gateway.errors import BackendUnavailable, GatewayError, StateRejected
from gateway.http.addresses import names_private
from gateway.http.direct import Contexts, Direct
from gateway.http.message import HttpResponse
from gateway.http.outgoing import Outgoing

T = TypeVar("T")

SUCCESS = range(200, 300)
UNCHANGED = object()  # stands for an answer that is the kept one still


class RestBackend:
    """One version of one file. `outgoing`, `cache`, `credentials` and `files` are the process's.

    `allow_private`: it may reach addresses that are not public, whatever its `base_url` names.
    """

    def __init__(  # noqa: PLR0913  what the process has one of each
        self,
        compiled: CompiledCapability,
        outgoing: Outgoing,
        cache: Cache,
        *,
        allow_private: bool = False,
        chance: Chance | None = None,
        credentials: Shared | None = None,
        files: Files | None = None,
    ) -> None:
        private = allow_private or names_private(URL(compiled.origin).raw_host or "")
        self._chance = chance or Chance()
        self._looking = Looking(compiled)
        tls = self._looking.tls
        self._own = own = _own(tls.context) if tls is not None else None
        self._carrier = Carrier(own or outgoing, self._chance, private=private)
        self._cache = cache
        self._files = files or Files()
        self._compiled = compiled
        if compiled.auth is not None:
            shared, send = credentials or Shared(outgoing, {}), self._carrier.send_own
            name, origin = compiled.name, compiled.origin
            means = shared.for_rest(name, origin, send, private=private, http=own)
            self._carrier.credential = opened(compiled.auth, means)

    def __repr__(self) -> str:
        return f"<RestBackend {self._compiled.name!r}, {self.listing.health}>"

    @property
    def listing(self) -> Listing:
        return self._looking.listing

    async def start(self, on_change: Callable[[], None], notify: Notify) -> None:
        await self._looking.start(on_change)

    async def aclose(self) -> None:
        self._looking.stop()
        self._carrier.closed = True
        if self._carrier.credential is not None:
            await self._carrier.credential.aclose()
        if self._own is not None:
            await self._own.aclose()
        self._compiled.secrets.release()

    async def call(self, call: Call) -> ToolResult:
        """Raises GatewayError. Cancelled, it drops the request on the way at once."""
        try:
            return await self._done(call)
        except GatewayError as error:  # it may name what an API made of our key: a host, say
            redacted(error, self._compiled.redactor)
            raise

    async def _done(self, call: Call) -> ToolResult:
        check_stateless(call)
        tool = self._compiled.find(call.tool.ref.name)
        size = weight(call.arguments, LARGE)
        if size < LARGE:
            args = tool.prepare(call.arguments)
        else:
            args = await self._made(size, tool.prepare, call.arguments)
        try:
            result: ToolResult | Oversize = await self._called(tool, args, call, size)
        except BackendUnavailable:  # a secret has gone missing, perhaps
            self._looking.look()
            raise
        return self._files.keep(result, call) if isinstance(result, Oversize) else result

    async def _called(self, tool: CompiledTool, args: JsonObject, call: Call, size: int) -> Any:
        """`size` is that of the arguments."""
        if tool.run is not None:
            return await self._driven(tool.run, args, call, size)
        read = functools.partial(tool.read, args)
        request = tool.request(args) if size < LARGE else await self._made(size, tool.request, args)
        errand = Errand(
            request,
            tool.plan,
            read,
            call.deadline,
            self._inbound(call),
            trace=call.context.trace,
        )
        return await self._carried(errand, call)

    async def _made(self, size: int, make: Callable[[JsonObject], T], of: JsonObject) -> T:
        """`make(of)`, in a thread: `of` is large."""
        made: T = await self._carrier.work(size, functools.partial(make, of))
        return made

    async def _driven(
        self, run: Run, args: JsonObject, call: Call, size: int
    ) -> ToolResult | Oversize:
        tell = teller(call.context.client)
        inbound, deadline, trace = self._inbound(call), call.deadline, call.context.trace
        clock = asyncio.get_running_loop().time

        async def send(each: Send) -> Any:
            errand = Errand(
                each.request, each.plan, each.read, deadline, inbound, each.reader, tell, trace
            )
            return await in_time(self._carried(errand, call), deadline)

        async def wait(seconds: float) -> None:
            if seconds >= deadline - clock():
                raise too_long(seconds)
            await self._chance.sleep(seconds)

        async def work(each: Work) -> Any:
            return await self._carrier.work(each.size, each.do)

        async def advance(step: Step) -> Effect | Ended:
            found: Effect | Ended = await self._carrier.work(size, step)
            return found

        hands = Hands(send, wait, tell, work, advance)
        return await drive(run(args, lambda: deadline - clock()), hands)

    def _inbound(self, call: Call) -> Mapping[str, str]:
        """Of the caller's headers those that the credential reads."""
        names, given = self._compiled.inbound, call.context.headers
        return {name: given[name] for name in names if name in given} if names else NOTHING

    async def _carried(self, errand: Errand, call: Call) -> Any:
        if call.repeat is False:
            errand = errand._replace(again=False)
        if errand.plan.cache_ttl is not None:
            return await self._kept(errand, call)
        _, result = await self._carrier.carry(errand)
        return result

    async def query(self, query: Query) -> Relayed:
        """A file that a call has linked to. Raises Unsupported and RemoteError."""
        return await self._files.answer(query)

    async def _kept(self, errand: Errand, call: Call) -> Any:
        """By way of the cache. It keeps the API's answer: two calls may read it differently."""
        fetch = _Fetch(self._carrier, errand)
        whose = (call.caller.name, repr(errand.inbound) if errand.inbound else "")
        key = key_of((*whose, str(call.tool.ref), self._compiled.digest), errand.request)
        ttl = errand.plan.cache_ttl or 0.0
        response = await self._cache.get(key, ttl, fetch, revalidate=errand.plan.revalidate)
        if fetch.done:
            return fetch.result
        result = await self._carrier.read(response, errand.read)
        if isinstance(result, TryAgain):  # which only the call that brought the answer could do
            raise result.error
        return replace(result, asked=False) if isinstance(result, ToolResult) else result


def _own(context: Contexts) -> Outgoing:
    """Connections of one backend alone: nobody else shows its certificate."""
    return Outgoing(Direct(public_only=True, tls=context), Direct(public_only=False, tls=context))


def check_stateless(call: Call) -> None:
    """Raises StateRejected for a call that says that it goes on: none here ever stops half way."""
    if "requestState" in call.context.params:
        raise StateRejected(f"{call.tool.ref} never gave this requestState")


class _Fetch:
    """What the cache calls when it has nothing; `result` is what the call itself read out of it."""

    def __init__(self, carrier: Carrier, errand: Errand) -> None:
        self._carrier = carrier
        self._errand = errand
        self.done = False
        self.result: Any = None

    async def __call__(self, conditions: Pairs) -> tuple[HttpResponse, bool]:
        request = self._errand.request
        if conditions:
            request = replace(request, headers=(*request.headers, *conditions))
        # others may come to wait for this as well, so it has no one call's deadline
        read = functools.partial(self._read, conditions)
        errand = self._errand._replace(request=request, read=read, deadline=math.inf)
        response, result = await self._carrier.carry(errand)
        if result is UNCHANGED:
            return response, True
        self.done, self.result = True, result
        failed = isinstance(result, ToolResult) and result.is_error
        return response, response.status in SUCCESS and not failed

    def _read(self, conditions: Pairs, response: HttpResponse) -> Any | TryAgain:
        if conditions and response.status == NOT_MODIFIED:
            return UNCHANGED
        return self._errand.read(response)
