"""One HTTP request as it arrives: its head is there, its body may still be coming."""

import asyncio
import zlib

from gateway.http.inflate import DEFLATE, GZIP, unpacked
from gateway.server.reply import Unreadable

CUT_OFF = "the body was cut off or its encoding is broken"
UNKNOWN_CODING = "Content-Encoding must be gzip or deflate"


class Arrival:
    """`complete`: all of the body is there. `keep`: another request may follow on its connection.

    `malformed`: these bytes are no request, and what follows them cannot be read. `length` is what
    the client announced, `size` what has arrived.
    """

    __slots__ = (
        *("_body", "_failure", "_news", "complete", "expects", "headers", "http10", "keep"),
        *("largest", "length", "malformed", "method", "size", "target"),
    )

    def __init__(self, largest: int = 0) -> None:
        """Its body may have `largest` bytes, packed and unpacked."""
        self.largest = largest
        self.method = self.target = ""
        self.headers: dict[str, str] = {}
        self.keep = self.complete = self.malformed = self.http10 = False
        self.expects = False  # the client waits to be asked for the body
        self.length = self.size = 0
        self._body: bytes | bytearray = b""
        self._failure: Unreadable | None = None
        self._news: asyncio.Future[None] | None = None

    @property
    def failed(self) -> bool:
        return self._failure is not None

    @property
    def missing(self) -> bool:
        """Whether nothing has come of the body it has."""
        return not self.size and not self.complete

    @property
    def announced(self) -> int:
        """How many bytes of its body are certainly to come."""
        return max(self.length - self.size, 0)

    async def read(self) -> bytes:
        """The whole body, decompressed; raises Unreadable."""
        if not self.complete:
            await self.rest()
        if self._failure is not None:
            raise self._failure
        coding = self.headers.get("content-encoding")
        if coding is not None:
            return await _unpacked(bytes(self._body), coding.lower(), self.largest)
        return bytes(self._body)

    async def rest(self) -> None:
        """Wait until all of it is there, or never will be."""
        if self.expects and self.missing and self._failure is None:
            self.expects = False
            self.ask()
        while not (self.complete or self._failure):
            self._news = asyncio.get_running_loop().create_future()
            await self._news

    def ask(self) -> None:
        """Tell the client to send the body; where it goes to is known to others."""

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        if self._failure is not None:
            return
        if self.size > self.largest:
            self.refuse_size()
        elif not self._body:
            self._body = piece
        else:  # many small pieces would take many times their size
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)
            self._body += piece

    def end(self) -> None:
        self.complete = True
        self._wake()

    def refuse_size(self) -> None:
        self.fail(413, f"the body is larger than {self.largest} bytes")

    def fail(self, status: int, reason: str) -> None:
        """The rest of the body will not come, or is not wanted. The first reason stays."""
        if self._failure is None:
            self._failure = Unreadable(status, reason)
            self._body = b""
            self._wake()

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)


async def _unpacked(body: bytes, coding: str, largest: int) -> bytes:
    """A bomb ends within a slice of the limit (I9)."""
    if coding == "identity":
        return body
    if coding not in GZIP and coding != DEFLATE:
        raise Unreadable(415, UNKNOWN_CODING)
    found = bytearray()
    try:
        for piece in unpacked(body, gzip=coding in GZIP):
            found += piece
            if len(found) > largest:
                raise Unreadable(413, f"the body is larger than {largest} bytes")
            await asyncio.sleep(0)  # others on the loop have their turn
    except zlib.error:
        raise Unreadable(400, CUT_OFF) from None
    return bytes(found)
