"""Server-sent events between bytes and events (WHATWG HTML, "Server-sent events"). Bytes may be cut
anywhere.
"""

from typing import NamedTuple

from gateway.errors import BadResponse

COMMENT = b": keep-alive\n\n"
BOM = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One dispatched event. `id` is the last one the stream has named so far."""

    data: str
    event: str = "message"
    id: str = ""


def encode(data: bytes, id: str | None = None, retry_ms: int | None = None) -> bytes:
    """One event of the default kind. `data` is UTF-8 text; each of its lines becomes a data
    line.
    """
    head = b"" if id is None else b"id: %b\n" % id.encode()
    if retry_ms is not None:
        head += b"retry: %d\n" % retry_ms
    if b"\n" in data or b"\r" in data:
        data = b"\ndata: ".join(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"))
    return b"%bdata: %b\n\n" % (head, data)


class RawEvent(NamedTuple):
    """The same with its data as it came: what JSON wants, whose reader is strict about UTF-8."""

    data: bytes
    event: str = "message"
    id: str = ""


class Parser:
    """Feed it bytes, take events out. `retry_ms` is the newest reconnection time the stream asked
    for, `last_id` the id from which to go on: that of the last event which was complete.

    Bytes that make no event yet are kept, at most `largest` of them; beyond that `feed` raises
    BadResponse (I60).
    """

    def __init__(self, largest: int = 16 * 1024 * 1024) -> None:
        self.retry_ms: int | None = None
        self.last_id = ""
        self._largest = largest
        self._pieces: list[bytes] = []  # of the unfinished line
        self._data: list[bytes] = []  # of the unfinished event
        self._id = ""
        self.held = 0  # bytes in both
        self._event = ""
        self._started = False
        self._after_cr = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes, in order."""
        return [
            Event(found.data.decode(errors="replace"), found.event, found.id)
            for found in self.feed_raw(chunk)
        ]

    def feed_raw(self, chunk: bytes) -> list[RawEvent]:
        """The same without reading their data as text."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if not self._started:
            chunk = b"".join([*self._pieces, chunk])
            self._pieces, self.held = [], 0
            self._started = len(chunk) >= len(BOM) or not BOM.startswith(chunk)
            chunk = chunk.removeprefix(BOM)
        if not self._started or (b"\n" not in chunk and b"\r" not in chunk):
            self._keep(self._pieces, chunk)
            return []
        return self._lines(chunk)

    def _lines(self, chunk: bytes) -> list[RawEvent]:
        self._after_cr = chunk.endswith(b"\r")
        text = b"".join([*self._pieces, chunk])
        self.held -= sum(map(len, self._pieces))
        *lines, rest = _split(text)
        self._pieces = []
        events = [event for line in lines if (event := self._line(line)) is not None]
        self._keep(self._pieces, rest)
        return events

    def _keep(self, where: list[bytes], piece: bytes) -> None:
        where.append(piece)
        self.held += len(piece)
        if self.held > self._largest:
            raise BadResponse(f"an event of the stream is larger than {self._largest} bytes")

    def _line(self, line: bytes) -> RawEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._keep(self._data, value)
        elif name == b"event":
            self._event = value.decode(errors="replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode(errors="replace")
        elif name == b"retry" and value.isdigit():
            self.retry_ms = int(value[:9])
        return None

    def _dispatch(self) -> RawEvent | None:
        """A blank line ends an event; without data there is none, but an id stays remembered."""
        self.last_id = self._id
        kind, self._event = self._event or "message", ""
        data, self._data = self._data, []
        if not data:
            return None
        self.held -= sum(map(len, data))
        return RawEvent(b"\n".join(data), kind, self.last_id)


def _split(text: bytes) -> list[bytes]:
    """At every line break of the three kinds; searching for two bytes is what costs time."""
    if b"\r" not in text:
        return text.split(b"\n")
    lines = [line.removesuffix(b"\r") for line in text.split(b"\n")]
    if text.endswith(b"\r") or any(b"\r" in line for line in lines):
        return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return lines
