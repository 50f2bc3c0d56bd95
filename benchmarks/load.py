"""A load generator over raw sockets: each of N connections sends again when it has its answer."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

MakeRequest = Callable[[int], bytes]


@dataclass
class Tally:
    expect: bytes
    deadline: float = 0.0
    counted_from: float = 0.0
    number: int = 0
    errors: int = 0
    micros: list[float] = field(default_factory=list)


class Caller(asyncio.Protocol):
    def __init__(self, make: MakeRequest, tally: Tally, done: asyncio.Future[None]) -> None:
        self.make, self.tally, self.done = make, tally, done
        self.buffer = b""
        self.sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.send()

    def send(self) -> None:
        self.tally.number += 1
        self.buffer = b""
        self.sent = time.perf_counter()
        self.transport.write(self.make(self.tally.number))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found or len(body) < content_length(head):
            return
        now = time.perf_counter()
        if self.tally.expect not in body:
            self.tally.errors += 1
        elif now >= self.tally.counted_from:
            self.tally.micros.append((now - self.sent) * 1e6)
        if now >= self.tally.deadline:
            self.transport.close()
        else:
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if time.perf_counter() < self.tally.deadline:
            self.tally.errors += 1
        if not self.done.done():
            self.done.set_result(None)


def content_length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"content-length:")
    return int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


async def drive(
    port: int, make: MakeRequest, expect: bytes, connections: int, seconds: float
) -> Tally:
    """Load 127.0.0.1:port for `seconds`, after a second of warm-up that is not counted."""
    loop = asyncio.get_running_loop()
    now = time.perf_counter()
    tally = Tally(expect, deadline=now + 1 + seconds, counted_from=now + 1)
    waiting = []
    for _ in range(connections):
        done: asyncio.Future[None] = loop.create_future()
        await loop.create_connection(lambda done=done: Caller(make, tally, done), "127.0.0.1", port)
        waiting.append(done)
    await asyncio.gather(*waiting)
    return tally
