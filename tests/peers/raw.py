"""A TCP peer that answers with the bytes it was given, and remembers what it was sent."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field


@dataclass
class Raw:
    """`script` holds one list of writes per request; None in it closes the connection."""

    script: list[Sequence[bytes | None]]
    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                for piece in self.script.pop(0) if self.script else (None,):
                    if piece is None:
                        return writer.close()
                    writer.write(piece)
                    await writer.drain()


@contextlib.asynccontextmanager
async def raw(*script: Sequence[bytes | None]) -> AsyncIterator[Raw]:
    peer = Raw(list(script))
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for writer in peer.writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
