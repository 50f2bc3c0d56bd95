"""Idle connections by origin, the cap on how many there may be, and who waits for one."""

import asyncio
import collections
import contextlib
import functools
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.http.connection import Answer, Connection, Sink, Takes, WireError

IDLE_SECONDS = 4.0  # Node and uvicorn close after five: few requests shall meet a close
PER_ORIGIN = 100
PROBE = (  # a stream may say nothing for hours: without this, a peer that vanished is never missed
    ("TCP_KEEPIDLE", 30),
    ("TCP_KEEPINTVL", 10),
    ("TCP_KEEPCNT", 3),
)


class Origin(NamedTuple):
    """What makes requests share connections."""

    tls: bool
    host: str
    port: int


@dataclass(slots=True, eq=False)
class Stage:
    """How far a request got, for whoever must say so. `sent`: it may have reached the peer.

    `sink` hears an event stream, or what `takes` says (see `Connection.exchange`). A `lasting`
    exchange is one that may take hours: it has a connection beside the origin's cap. `connection`
    is the one it is on.
    """

    dialling: bool = False
    sent: bool = False
    sink: Sink | None = None
    takes: Takes | None = None
    lasting: bool = False
    connection: Connection | None = None


Factory = Callable[[], Connection]
Dial = Callable[[Origin, Factory], Awaitable[Connection]]  # resolves, checks and connects


@dataclass(slots=True)
class _Place:
    idle: list[Connection] = field(default_factory=list)
    waiting: collections.deque[asyncio.Future[None]] = field(default_factory=collections.deque)
    draining: int = 0
    taken: int = 0


class Pool:
    """`exchange` borrows a connection for one request; the newest idle one first."""

    def __init__(
        self,
        dial: Dial,
        *,
        per_origin: int = PER_ORIGIN,
        idle_seconds: float = IDLE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dial = dial
        self._per_origin = per_origin
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._places: dict[Origin, _Place] = {}
        self._all: set[Connection] = set()
        self._sweep: asyncio.TimerHandle | None = None

    async def exchange(
        self,
        origin: Origin,
        data: bytes,
        *,
        head_only: bool,
        cap: int,
        repeatable: bool,
        stage: Stage,
    ) -> Answer:
        """One request, one answer. `repeatable`: the method is idempotent (RFC 9110 section 9.2.2).

        An idle connection may turn out to have been closed by the peer just now. A request that
        got no byte of answer on one goes out once more on a new one, if it is repeatable
        (RFC 9112 section 9.3.1).
        """
        place = self._places.setdefault(origin, _Place())
        if stage.lasting:
            connection = await self._new(origin, stage)
            return await self._on(
                place, connection, data, head_only=head_only, cap=cap, stage=stage
            )
        await self._enter(place)
        try:
            idle = self._idle(place)
            if idle is not None:
                stage.sent = True
                try:
                    return await self._on(
                        place, idle, data, head_only=head_only, cap=cap, stage=stage
                    )
                except WireError as error:
                    if error.answered or (error.sent and not repeatable):
                        raise
                    stage.sent = error.sent
            connection = await self._new(origin, stage)
            return await self._on(
                place, connection, data, head_only=head_only, cap=cap, stage=stage
            )
        finally:
            self._leave(place)

    async def _new(self, origin: Origin, stage: Stage) -> Connection:
        stage.dialling = True
        connection = await self._dial(origin, self._made)
        stage.sent = True
        return connection

    async def aclose(self) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        for connection in tuple(self._all):
            connection.close()

    def __repr__(self) -> str:
        taken = sum(place.taken for place in self._places.values())
        idle = sum(len(place.idle) for place in self._places.values())
        return f"<Pool {len(self._all)} connections, {taken} in use, {idle} idle>"

    async def _on(
        self,
        place: _Place,
        connection: Connection,
        data: bytes,
        *,
        head_only: bool,
        cap: int,
        stage: Stage,
    ) -> Answer:
        stage.connection = connection
        answer = await connection.exchange(
            data, head_only=head_only, cap=cap, sink=stage.sink, takes=stage.takes
        )
        if connection.reusable:
            self._rest(place, connection)
        elif connection.draining:
            self._await_rest(place, connection)
        return answer

    def _rest(self, place: _Place, connection: Connection) -> None:
        connection.idle_since = self._clock()
        place.idle.append(connection)
        if self._sweep is None:
            self._sweep_later()

    def _await_rest(self, place: _Place, connection: Connection) -> None:
        if place.draining >= self._per_origin:
            connection.close()
            return
        place.draining += 1
        connection.drained = functools.partial(self._drained, place)

    def _drained(self, place: _Place, connection: Connection) -> None:
        place.draining -= 1
        connection.drained = None
        if connection.reusable:
            self._rest(place, connection)

    def _made(self) -> Connection:
        return Connection(self._all)

    def _sweep_later(self) -> None:
        self._sweep = asyncio.get_running_loop().call_later(self._idle_seconds, self._sweep_now)

    def _sweep_now(self) -> None:
        """Close what has been idle for too long, and forget what the peers closed."""
        oldest = self._clock() - self._idle_seconds
        self._sweep = None
        for place in self._places.values():
            kept = [one for one in place.idle if one.reusable and one.idle_since >= oldest]
            for connection in set(place.idle).difference(kept):
                connection.close()
            place.idle = kept
            if kept and self._sweep is None:
                self._sweep_later()

    def _idle(self, place: _Place) -> Connection | None:
        oldest = self._clock() - self._idle_seconds
        while place.idle:
            connection = place.idle.pop()
            if connection.reusable and connection.idle_since >= oldest:
                return connection
            connection.close()
        return None

    async def _enter(self, place: _Place) -> None:
        if place.taken < self._per_origin:
            place.taken += 1
            return
        turn = asyncio.get_running_loop().create_future()
        place.waiting.append(turn)
        try:
            await turn  # whoever leaves hands over its place
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave(place)
            raise

    def _leave(self, place: _Place) -> None:
        while place.waiting:
            turn = place.waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        place.taken -= 1


async def connect(
    addresses: Sequence[str],
    origin: Origin,
    factory: Factory,
    context: ssl.SSLContext | None,
    seconds: float,
) -> Connection:
    """Dial the addresses in turn until one answers; raises the last OSError or TimeoutError."""
    loop = asyncio.get_running_loop()
    problem: OSError = OSError("no address")
    for address in addresses:
        connection = factory()
        try:
            async with asyncio.timeout(seconds):
                transport, _ = await loop.create_connection(
                    lambda made=connection: made,
                    address,
                    origin.port,
                    ssl=context,
                    server_hostname=origin.host if context else None,
                )
        except OSError as error:
            connection.close()
            problem = error
        except BaseException:  # cancelled, perhaps, in the moment it was connected
            connection.close()
            raise
        else:
            _probe(transport)
            return connection
    raise problem


def _probe(transport: asyncio.Transport) -> None:
    """Let the kernel notice a peer that has gone without a word, within a minute."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):  # it may have been closed again
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in PROBE:
                if hasattr(socket, name):  # a system may have other ones
                    sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
