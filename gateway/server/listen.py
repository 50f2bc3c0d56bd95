"""Subscriptions of the modern era: acknowledged first, each message tagged, ended politely.

Source: 2026-07-28, basic/patterns/subscriptions and cancellation.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from gateway.domain.identity import Identity
from gateway.domain.naming import Owned
from gateway.domain.tool import JsonObject
from gateway.protocol import jsonrpc, mcp, wire
from gateway.protocol.eras import MODERN
from gateway.protocol.inbound import Rejection
from gateway.server.capabilities import has_tasks_extension
from gateway.server.hearing import MOST as MOST_URIS
from gateway.server.hearing import Hearing, Hub
from gateway.server.offered import has
from gateway.server.surface import Surface
from gateway.server.tasks import REQUIRED

MOST = 4096  # subscriptions in all
MOST_EACH = 1024  # of one caller (I23)
PATIENCE = 5.0  # seconds that servers have to take the subscriptions to what is theirs

OF_RESOURCES = "resourceSubscriptions"
OF_TASKS = "taskIds"
NAMES: Mapping[str, str] = MappingProxyType(
    {OF_RESOURCES: mcp.RESOURCE_UPDATED, OF_TASKS: mcp.TASK_TOLD}
)  # what names single things → the notification it is told by

Send = Callable[[bytes], None]  # takes one JSON-RPC message
Done = Callable[[], None]


def wanted(params: Mapping[str, Any], capabilities: JsonObject) -> JsonObject | Rejection:
    """What a request asks to be told of what we know. `capabilities` are the client's."""
    found = params.get("notifications")
    if type(found) is not dict:
        return _invalid("params.notifications must be an object")
    for flag in mcp.FLAGS:
        if type(found.get(flag, False)) is not bool:
            return _invalid(f"notifications.{flag} must be a boolean")
    for name in NAMES:
        if not _texts(found.get(name, [])):
            return _invalid(f"notifications.{name} must be a list of at most {MOST_URIS} texts")
    if found.get(OF_TASKS) and not has_tasks_extension(capabilities):
        reason = "the client does not declare the tasks extension"
        return Rejection(mcp.MISSING_CAPABILITY, reason, REQUIRED)
    known = {flag: True for flag in mcp.FLAGS if found.get(flag)}
    return known | {name: list(dict.fromkeys(found[name])) for name in NAMES if found.get(name)}


def _texts(value: object) -> bool:
    if not isinstance(value, list) or len(value) > MOST_URIS:
        return False
    return all(type(item) is str for item in value)


def _invalid(reason: str) -> Rejection:
    return Rejection(jsonrpc.INVALID_PARAMS, reason)


class Subscription:
    """One listen request that is being answered.

    `send` takes its messages in order; `done` is called after the last one.
    """

    def __init__(self, id: jsonrpc.Id, caller: Identity, send: Send, done: Done) -> None:
        self.id = id
        self.caller = caller
        self.hearing: Hearing | None = None
        self._send = send
        self._done = done
        self._early: list[bytes] | None = []  # heard before the acknowledgement

    def begin(self, honoured: JsonObject) -> None:
        early, self._early = self._early, None
        self._send(wire.acknowledged(self.id, honoured))
        for message in early or ():
            self._send(message)

    def tell(self, method: str, params: JsonObject) -> None:
        message = wire.told(method, params, self.id)
        if self._early is None:
            self._send(message)
        elif len(self._early) < MOST_URIS:
            self._early.append(message)

    def finish(self) -> None:
        """End it from our side: clients take the result as a graceful close."""
        self._send(jsonrpc.result(self.id, wire.listen_result(self.id)))
        self._done()


class Subscriptions:
    """All that are open, of every transport; counted for each caller."""

    def __init__(self, hub: Hub, most: int = MOST, most_each: int = MOST_EACH) -> None:
        self._hub = hub
        self._most = most
        self._most_each = most_each
        self._open: set[Subscription] = set()
        self._beginning: set[asyncio.Task[bool]] = set()
        self._callers: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._open)

    async def open(self, surface: Surface, wanted: JsonObject, subscription: Subscription) -> bool:
        """Acknowledge what the surface can honour of `wanted`, and begin; False when there are too
        many. Cancelled, it leaves nothing behind.
        """
        caller = subscription.caller
        if len(self._open) >= self._most or self._callers[caller.name] >= self._most_each:
            return False
        self._open.add(subscription)
        self._callers[caller.name] += 1
        hearing = subscription.hearing = self._hub.open(surface, caller, subscription.tell)
        try:
            honoured = await self._honour(hearing, wanted)
        except BaseException:
            self.close(subscription)
            raise
        if subscription in self._open:  # else it was ended while it began
            subscription.begin(honoured)
        return True

    async def _honour(self, hearing: Hearing, wanted: JsonObject) -> JsonObject:
        """Begin to hear; gives the part of `wanted` that will be told."""
        view = self._hub.views.view(hearing.caller)
        offered = hearing.surface.capabilities(view, MODERN)
        honoured: dict[str, Any] = {}
        for flag, changed in mcp.FLAGS.items():
            if flag in wanted and has(offered, (flag.removesuffix("ListChanged"), "listChanged")):
                honoured[flag] = True
                hearing.watch((changed,))
        if OF_RESOURCES in wanted and has(offered, ("resources", "subscribe")):
            honoured[OF_RESOURCES] = wanted[OF_RESOURCES]
        if OF_TASKS in wanted and has_tasks_extension(offered):
            honoured[OF_TASKS] = wanted[OF_TASKS]
        return honoured | await self._subscribe(hearing, honoured)

    async def _subscribe(self, hearing: Hearing, wanted: JsonObject) -> dict[str, Sequence[str]]:
        """Those to which the servers agreed, or about which they have not answered yet."""
        begun: dict[asyncio.Task[bool], tuple[str, str]] = {}
        for kind, shown, owned in self._owned(hearing, wanted):
            subscribing = hearing.subscribed(owned, shown, NAMES[kind])
            begun[asyncio.ensure_future(subscribing)] = (kind, shown)
        self._beginning.update(begun)
        for task in begun:
            task.add_done_callback(self._beginning.discard)
        done, _ = await asyncio.wait(begun, timeout=PATIENCE) if begun else ((), ())
        agreed = [of for task, of in begun.items() if task not in done or task.result()]
        return {
            kind: [name for its, name in agreed if its == kind] for kind in NAMES.keys() & wanted
        }

    def _owned(self, hearing: Hearing, wanted: JsonObject) -> Iterable[tuple[str, str, Owned]]:
        """What is to be subscribed to: its kind, its name here, and whose it is."""
        view, surface = self._hub.views.view(hearing.caller), hearing.surface
        for uri in wanted.get(OF_RESOURCES, ()):
            owners = surface.resource(view, uri)
            if len(owners) == 1:
                yield OF_RESOURCES, uri, owners[0]
        for id in wanted.get(OF_TASKS, ()):
            owner = surface.task(view, id)
            if owner is not None:
                yield OF_TASKS, id, owner

    def close(self, subscription: Subscription) -> None:
        """Forget it; saying anything is the caller's affair. Closing twice does nothing."""
        if subscription not in self._open:
            return
        self._open.discard(subscription)
        self._callers[subscription.caller.name] -= 1
        if not self._callers[subscription.caller.name]:
            del self._callers[subscription.caller.name]
        if subscription.hearing is not None:
            subscription.hearing.close()

    def finish_all(self) -> None:
        """End every one politely: the gateway stops."""
        self.finish_where(lambda _caller, _surface: True)

    def finish_where(self, gone: Callable[[Identity, Surface], bool]) -> None:
        """End those politely of whose caller and surface that is true."""
        for subscription in tuple(self._open):
            hearing = subscription.hearing
            if hearing is None or gone(subscription.caller, hearing.surface):
                self.close(subscription)
                subscription.finish()
