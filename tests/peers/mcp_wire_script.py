"""An HTTP server that answers each request as its test says, byte for byte, and keeps what it got.

An answer is a function of the request and a writer; when it returns, the next request of that
connection is read.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
END = b"0\r\n\r\n"


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: dict[str, str]
    lines: tuple[str, ...]
    body: bytes

    @property
    def id(self) -> Any:
        return json.loads(self.body).get("id") if self.body else None


Answer = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Script:
    """`answers` are used one after the other, the last one for all that follow."""

    answers: list[Answer]
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)  # a client closed a connection
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        with contextlib.suppress(
            asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError
        ):
            while not writer.is_closing():
                request = await read(reader)
                self.requests.append(request)
                self.arrived.set()
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                await self._answered(answer, request, reader, writer)
        self.left.set()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        self.tasks.discard(task)

    async def _answered(
        self,
        answer: Answer,
        request: Request,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Until it is given, or the client is gone."""
        giving = asyncio.ensure_future(answer(request, writer))
        try:
            while not giving.done():
                await asyncio.wait([giving], timeout=0.01)
                if reader.at_eof() or writer.transport.is_closing():
                    giving.cancel()
                    self.left.set()
                    break
        finally:
            giving.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await giving
        await writer.drain()


async def read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.split("\r\n")[:-2]
    method, target, _ = first.split(" ")
    headers = {key.lower(): value for key, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, target, headers, tuple(lines), body)


def message(id: Any, result: Any = None) -> bytes:
    found = result if result is not None else {"of": id}
    return json.dumps({"jsonrpc": "2.0", "id": id, "result": found}).encode()


def whole(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """An answer; JSON unless `headers` say another type."""
    if not any(header.lower().startswith(b"content-type") for header in headers):
        headers = (*headers, b"Content-Type: application/json")
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def stream(*headers: bytes) -> bytes:
    """The head of a stream of events."""
    return CHUNKED + b"".join(header + b"\r\n" for header in headers) + b"\r\n"


def event(data: bytes, head: bytes = b"") -> bytes:
    """One event in a chunk of its own; `head` are its other lines."""
    body = head + b"data: " + data + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(body), body)


async def result(request: Request, writer: asyncio.StreamWriter) -> None:
    """The good answer."""
    writer.write(whole(message(request.id)))


async def accepted(_: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")


def says(data: bytes) -> Answer:
    """These bytes, whatever was asked."""

    async def answer(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return answer


def forever(*pieces: bytes) -> Answer:
    """The first pieces once, then the last one again and again."""

    async def answer(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"".join(pieces[:-1]))
        while True:
            writer.write(pieces[-1])
            await writer.drain()
            await asyncio.sleep(0)

    return answer


def then_silence(data: bytes) -> Answer:
    """These bytes, and nothing more on a connection that stays open."""

    async def answer(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await asyncio.Event().wait()

    return answer


def then_end(data: bytes, *, reset: bool = False) -> Answer:
    """These bytes, then FIN or RST."""

    async def answer(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(0.01)
        if reset:
            writer.transport.abort()
        else:
            writer.close()

    return answer


@contextlib.asynccontextmanager
async def scripted(*answers: Answer) -> AsyncIterator[Script]:
    peer = Script(list(answers))
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for task in tuple(peer.tasks):
            task.cancel()
        await asyncio.gather(*peer.tasks, return_exceptions=True)
