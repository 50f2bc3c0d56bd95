"""Subscriptions of the modern era: acknowledged first, each message tagged, ended politely.

Source: 2026-07-28, basic/patterns/subscriptions and cancellation.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from gateway.domain.identity import Identity
from gateway.domain.tool import JsonObject
from gateway.protocol import jsonrpc, wire
from gateway.protocol.inbound import Rejection
from gateway.server.changes import Changes
from gateway.server.surface import Surface

MOST = 4096  # subscriptions in all
MOST_EACH = 1024  # of one caller (I23)

FLAGS = ("toolsListChanged", "promptsListChanged", "resourcesListChanged")

Send = Callable[[bytes], None]  # takes one JSON-RPC message
Done = Callable[[], None]


def honoured(params: dict[str, Any]) -> JsonObject | Rejection:
    """The part of the wanted notifications that we ever send: that the tools changed."""
    wanted = params.get("notifications")
    if type(wanted) is not dict:
        return Rejection(jsonrpc.INVALID_PARAMS, "params.notifications must be an object")
    for flag in FLAGS:
        if type(wanted.get(flag, False)) is not bool:
            return Rejection(jsonrpc.INVALID_PARAMS, f"notifications.{flag} must be a boolean")
    if type(wanted.get("resourceSubscriptions", [])) is not list:
        return Rejection(jsonrpc.INVALID_PARAMS, "resourceSubscriptions must be a list of URIs")
    return {"toolsListChanged": True} if wanted.get("toolsListChanged") else {}


class Subscription:
    """One listen request that is being answered.

    `send` takes its messages in order; `done` is called after the last one.
    """

    def __init__(self, id: jsonrpc.Id, caller: Identity, send: Send, done: Done) -> None:
        self.id = id
        self.caller = caller
        self.unwatch: Callable[[], None] | None = None
        self._send = send
        self._done = done

    def begin(self, honoured: JsonObject) -> None:
        self._send(wire.acknowledged(self.id, honoured))

    def tools_changed(self) -> None:
        self._send(wire.tools_changed(self.id))

    def finish(self) -> None:
        """End it from our side: clients take the result as a graceful close."""
        self._send(jsonrpc.result(self.id, wire.listen_result(self.id)))
        self._done()


class Subscriptions:
    """All that are open, of every transport; counted for each caller."""

    def __init__(self, changes: Changes, most: int = MOST, most_each: int = MOST_EACH) -> None:
        self._changes = changes
        self._most = most
        self._most_each = most_each
        self._open: set[Subscription] = set()
        self._callers: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._open)

    def open(self, surface: Surface, wanted: JsonObject, subscription: Subscription) -> bool:
        """Acknowledge and begin; False when there are too many. `wanted` is what we honour."""
        caller = subscription.caller
        if len(self._open) >= self._most or self._callers[caller.name] >= self._most_each:
            return False
        self._open.add(subscription)
        self._callers[caller.name] += 1
        subscription.begin(wanted)
        if "toolsListChanged" in wanted:
            subscription.unwatch = self._changes.watch(surface, caller, subscription.tools_changed)
        return True

    def close(self, subscription: Subscription) -> None:
        """Forget it; saying anything is the caller's affair. Closing twice does nothing."""
        if subscription not in self._open:
            return
        self._open.discard(subscription)
        self._callers[subscription.caller.name] -= 1
        if not self._callers[subscription.caller.name]:
            del self._callers[subscription.caller.name]
        if subscription.unwatch is not None:
            subscription.unwatch()

    def finish_all(self) -> None:
        """End every one politely: the gateway stops."""
        for subscription in tuple(self._open):
            self.close(subscription)
            subscription.finish()
