"""The body of a success, handed on while it comes: its content encoding undone, and bounded."""

import zlib
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from gateway.errors import BadResponse
from gateway.http.inflate import DEFLATE, GZIP, SLICE, too_large, window
from gateway.http.message import HttpResponse, headers_of

SUCCESS: Final = range(200, 300)


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

    def __call__(self, data: bytes) -> bool:
        if self.heard is not None:
            self.heard()
        self._came += len(data)
        if self._came > self._cap:
            raise too_large(self._cap)
        if self._gzip is None:
            return self._hand_on(data)
        try:
            return self._unpacked(data, gzip=self._gzip)
        except zlib.error:
            raise BadResponse("the answer is not the compressed data it says it is") from None

    def end(self) -> None:
        """All of it has come. Raises BadResponse when it broke off within its compression."""
        if self._stream is not None and not self._stream.eof and not self._enough:
            raise BadResponse("the answer broke off within its compressed data")

    def _unpacked(self, data: bytes, *, gzip: bool) -> bool:
        """Slice by slice, so that a bomb stops within one of the cap; gzip may have members."""
        while data and not self._enough:
            if self._stream is None or (self._stream.eof and gzip):
                self._stream = zlib.decompressobj(window(data, gzip=gzip))
            elif self._stream.eof:
                raise zlib.error("data after the end")
            piece = self._stream.decompress(data, SLICE)
            data = self._stream.unused_data or self._stream.unconsumed_tail
            if piece:
                self._hand_on(piece)
        return self._enough

    def _hand_on(self, data: bytes) -> bool:
        self._size += len(data)
        if self._size > self._cap:
            raise too_large(self._cap)
        self._enough = self._enough or self._hearer.hear(data)
        return self._enough
