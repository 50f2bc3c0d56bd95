"""Subscriptions of the modern era: acknowledged first, each message tagged, ended politely.

Source: 2026-07-28, basic/patterns/subscriptions and cancellation.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gateway.domain.identity import Identity
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
PATIENCE = 5.0  # seconds that servers have to take the subscriptions to their resources

OF_RESOURCES = "resourceSubscriptions"
OF_TASKS = "taskIds"

Send = Callable[[bytes], None]  # takes one JSON-RPC message
Done = Callable[[], None]


def wanted(params: Mapping[str, Any], capabilities: JsonObject) -> JsonObject | Rejection:
    """The notifications that a request asks for, of those we know. `capabilities` are the client's.

    How tasks fare is nowhere told unasked: who wants to know polls.
    """
    found = params.get("notifications")
    if type(found) is not dict:
        return _invalid("params.notifications must be an object")
    for flag in mcp.FLAGS:
        if type(found.get(flag, False)) is not bool:
            return _invalid(f"notifications.{flag} must be a boolean")
    for name in (OF_RESOURCES, OF_TASKS):
        if not _texts(found.get(name, [])):
            return _invalid(f"notifications.{name} must be a list of at most {MOST_URIS} texts")
    if found.get(OF_TASKS) and not has_tasks_extension(capabilities):
        reason = "the client does not declare the tasks extension"
        return Rejection(mcp.MISSING_CAPABILITY, reason, REQUIRED)
    known = {name: found[name] for name in (*mcp.FLAGS, OF_RESOURCES) if found.get(name)}
    if OF_RESOURCES in known:
        known[OF_RESOURCES] = list(dict.fromkeys(known[OF_RESOURCES]))
    return known


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
            honoured[OF_RESOURCES] = await self._subscribe(hearing, wanted[OF_RESOURCES])
        return honoured

    async def _subscribe(self, hearing: Hearing, uris: Sequence[str]) -> Sequence[str]:
        """Those to which the servers agreed, or about which they have not answered yet."""
        view = self._hub.views.view(hearing.caller)
        begun: dict[asyncio.Task[bool], str] = {}
        for uri in uris:
            owners = hearing.surface.resource(view, uri)
            if len(owners) == 1:
                begun[asyncio.ensure_future(hearing.subscribed(owners[0], uri))] = uri
        if not begun:
            return []
        self._beginning.update(begun)
        for task in begun:
            task.add_done_callback(self._beginning.discard)
        done, _ = await asyncio.wait(begun, timeout=PATIENCE)
        return [uri for task, uri in begun.items() if task not in done or task.result()]

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
        for subscription in tuple(self._open):
            self.close(subscription)
            subscription.finish()
