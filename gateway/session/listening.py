"""What a modern server tells without being asked each time: one subscriptions/listen, kept open.

The rule: a new stream is heard before the old one ends, and after a gap everything may have
changed. Source: 2026-07-28, basic/patterns "Subscriptions".
"""

import asyncio
import contextlib
import random
from collections.abc import Callable

from gateway.domain.client import NOBODY
from gateway.domain.tool import JsonObject
from gateway.errors import GatewayError, Unsupported
from gateway.protocol import mcp
from gateway.protocol.answers import ErrorAnswered, raw
from gateway.protocol.jsonrpc import METHOD_NOT_FOUND
from gateway.protocol.outbound import next_id
from gateway.session.line import Line
from gateway.transports.base import Outbound

ACKNOWLEDGED_IN = 10.0  # seconds; some servers never say so
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds
FLAGS = {
    "tools": ("toolsListChanged", mcp.TOOLS_CHANGED),
    "prompts": ("promptsListChanged", mcp.PROMPTS_CHANGED),
    "resources": ("resourcesListChanged", mcp.RESOURCES_CHANGED),
}  # by the capability whose `listChanged` allows it


class Listening:
    """`changed` is told what may have changed in a gap; `rng` spreads the attempts after one."""

    def __init__(
        self,
        line: Line,
        changed: Callable[[str], None],
        rng: Callable[[], float] = random.random,
    ) -> None:
        self._line = line
        self._changed = changed
        self._rng = rng
        self._uris: frozenset[str] = frozenset()
        self._stream: _Stream | None = None
        self._coming: _Stream | None = None
        self._again: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    @property
    def _lists(self) -> list[tuple[str, str]]:
        """Flag and notification of each list of which the server tells."""
        has = self._line.introduction.has
        return [FLAGS[kind] for kind in FLAGS if has(kind, "listChanged")]

    def start(self) -> None:
        """Hear of lists, as soon as the server lets us."""
        self._keep(0.0)

    async def watch(self, uris: frozenset[str]) -> None:
        """Hear of these resources, and of lists as always. Raises GatewayError."""
        if uris and not self._line.introduction.has("resources", "subscribe"):
            raise Unsupported("the server tells nobody when its resources change")
        async with self._lock:
            before, self._uris = self._uris, uris
            if uris == before and self._stream is not None:
                return
            try:
                await self._renew()
            except BaseException:
                self._uris = before
                raise

    def acknowledged(self, listen: int | None) -> None:
        for stream in (self._coming, self._stream):
            if stream is not None and (listen is None or listen == stream.id):
                stream.heard.set()

    def close(self) -> None:
        for stream in (self._coming, self._stream):
            if stream is not None:
                stream.task.cancel()
        if self._again is not None:
            self._again.cancel()

    async def _renew(self) -> None:
        """A stream for what is wanted now, and then the end of the old one."""
        old, wanted = self._stream, self._wanted()
        fresh = self._coming = self._begin(wanted) if wanted else None
        try:
            if fresh is not None:
                await fresh.settled()
        except BaseException:
            if fresh is not None:
                fresh.task.cancel()
            raise
        finally:
            self._coming = None
        self._stream = fresh
        if old is not None:
            old.task.cancel()
        if fresh is not None and fresh.ended:
            self._lost(fresh)

    def _wanted(self) -> JsonObject:
        wanted: dict[str, object] = {flag: True for flag, _ in self._lists}
        if self._uris:
            wanted["resourceSubscriptions"] = sorted(self._uris)
        return wanted

    def _begin(self, wanted: JsonObject) -> "_Stream":
        dialect = self._line.dialect
        draft = dialect.query(mcp.LISTEN, {"notifications": wanted})
        id = next_id()
        out = Outbound(id, mcp.LISTEN, dialect.body(id, draft, NOBODY), draft.headers)
        stream = _Stream(id)
        stream.task = asyncio.create_task(self._hear(stream, out))
        return stream

    async def _hear(self, stream: "_Stream", out: Outbound) -> None:
        try:
            raw(await self._line.exchange(out))
        except GatewayError as error:
            stream.failure = error
        stream.ended = True
        stream.heard.set()
        if stream is self._stream:
            self._lost(stream)

    def _lost(self, stream: "_Stream") -> None:
        self._stream = None
        if not _unknown(stream.failure):
            self._keep(FIRST_PAUSE)

    def _keep(self, pause: float) -> None:
        if self._again is None or self._again.done():
            self._again = asyncio.create_task(self._hear_again(pause))

    async def _hear_again(self, pause: float) -> None:
        """Later and later while nothing comes of it."""
        gap = pause > 0
        while self._stream is None and self._wanted():
            await asyncio.sleep(pause * self._rng())
            pause = min(max(2 * pause, FIRST_PAUSE), LONGEST_PAUSE)
            try:
                async with self._lock:
                    if self._stream is None:
                        await self._renew()
            except GatewayError as error:
                if _unknown(error):
                    return
        if gap:
            for _, notification in self._lists:
                self._changed(notification)


def _unknown(failure: GatewayError | None) -> bool:
    """Whether the server has no such thing."""
    return isinstance(failure, ErrorAnswered) and failure.number == METHOD_NOT_FOUND


class _Stream:
    """One listen request. `heard`: it was acknowledged, or has ended."""

    def __init__(self, id: int) -> None:
        self.id = id
        self.heard = asyncio.Event()
        self.ended = False
        self.failure: GatewayError | None = None
        self.task: asyncio.Task[None]

    async def settled(self) -> None:
        """Raises what the stream ended with, if it ended before it began."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ACKNOWLEDGED_IN):
                await self.heard.wait()
        if self.failure is not None:
            raise self.failure
