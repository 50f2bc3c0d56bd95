"""The bytes of a stream -> its events, however they are cut: server-sent events, lines of JSON,
JSON text sequences, or one JSON document where an API has not streamed at all.

Bytes that make no event yet are kept, at most `largest` of them. What ends without its last line
break counts all the same.
"""

from typing import Final, NamedTuple, Protocol

from gateway.capability.file.model import As
from gateway.errors import BadResponse
from gateway.protocol import sse

EVENT_STREAM: Final = "text/event-stream"
LINES: Final = frozenset(
    f"application/{name}"
    for name in (
        *("x-ndjson", "ndjson", "jsonl", "x-jsonl", "jsonlines", "x-jsonlines", "json-lines"),
        *("stream+json", "x-json-stream"),
    )
)
RECORD: Final = b"\x1e"  # begins each text of a sequence (RFC 7464)


class Event(NamedTuple):
    """Its data, not empty. `failed`: the stream calls it an error."""

    data: bytes
    failed: bool = False


class Splitter(Protocol):
    """Both raise BadResponse when an event is too large."""

    strict: bool
    """Whether every event must be JSON."""

    @property
    def held(self) -> int:
        """Bytes that are no event yet."""
        ...

    def feed(self, data: bytes) -> list[Event]: ...

    def end(self) -> list[Event]:
        """What is left when nothing more comes."""
        ...


def splitter(as_: As, content_type: str, largest: int) -> Splitter:
    """As the answer says it is, else as its tool expects it (`sse` or `ndjson`)."""
    name = content_type.partition(";")[0].strip().lower()
    if name == EVENT_STREAM:
        return ServerSent(largest)
    if name.endswith(("/json-seq", "+json-seq")):
        return Lines(largest, RECORD)
    if as_ == "ndjson" or name in LINES:
        return Lines(largest)
    return Whole(largest) if name.endswith(("/json", "+json")) else ServerSent(largest)


class ServerSent:
    """WHATWG HTML, "Server-sent events"."""

    strict = False

    def __init__(self, largest: int) -> None:
        self._parser = sse.Parser(largest)

    @property
    def held(self) -> int:
        return self._parser.held

    def feed(self, data: bytes) -> list[Event]:
        found = self._parser.feed_raw(data)
        return [Event(each.data, each.event == "error") for each in found if each.data.strip()]

    def end(self) -> list[Event]:
        return self.feed(b"\n\n")


class Lines:
    """One event a line; or between two marks."""

    strict = True

    def __init__(self, largest: int, mark: bytes = b"\n") -> None:
        self._largest = largest
        self._mark = mark
        self._pieces: list[bytes] = []  # of the unfinished line
        self.held = 0

    def feed(self, data: bytes) -> list[Event]:
        if self._mark not in data:
            self._keep(data)
            return []
        *lines, rest = b"".join([*self._pieces, data]).split(self._mark)
        self._pieces, self.held = [], 0
        self._keep(rest)
        return [Event(text) for line in lines if (text := line.strip())]

    def end(self) -> list[Event]:
        return self.feed(self._mark)

    def _keep(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self.held += len(piece)
        if self.held > self._largest:
            raise BadResponse(f"an event of the stream is larger than {self._largest} bytes")


class Whole(Lines):
    """All of it is one event."""

    def __init__(self, largest: int) -> None:
        super().__init__(largest, b"\0")  # which stands in no JSON
