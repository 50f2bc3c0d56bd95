"""The body of a success, handed on while it comes: its content encoding undone, and bounded."""

import zlib
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from gateway.errors import BadResponse
from gateway.http.inflate import DEFLATE, GZIP, too_large, window
from gateway.http.message import HttpResponse, headers_of

SUCCESS: Final = range(200, 300)
TURN: Final = 8192  # bytes, unpacked, that are heard before others on the loop get their turn


class Hearer(Protocol):
    """Hears one answer, if it is a success."""

    def begins(self, head: HttpResponse) -> None:
        """Its status and headers have come; the body of `head` is empty."""
        ...

    def hear(self, data: bytes) -> bool:
        """More of its body. True: that is enough. Raises GatewayError."""
        ...


class Live:
    """What a connection hands bytes to. `cap` bounds them, as they come in and unpacked."""

    def __init__(self, hearer: Hearer, cap: int) -> None:
        self._hearer = hearer
        self._cap = cap
        self._came = self._size = 0
        self._gzip: bool | None = None  # None: in no content encoding
        self._stream: zlib._Decompress | None = None
        self._left = b""  # to be heard in the turns to come
        self._more = False  # whether the decompressor holds some of what it was given
        self._enough = False
        self.heard: Callable[[], None] | None = None  # called whenever something came
        self.begun = False

    def takes(self, status: int, headers: Sequence[tuple[str, str]]) -> bool:
        """Whether the body is to be handed on: else it is collected, like any."""
        found = headers_of(headers)
        named = found.get("content-encoding", "").strip().lower()
        if status not in SUCCESS or named not in {"", "identity", DEFLATE, *GZIP}:
            return False
        if named in GZIP or named == DEFLATE:
            self._gzip = named in GZIP
        self.begun = True
        self._hearer.begins(HttpResponse(status, found, b""))
        if self.heard is not None:
            self.heard()
        return True

    def __call__(self, data: bytes) -> bool | None:
        """A `Sink` that takes `TURN` bytes in a turn: what reads events may need long for more."""
        if data and self.heard is not None:
            self.heard()
        self._came += len(data)
        if self._came > self._cap:
            raise too_large(self._cap)
        self._left += data
        if not self._enough:
            self._hand_on(self._next())
        return self._enough or (None if self._left or self._more else False)

    def end(self) -> None:
        """All of it has come. Raises BadResponse when it broke off within its compression."""
        if self._stream is not None and not self._stream.eof and not self._enough:
            raise BadResponse("the answer broke off within its compressed data")

    def _next(self) -> bytes:
        given, rest = self._left[:TURN], self._left[TURN:]
        if self._gzip is None:
            self._left = rest
            return given
        try:
            piece, unused = self._unpacked(given, gzip=self._gzip)
        except zlib.error:
            raise BadResponse("the answer is not the compressed data it says it is") from None
        self._left = unused + rest
        return piece

    def _unpacked(self, data: bytes, *, gzip: bool) -> tuple[bytes, bytes]:
        """At most `TURN` bytes, and what is left of `data`; gzip may have members."""
        stream = self._stream
        if stream is None or (stream.eof and gzip and data):
            if not data:
                return b"", b""
            stream = self._stream = zlib.decompressobj(window(data, gzip=gzip))
        elif stream.eof and data:
            raise zlib.error("data after the end")
        piece = stream.decompress(data, TURN)
        self._more = len(piece) == TURN and not stream.eof
        return piece, stream.unused_data or stream.unconsumed_tail

    def _hand_on(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._cap:
            raise too_large(self._cap)
        self._enough = bool(data) and self._hearer.hear(data)
