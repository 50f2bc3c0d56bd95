"""An MCP server in memory that does exactly what a test says, behind a transport of its own."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from gateway.http.direct import Direct
from gateway.protocol.received import decode
from gateway.transports.base import Headers, Means, Outbound, Peer

MODERN = "2026-07-28"
LEGACY = "2025-11-25"
Message = dict[str, Any]


class Err(Exception):
    """Raise it in a script to answer with this JSON-RPC error."""

    def __init__(self, code: int, message: str = "no", data: Any = None, status: int = 200) -> None:
        super().__init__(message)
        self.status = status
        self.fields = {"code": code, "message": message} | ({"data": data} if data else {})


class Wire:
    """A `TransportKind` and its one transport. `script` answers requests with a result.

    `heard` holds every request, `headers` those of each; `told` are our notifications, `answers`
    what we answered questions with.
    """

    label = "memory"

    def __init__(
        self, script: Callable[["Wire", Message], Awaitable[Any]], *, apart: bool = False
    ) -> None:
        self.script = script
        self.apart = apart
        self.peer: Peer
        self.heard: list[Message] = []
        self.headers: list[dict[str, str]] = []
        self.told: asyncio.Queue[Message] = asyncio.Queue()
        self.answers: list[Message] = []
        self._answered: dict[Any, asyncio.Future[Message]] = {}
        self.connected = 0
        self.closed = 0
        self.followed: Headers | None = None

    async def connect(self, peer: Peer, means: Means) -> "Wire":
        self.peer = peer
        self.connected += 1
        return self

    async def request(self, out: Outbound) -> Any:
        message = json.loads(out.body)
        assert message["id"] == out.id
        assert b"\n" not in out.body
        self.heard.append(message)
        self.headers.append({name.lower(): value for name, value in out.headers})
        answer: Message = {"jsonrpc": "2.0", "id": out.id}
        status = 200
        try:
            answer["result"] = await self.script(self, message)
        except Err as error:
            answer["error"], status = error.fields, error.status
        [found] = decode(json.dumps(answer).encode())
        return msgspec.structs.replace(found, status=status)

    async def send(self, body: bytes, headers: Headers = ()) -> None:
        message = json.loads(body)
        if "method" in message:
            self.told.put_nowait(message)
        else:
            self.answers.append(message)
            self._answer(message["id"]).set_result(message)

    def follow(self, headers: Headers) -> None:
        self.followed = headers

    async def aclose(self) -> None:
        self.closed += 1

    def say(self, method: str, params: Any = None, *, on: int | None = None) -> None:
        """A notification, on the stream of request `on`."""
        self._receive({"method": method, "params": params or {}}, on)

    def ask(self, id: Any, method: str, params: Any = None, *, on: int | None = None) -> None:
        self._receive({"id": id, "method": method, "params": params or {}}, on)

    def _receive(self, message: Message, on: int | None) -> None:
        [found] = decode(json.dumps({"jsonrpc": "2.0", **message}).encode())
        self.peer.received(found, on)

    def methods(self) -> list[str]:
        return [message["method"] for message in self.heard]

    async def answered(self, id: Any) -> Message:
        """Our answer to the question `id`, which may then be used again."""
        answer = await self._answer(id)
        del self._answered[id]
        return answer

    def _answer(self, id: Any) -> "asyncio.Future[Message]":
        future = self._answered.get(id)
        if future is None:
            future = self._answered[id] = asyncio.get_running_loop().create_future()
        return future

    async def notified(self, method: str) -> Message:
        async with asyncio.timeout(5):
            while True:
                message = await self.told.get()
                if message.get("method") == method:
                    return message


class Events:
    """A `SessionEvents` that keeps what it hears."""

    def __init__(self) -> None:
        self.changes: list[str] = []
        self.sayings: list[tuple[str, Any]] = []
        self.losses: list[str] = []
        self.heard = asyncio.Event()

    def changed(self, method: str) -> None:
        self.changes.append(method)
        self.heard.set()

    def said(self, method: str, params: Any) -> None:
        self.sayings.append((method, dict(params)))
        self.heard.set()

    def lost(self, reason: str) -> None:
        self.losses.append(reason)
        self.heard.set()


class Front:
    """A `Client` that answers what it is asked from `answers`, by method."""

    def __init__(
        self,
        capabilities: Any = None,
        *,
        modern: bool = False,
        log_level: str | None = None,
        answers: Any = None,
    ) -> None:
        self.capabilities = capabilities or {}
        self.modern = modern
        self.log_level = log_level
        self.answers = answers or {}
        self.told: list[tuple[str, Any]] = []
        self.asked: list[tuple[str, Any]] = []

    def notify(self, method: str, params: Any) -> None:
        self.told.append((method, dict(params)))

    async def ask(self, method: str, params: Any) -> Any:
        self.asked.append((method, dict(params)))
        answer = self.answers[method]
        if isinstance(answer, BaseException):
            raise answer
        return await answer(params) if callable(answer) else answer


NOWHERE = Means("scripted", Direct(public_only=True))
DISCOVERED = {
    "resultType": "complete",
    "supportedVersions": [MODERN],
    "capabilities": {"tools": {}},
    "ttlMs": 0,
    "cacheScope": "private",
    "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "scripted", "version": "1"}},
}
INITIALIZED = {
    "protocolVersion": LEGACY,
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "scripted", "version": "1"},
    "instructions": "be kind",
}


def legacy(then: Any = None, **initialized: Any) -> Any:
    """A script: a legacy server that answers anything else as `then` does."""

    async def script(wire: Wire, message: Message) -> Any:
        if message["method"] == "initialize":
            return {**INITIALIZED, **initialized}
        if message["method"] == "server/discover" or then is None:
            raise Err(-32601, "method not found")
        return await then(wire, message)

    return script


def modern(then: Any = None, **discovered: Any) -> Any:
    """A script: a modern server that answers anything else as `then` does."""

    async def script(wire: Wire, message: Message) -> Any:
        if message["method"] == "server/discover":
            return {**DISCOVERED, **discovered}
        if message["method"] == "initialize" or then is None:
            raise Err(-32601, "method not found", status=404)
        return await then(wire, message)

    return script
