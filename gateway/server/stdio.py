"""The endpoint over one pair of pipes: newline-delimited JSON-RPC, both eras, one peer.

A message with the modern envelope is served by itself; `initialize` settles the legacy revision for
the rest of the process. Source: 2026-07-28 basic/transports/stdio; 2025-11-25 basic/transports.
"""

import asyncio
from collections.abc import AsyncIterable, Callable, Coroutine, Mapping
from typing import Any

from gateway.domain.identity import LOCAL
from gateway.domain.tool import JsonObject
from gateway.errors import Busy
from gateway.protocol import eras, jsonrpc, mcp, wire
from gateway.protocol.eras import Revision
from gateway.protocol.inbound import REQUIRED_META, Rejection, Route, climb, is_modern
from gateway.server.asked import Asked
from gateway.server.batch import answer_batch
from gateway.server.calls import Calls
from gateway.server.clients import LegacyClient, ModernClient
from gateway.server.dialogue import Dialogue, capabilities_of
from gateway.server.endpoint import Endpoint
from gateway.server.hearing import Hub
from gateway.server.listen import Subscription, Subscriptions, wanted
from gateway.server.pipes import Line, TooLong
from gateway.server.surface import Surface

MOST_AT_ONCE = 256  # calls and batches in flight

UNOPENED = Rejection(
    jsonrpc.INVALID_PARAMS,
    f"send initialize first, or params._meta with {' and '.join(REQUIRED_META)}",
)
TAKEN = Rejection(jsonrpc.INVALID_REQUEST, "a subscription of this id is open")
BUSY = Rejection(
    jsonrpc.INTERNAL_ERROR,
    "too much is open or in flight already; wait for some of it to end",
    {"code": Busy.code, "retryable": Busy.retryable},
)


class Stdio:
    """`send` takes each message that goes out, on one line; `offer` one that may be left out."""

    def __init__(
        self,
        endpoint: Endpoint,
        surface: Surface,
        hub: Hub,
        subscriptions: Subscriptions,
        send: Callable[[bytes], None],
        offer: Callable[[bytes], None],
    ) -> None:
        self._endpoint = endpoint
        self._surface = surface
        self._subscriptions = subscriptions
        self._write = send
        self._offer = offer
        self._dialogue = Dialogue()
        self._revision: Revision | None = None  # what `initialize` settled
        self._hearing = hub.open(surface, LOCAL, self._tell, lambda: self._dialogue.level)
        self._calls = Calls()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: dict[jsonrpc.Id, Subscription] = {}

    async def serve(self, lines: AsyncIterable[Line], grace: float) -> None:
        """Answer until the input ends, then give calls in flight `grace` seconds."""
        async for line in lines:
            await self._line(line)
        self._dialogue.end()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace)
            for task in late:
                task.cancel()
        self._endpoint.close()
        self._subscriptions.finish_all()
        self._hearing.close()

    def send(self, message: bytes) -> None:
        self._write(jsonrpc.one_line(message))

    def say(self, message: bytes) -> None:
        """Send what may be left out when nobody reads."""
        self._offer(jsonrpc.one_line(message))

    async def _line(self, line: Line) -> None:
        if isinstance(line, TooLong):
            self.send(jsonrpc.error(None, jsonrpc.INVALID_REQUEST, "the message is too long"))
        elif line.strip():
            message, size = jsonrpc.decode(line), len(line)
            if isinstance(message, jsonrpc.Batch):
                self._start_batch(message, size)
            elif isinstance(message, jsonrpc.Request) and self._endpoint.waits(message.method):
                self._start_call(message, size)
            elif (body := await self._one(message, size)) is not None:
                self.send(body)

    def _start_call(self, request: jsonrpc.Request, size: int) -> None:
        """What asks a backend takes time: it gets a task of its own."""
        if len(self._tasks) >= MOST_AT_ONCE:
            era = "modern" if is_modern(request, {}) else "legacy"
            self.send(self._endpoint.refuse(request, era, BUSY).body)
        else:
            self._start(self._single(request, size))

    def _start_batch(self, batch: jsonrpc.Batch, size: int) -> None:
        if len(self._tasks) >= MOST_AT_ONCE:
            self.send(jsonrpc.error(None, BUSY.code, BUSY.message, BUSY.data))
        else:
            self._start(self._batch(batch, size))

    def _start(self, sending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(sending)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _single(self, request: jsonrpc.Request, size: int) -> None:
        body = await self._one(request, size)
        if body is not None:
            self.send(body)

    async def _batch(self, batch: jsonrpc.Batch, size: int) -> None:
        """Each message counts as the average of its line."""
        revision, each = self._revision or eras.MODERN, size // max(len(batch.items), 1)
        answered = await answer_batch(revision, batch, lambda one: self._one(one, each))
        if isinstance(answered, Rejection):
            answered = jsonrpc.error(None, answered.code, answered.message)
        if answered is not None:
            self.send(answered)

    async def _one(self, message: jsonrpc.Message, size: int) -> bytes | None:
        """The response to one message of `size` bytes; None where none is due, or not yet."""
        if isinstance(message, jsonrpc.Request):
            modern = is_modern(message, {})
            return await (self._modern(message, size) if modern else self._legacy(message, size))
        if isinstance(message, jsonrpc.Problem):
            return self._endpoint.malformed(message, "legacy" if self._revision else "modern")
        if isinstance(message, jsonrpc.Notification):
            self._notified(message)
        else:
            self._dialogue.answered(message)
        return None

    async def _modern(self, request: jsonrpc.Request, size: int) -> bytes | None:
        route = climb(request, None)
        if isinstance(route, Rejection):
            return self._endpoint.refuse(request, "modern", route).body
        if request.method == mcp.LISTEN:
            return await self._listen(request, route)
        client = ModernClient(route.capabilities, request.params, self)
        asked = Asked(self._surface, request, route.revision, LOCAL, client=client, size=size)
        return await self._calls.run(request.id, self._endpoint.answer(asked))

    async def _legacy(self, request: jsonrpc.Request, size: int) -> bytes | None:
        if request.method == mcp.INITIALIZE:
            self._initialized(request.params)
        elif self._revision is None and request.method != mcp.PING:
            return self._endpoint.refuse(request, "legacy", UNOPENED).body
        revision, dialogue = self._revision or eras.LATEST_LEGACY, self._dialogue
        client = LegacyClient(dialogue, request.params, self)
        asked = Asked(
            self._surface,
            request,
            revision,
            LOCAL,
            client=client,
            dialogue=dialogue,
            hearing=self._hearing,
            size=size,
        )
        return await self._calls.run(request.id, self._endpoint.answer(asked))

    def _initialized(self, params: Mapping[str, Any]) -> None:
        self._revision = eras.negotiate(params.get("protocolVersion"))
        self._dialogue.end()
        self._dialogue = Dialogue(capabilities_of(params))
        self._dialogue.expect = self._hearing.expect

    async def _listen(self, request: jsonrpc.Request, route: Route) -> bytes | None:
        """Begin a subscription; its response comes when it ends."""
        asked_for = wanted(request.params, route.capabilities)
        if isinstance(asked_for, Rejection):
            return self._endpoint.refuse(request, "modern", asked_for).body
        id = request.id
        if id in self._listening:
            return self._endpoint.refuse(request, "modern", TAKEN).body
        subscription = Subscription(
            id, LOCAL, self.send, lambda: self.send(wire.listen_cancelled(id))
        )
        self._listening[id] = subscription
        if not await self._subscriptions.open(self._surface, asked_for, subscription):
            del self._listening[id]
            return self._endpoint.refuse(request, "modern", BUSY).body
        self._endpoint.begun(request, "modern")
        return None

    def _notified(self, notification: jsonrpc.Notification) -> None:
        if notification.method == mcp.CANCELLED:
            id = jsonrpc.as_id(notification.params.get("requestId"))
            if id in self._listening:
                self._subscriptions.close(self._listening.pop(id))
            self._calls.cancel(id)
        elif notification.method == mcp.INITIALIZED:
            self._hearing.watch(mcp.FLAGS.values())

    def _tell(self, method: str, params: JsonObject) -> None:
        """What a server says unasked is for the legacy peer; a modern one listens."""
        if self._revision is not None:
            (self.say if method == mcp.MESSAGE else self.send)(wire.told(method, params))
