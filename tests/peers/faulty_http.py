"""An HTTP peer that misbehaves in a way its path names, and echoes otherwise.

`/echo/ID` answers `ID` and keeps the connection; every name in FAULTS is a path that goes wrong.
"""

import asyncio
import contextlib
import gzip
import json
import re
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Fault = Callable[[asyncio.StreamWriter], Awaitable[None]]
FAULTS: dict[str, Fault] = {}

HEAD = b"HTTP/1.1 200 OK\r\n"
TYPED = HEAD + b"Content-Type: application/json\r\n"
CHUNKED = TYPED + b"Transfer-Encoding: chunked\r\n\r\n"
ZEROS = bytes(16 << 20)


def fault(function: Fault) -> Fault:
    FAULTS[function.__name__] = function
    return function


def whole(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


@fault
async def hang(_: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@fault
async def hang_within_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Content-Le")
    await asyncio.Event().wait()


@fault
async def hang_within_body(writer: asyncio.StreamWriter) -> None:
    writer.write(TYPED + b"Content-Length: 10\r\n\r\n123")
    await asyncio.Event().wait()


@fault
async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(TYPED + b"Content-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


@fault
async def close_at_once(writer: asyncio.StreamWriter) -> None:
    writer.close()


@fault
async def reset_at_once(writer: asyncio.StreamWriter) -> None:
    reset(writer)


@fault
async def reset_after_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(TYPED + b"Content-Length: 10\r\n\r\n")
    await writer.drain()
    await asyncio.sleep(0.01)
    reset(writer)


@fault
async def reset_within_body(writer: asyncio.StreamWriter) -> None:
    writer.write(TYPED + b"Content-Length: 10\r\n\r\n123")
    await writer.drain()
    await asyncio.sleep(0.01)
    reset(writer)


@fault
async def close_within_body(writer: asyncio.StreamWriter) -> None:
    writer.write(TYPED + b"Content-Length: 10\r\n\r\n123")
    writer.close()


@fault
async def half_close(writer: asyncio.StreamWriter) -> None:
    """FIN one way: no more will come, yet the socket stays open."""
    writer.write(CHUNKED + b"5\r\n[1,2,\r\n")
    writer.write_eof()
    await asyncio.Event().wait()


@fault
async def garbage(writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\xff\x16\x03 not http at all\r\n\r\n")


@fault
async def bad_chunk_size(writer: asyncio.StreamWriter) -> None:
    writer.write(CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n")


@fault
async def two_lengths(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ")


@fault
async def length_and_chunks(writer: asyncio.StreamWriter) -> None:
    writer.write(CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\n") + b"0\r\n\r\n")


@fault
async def long_header(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"X-Long: " + b"a" * (1 << 20) + b"\r\nContent-Length: 2\r\n\r\n{}")


@fault
async def header_flood(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"".join(b"X-%d: a\r\n" % n for n in range(10_000)) + b"\r\n")


@fault
async def trailer_flood(writer: asyncio.StreamWriter) -> None:
    writer.write(CHUNKED + b"2\r\n{}\r\n0\r\n")
    while True:
        writer.write(b"".join(b"X-%d: aaaaaaaaaaaaaaaaaaaa\r\n" % n for n in range(1000)))
        await writer.drain()


@fault
async def endless_trailer(writer: asyncio.StreamWriter) -> None:
    writer.write(CHUNKED + b"2\r\n{}\r\n0\r\nX: ")
    while True:
        writer.write(b"a" * 65536)
        await writer.drain()


@fault
async def trailer_as_header(writer: asyncio.StreamWriter) -> None:
    writer.write(CHUNKED + b"2\r\n{}\r\n0\r\nContent-Encoding: gzip\r\nX-Late: 1\r\n\r\n")


@fault
async def endless_chunk_extension(writer: asyncio.StreamWriter) -> None:
    writer.write(CHUNKED + b"2;")
    while True:
        writer.write(b"a" * 65536)
        await writer.drain()


@fault
async def informational_storm(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000)
        await writer.drain()


@fault
async def switching(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n..")


@fault
async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(TYPED + b"\r\n")
    while True:
        writer.write(b"1" * 65536)
        await writer.drain()


@fault
async def endless_chunks(writer: asyncio.StreamWriter) -> None:
    writer.write(CHUNKED)
    while True:
        writer.write(b"10000\r\n" + b"1" * 65536 + b"\r\n")
        await writer.drain()


@fault
async def announced_gigabyte(writer: asyncio.StreamWriter) -> None:
    writer.write(TYPED + b"Content-Length: 1073741824\r\n\r\n" + b"1" * 65536)
    await asyncio.Event().wait()


@fault
async def gzip_bomb(writer: asyncio.StreamWriter) -> None:
    writer.write(whole(gzip.compress(ZEROS, 1), b"Content-Encoding: gzip"))


@fault
async def deflate_bomb(writer: asyncio.StreamWriter) -> None:
    writer.write(whole(zlib.compress(ZEROS, 1), b"Content-Encoding: deflate"))


@fault
async def truncated_gzip(writer: asyncio.StreamWriter) -> None:
    writer.write(whole(gzip.compress(b"[1, 2, 3]" * 100)[:-12], b"Content-Encoding: gzip"))


@fault
async def not_gzip(writer: asyncio.StreamWriter) -> None:
    writer.write(whole(b'{"a": 1}', b"Content-Encoding: gzip"))


@fault
async def brotli(writer: asyncio.StreamWriter) -> None:
    writer.write(whole(b"\x0b\x01\x80{}\x03", b"Content-Encoding: br"))


@fault
async def nested_gzip(writer: asyncio.StreamWriter) -> None:
    body = gzip.compress(gzip.compress(b"{}"))
    writer.write(whole(body, b"Content-Encoding: gzip, gzip"))


@fault
async def data_after_the_answer(writer: asyncio.StreamWriter) -> None:
    writer.write(whole(b"{}") + whole(b'"an answer nobody asked for"'))


@dataclass
class Faulty:
    """`heads` are the request heads received, in order; `hung_up` is set when a client leaves."""

    port: int = 0
    connections: int = 0
    heads: list[str] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(
            ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError
        ):
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                self.heads.append(head)
                self.arrived.set()
                await self._answer(head, reader, writer)
        writer.close()
        self._tasks.discard(task)

    async def _answer(
        self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        path = head.split(" ", 2)[1]
        name = re.split(r"[/?]", path)[1]
        if name in FAULTS:
            watch = asyncio.ensure_future(self._until_gone(reader))
            try:
                await FAULTS[name](writer)
                await writer.drain()
            finally:
                watch.cancel()
        else:
            writer.write(whole(json.dumps(path.removeprefix("/echo/")).encode()))

    async def _until_gone(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read(1)
        self.hung_up.set()

    async def stop(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def faulty() -> AsyncIterator[Faulty]:
    peer = Faulty()
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        await peer.stop()
