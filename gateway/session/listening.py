"""What a modern server tells without being asked each time: a subscriptions/listen, kept open.

The rule: a new stream is heard before the old one ends, and after a gap everything may have
changed. Source: 2026-07-28, basic/patterns "Subscriptions".
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Mapping

from gateway.domain.tool import JsonObject
from gateway.errors import GatewayError, Unsupported
from gateway.protocol import mcp
from gateway.protocol.answers import ErrorAnswered, raw
from gateway.protocol.jsonrpc import METHOD_NOT_FOUND
from gateway.protocol.outbound import next_id
from gateway.session.line import Line
from gateway.session.topics import Topics
from gateway.transports.base import Outbound

ACKNOWLEDGED_IN = 10.0  # seconds; some servers never say so
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds

Refused = Mapping[str, GatewayError]  # by its name, why the server will not tell of it
NONE: Refused = {}


class Listening:
    """`rng` spreads the attempts after a gap."""

    def __init__(
        self, line: Line, topics: Topics, rng: Callable[[], float] = random.random
    ) -> None:
        self._line = line
        self._topics = topics
        self._rng = rng
        self._names: frozenset[str] = frozenset()
        self._stream: _Stream | None = None
        self._coming: _Stream | None = None
        self._again: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    def start(self) -> None:
        """Hear of what is always told, as soon as the server lets us."""
        self._keep(0.0)

    async def watch(self, names: frozenset[str]) -> Refused:
        """Hear of what has these names, and of no other. Raises GatewayError."""
        if names:
            self._topics.allow()
        async with self._lock:
            before, self._names = self._names, names
            if names != before or self._stream is None:
                try:
                    await self._renew()
                except BaseException:
                    self._names = before
                    raise
        return self._refused(names)

    def missed(self) -> None:
        """Another session was told of the same before."""
        self._topics.missed(self._names)

    def acknowledged(self, listen: int | None, honoured: JsonObject | None) -> None:
        for stream in (self._coming, self._stream):
            if stream is not None and (listen is None or listen == stream.id):
                stream.honoured = honoured
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
        if not self._names:
            return self._topics.always
        return {**self._topics.always, self._topics.member: sorted(self._names)}

    def _refused(self, names: frozenset[str]) -> Refused:
        """Those that the acknowledgement leaves out; a server that sends none tells of all."""
        if self._stream is None or self._stream.honoured is None:
            return NONE
        told = self._stream.honoured.get(self._topics.member)
        kept = map(str, told) if isinstance(told, list) else ()
        return dict.fromkeys(names.difference(kept), Unsupported("the server does not tell of it"))

    def _begin(self, wanted: JsonObject) -> "_Stream":
        dialect = self._line.dialect
        draft = dialect.query(mcp.LISTEN, {"notifications": wanted})
        id = next_id()
        out = Outbound(id, mcp.LISTEN, dialect.body(id, draft, self._topics.client), draft.headers)
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
                gap = True
        if gap:
            self.missed()


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
        self.honoured: JsonObject | None = None  # as far as it was told
        self.task: asyncio.Task[None]

    async def settled(self) -> None:
        """Raises what the stream ended with, if it ended before it began."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ACKNOWLEDGED_IN):
                await self.heard.wait()
        if self.failure is not None:
            raise self.failure
