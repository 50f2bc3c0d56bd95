"""The HTTP/1 requests in the bytes of one connection, each with one reading or none (I5, I6, T13).

The parser is httptools' (llhttp, strict): bare LF, folded lines, control characters, two lengths,
a length beside chunks, signs and spaces in numbers end it. What it leaves to its caller is decided
here:

* other versions than 1.0 and 1.1 are read on, and so are codings before `chunked`, and `chunked` in
  HTTP/1.0, where others see no body: all malformed
* CONNECT would hand over the connection: malformed
* after an offer to upgrade it skips the body, and Java's client offers h2c with its first POST: the
  offer is ignored and the body read
* trailers come like headers: dropped
* white space after a value stays: stripped; a name that comes twice: joined, so that no copy wins
* nothing limits a line, a head or a body: counted here

It takes more than one space before the target, blank lines before a request, and RTSP/1.x for
HTTP/1.x. None of these changes what else it reads.
"""

from collections.abc import Callable

import httptools

from gateway.server.arrival import CUT_OFF, Arrival

HEAD_BYTES = 65_536  # of a head; of trailers, or of chunk sizes in a row
FIELD_BYTES = 8_190  # of a target; of a header
FIELD_COUNT = 256
VERSIONS = ("1.1", "1.0")
MOST_NAMES = 512  # spellings of header names that are remembered

_names: dict[bytes, str] = {}  # as they are sent → in lower case


class Malformed(Exception):
    """What llhttp would have read on over."""


class Framing:
    """`feed` it what comes; it gives each request to `take` as soon as its head is there.

    Before more is fed, the connection has dealt with every complete request. `ended`: nothing of
    what follows is a request.
    """

    __slots__ = (
        *("_arrival", "_count", "_headers", "_make", "_parser", "_quiet", "_skipped", "_take"),
        *("_target", "ended", "in_head"),
    )

    def __init__(self, make: Callable[[], Arrival], take: Callable[[Arrival], None]) -> None:
        self._make, self._take = make, take
        self.ended = False
        self.in_head = False  # some of a head is there
        self._arrival: Arrival | None = None  # its body is still coming
        self._skipped = False  # it has a body, but the parser has stepped over it
        self._headers: dict[str, str] = {}
        self._target = b""
        self._count = 0
        self._quiet = 0  # bytes since the last of a body, or the end of a request
        self._parser = httptools.HttpRequestParser(self)

    def feed(self, data: bytes | bytearray) -> None:
        """Raises nothing: what cannot be read is an arrival too, or fails the body of one."""
        while data and not self.ended:
            self._quiet += len(data)
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                data = data[offer.args[0] :]
                self._renew()
            except httptools.HttpParserError:
                self._break()
            else:
                if self._quiet > HEAD_BYTES:
                    self._break()
                return

    def close(self) -> None:
        """Nothing follows. Whoever holds on to us is let go."""
        if self._arrival is not None:
            self._arrival.fail(400, CUT_OFF)
        self.ended = True
        del self._parser, self._make, self._take

    def _renew(self) -> None:
        """A parser that stands where the last one would, had it read on."""
        self._parser = httptools.HttpRequestParser(self)
        arrival = self._arrival
        if arrival is not None:
            self._skipped = False
            coded = "transfer-encoding" in arrival.headers
            framing = "Transfer-Encoding: chunked" if coded else f"Content-Length: {arrival.length}"
            self._parser.feed_data(f"POST / HTTP/1.1\r\n{framing}\r\n\r\n".encode())

    def _break(self) -> None:
        if self.ended:
            return  # it closes after its last request: whatever follows that is not read
        self.ended = True
        self.in_head = False
        if self._arrival is not None:
            self._arrival.keep = False
            self._arrival.fail(400, CUT_OFF)
        else:
            malformed = self._make()
            malformed.malformed = malformed.complete = True
            self._take(malformed)

    # -- httptools' callbacks: what they raise ends the parser ------------------------------------

    def on_message_begin(self) -> None:
        if self.ended:  # a renewed parser does not know that the connection closes
            raise Malformed
        if self._arrival is None:  # else a body is taken up again
            self.in_head = True
            self._headers = {}
            self._target = b""
            self._count = 0

    def on_url(self, url: bytes) -> None:
        self._target += url
        if len(self._target) > FIELD_BYTES:
            raise Malformed

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._arrival is not None:
            return  # a trailer
        self._count += 1
        if self._count > FIELD_COUNT or len(name) + len(value) > FIELD_BYTES:
            raise Malformed
        key = _names.get(name) or _lower(name)
        text = value.rstrip(b" \t").decode("latin-1")
        headers = self._headers
        headers[key] = f"{headers[key]}, {text}" if key in headers else text

    def on_headers_complete(self) -> None:
        if self._arrival is not None:
            return
        headers = self._headers
        arrival = self._make()
        arrival.headers = headers
        arrival.method = self._parser.get_method().decode()
        arrival.target = self._target.decode()
        arrival.keep = self._parser.should_keep_alive()
        if not arrival.keep or "connection" in headers:  # else it is 1.1
            arrival.http10 = self._version() == "1.0"
        if arrival.method == "CONNECT":
            raise Malformed
        self._measure(arrival)
        self._arrival = arrival
        self.in_head = False
        self._skipped = self._parser.should_upgrade() and (
            arrival.length > 0 or "transfer-encoding" in headers
        )
        self._take(arrival)

    def _version(self) -> str:
        version: str = self._parser.get_http_version()
        if version not in VERSIONS:
            raise Malformed
        return version

    def _measure(self, arrival: Arrival) -> None:
        headers = arrival.headers
        coding = headers.get("transfer-encoding")
        if coding is not None and (arrival.http10 or coding.lower() != "chunked"):
            raise Malformed
        length = headers.get("content-length")
        if length is not None:
            arrival.length = int(length)
            if arrival.length > arrival.largest:
                arrival.refuse_size()
        if "expect" in headers and not arrival.http10:
            arrival.expects = headers["expect"].lower() == "100-continue"

    def on_body(self, piece: bytes) -> None:
        self._quiet = 0
        if self._arrival is not None:
            self._arrival.add(piece)

    def on_message_complete(self) -> None:
        self._quiet = 0
        arrival = self._arrival
        if arrival is None or self._skipped:
            return
        self._arrival = None
        self.ended = not arrival.keep
        arrival.end()


def _lower(name: bytes) -> str:
    found = name.decode().lower()  # llhttp lets tokens pass, which are ASCII
    if len(_names) < MOST_NAMES:
        _names[name] = found
    return found
