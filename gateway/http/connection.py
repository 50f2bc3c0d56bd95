"""Keep-alive HTTP/1.1 connections of our own: one exchange at a time on each, pooled by origin.

The framing is httptools' (llhttp, strict); what it leaves to its caller is decided here: caps,
interim answers, bodies that end with the connection, and when a connection may serve again: only
after an answer that ended exactly where its framing said, with nothing after it.

An event stream is not collected: whoever asked hears its bytes as they come, and may have heard
enough before it ends. What is left of it is then read away, if there is little and it comes soon.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import httptools

from gateway.errors import GatewayError

HEADER_BYTES = 65_536
HEADER_COUNT = 256
LARGE = 1 << 20  # bytes of a body, from which on its connection takes turns with the others
INTERIM = 16  # 1xx answers before the real one
SWITCHING_PROTOCOLS = 101
FINAL = 200  # below are interim answers
STREAM = "text/event-stream"
DRAIN_SECONDS = 1.0  # what is left of a stream may take,
DRAIN_BYTES = 65_536  # and may have

# hears bytes of an event stream. True: enough. None: more of them than one turn of the loop is for,
# so it wants to be called again, with none. Raises GatewayError
Sink = Callable[[bytes], bool | None]
Takes = Callable[[int, list[tuple[str, str]]], bool]  # whether it hears that answer; never raises


class WireError(Exception):
    """The exchange failed.

    `sent` is False when the request certainly never reached the peer; `answered` is True when some
    of an answer came, `malformed` when that was no valid HTTP.
    """

    def __init__(
        self, message: str, *, sent: bool = True, answered: bool = False, malformed: bool = False
    ) -> None:
        super().__init__(message)
        self.sent = sent
        self.answered = answered or malformed
        self.malformed = malformed


class TooLarge(WireError):
    """The answer is over its cap: its body, or else its headers."""

    def __init__(self, message: str, *, body: bool = False) -> None:
        super().__init__(message, answered=True)
        self.body = body


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` as received, names in lower case; `body` still in its content encoding.

    `chunks` is the body as it came, `size` its length: joining a large one takes milliseconds. That
    of a stream which a sink heard is empty.
    """

    status: int
    headers: list[tuple[str, str]]
    chunks: list[bytes]
    size: int

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)


class Connection(asyncio.Protocol):
    """One TCP or TLS connection. `exchange` may be called again once it has returned."""

    def __init__(self, living: set["Connection"]) -> None:
        """`living` has this connection in it for as long as it is open."""
        self.reusable = False
        self.draining = False
        self.drained: Callable[[Connection], None] | None = None  # called as `draining` ends
        self.used = 0
        self.idle_since = 0.0
        self._living = living
        self._waiter: asyncio.Future[Answer] | None = None
        self._transport: asyncio.Transport | None = None
        self._chunks: list[bytes] = []
        self._closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        if self._closed:  # whoever dialled has given up meanwhile
            self.close()
            return
        self._living.add(self)
        self.reusable = True

    async def exchange(
        self,
        data: bytes,
        *,
        head_only: bool,
        cap: int,
        sink: Sink | None = None,
        takes: Takes | None = None,
    ) -> Answer:
        """Send `data`, one whole request; give the final answer. Raises WireError.

        An answer of status 200 that is an event stream goes to `sink`, if there is one, and is not
        under `cap`; with `takes` those answers do that it says. What `sink` raises is raised here.
        If it has heard enough before the end, `draining` is set: `drained` will tell when the
        connection is `reusable`, or closed.
        """
        if self._transport is None or self._transport.is_closing():
            raise WireError("connection closed", sent=False)
        self.used += 1
        self.reusable = False
        self._begin(head_only=head_only, cap=cap)
        self._sink, self._takes = sink, takes
        self._waiter = asyncio.get_running_loop().create_future()  # no local: it holds the error
        self._transport.write(data)
        try:
            return await self._waiter
        except BaseException:  # cancelled, perhaps, in the moment the answer was complete
            self.close()
            raise
        finally:
            self._waiter = self._sink = self._takes = None
            self._chunks = []  # an idle connection holds on to nothing
            if not self.draining:
                self._end()

    def _end(self) -> None:
        """After this answer."""
        del self._parser  # which may hold a megabyte, and holds on to this connection
        if not self.reusable:
            self.close()

    def close(self) -> None:
        self._closed = True
        self.reusable = False
        self._living.discard(self)  # uvloop does not say that a connection just made was lost
        if self._transport is not None:
            self._transport.abort()
        self._stop_draining()

    # -- one answer -------------------------------------------------------------------------

    def _begin(self, *, head_only: bool, cap: int) -> None:
        self._head_only, self._cap = head_only, cap
        self._interim = 0
        self._heard = self._streaming = self._complete = self._unheard = False
        self._since_body = 0
        self._headers: list[tuple[str, str]] = []
        self._chunks = []
        self._size = 0
        self._status = 0
        self._parser = httptools.HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        if (self._waiter is None or self._waiter.done()) and not self.draining:
            self.close()  # nothing was asked: whatever this is must not meet the next request
            return
        self._heard = True
        self._since_body += len(data)
        try:
            self._parser.feed_data(data)
        except WireError as error:
            self._fail(error)
        except httptools.HttpParserError as error:
            cause = error.__context__
            known = cause if isinstance(cause, WireError) else None
            self._fail(known or WireError("malformed HTTP answer", malformed=True))
        else:
            if self._since_body > HEADER_BYTES:  # of headers, interim answers or trailers
                self._fail(TooLarge(f"answer headers over {HEADER_BYTES} bytes"))
            elif self._streaming:
                self._hand_on(len(data))
            elif self._size > LARGE and not self._complete:
                self._breathe()

    def _breathe(self) -> None:
        """Let others on the loop have a turn: it would read on for as long as there is data."""
        self._pause()
        asyncio.get_running_loop().call_soon(self._resume)

    def _pause(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self.reusable = False
        while self._unheard:
            self._hear()
        if self._waiter is not None and not self._waiter.done():
            if self._complete or (self._status and self._ends_with_connection()):
                self._finish()
            elif self._heard:
                self._fail(WireError("connection closed within the answer", answered=True))
            else:
                self._fail(WireError("connection closed without an answer"))
        self._stop_draining()
        self._living.discard(self)

    # -- httptools' callbacks -----------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._status:  # a second answer to one request
            self.reusable = False
            raise WireError("data after the answer", malformed=True)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._status:
            return  # a trailer, which must not pass for a header
        if len(self._headers) >= HEADER_COUNT:
            raise TooLarge(f"more than {HEADER_COUNT} answer headers")
        self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status == SWITCHING_PROTOCOLS:  # which nobody asked for
            raise WireError("unexpected switch of protocols", malformed=True)
        if status >= FINAL:
            self._status = status
            self._streaming = self._sink is not None and self._is_taken(status)
            if self._head_only:
                self._finish()

    def on_body(self, body: bytes) -> None:
        self._since_body = 0
        self._size += len(body)
        if self._size > self._cap and not self._streaming:
            raise TooLarge(f"answer over {self._cap} bytes", body=True)
        self._chunks.append(body)

    def on_message_complete(self) -> None:
        if self._status:
            self.reusable = self._parser.should_keep_alive() and not self._head_only
            self._complete = True
            if not self._streaming:  # else its last bytes are handed on first
                self._finish()
            return
        self._interim += 1
        if self._interim > INTERIM:
            raise WireError(f"more than {INTERIM} interim answers", malformed=True)
        self._headers = []

    # -- event streams ------------------------------------------------------------------------

    def _is_taken(self, status: int) -> bool:
        if self._takes is not None:
            return self._takes(status, self._headers)
        return status == FINAL and self._is_stream()

    def _is_stream(self) -> bool:
        """One in a content encoding, which nobody asked for, is collected like any body."""
        found = dict(self._headers)
        kind = found.get("content-type", "").partition(";")[0].strip().lower()
        return kind == STREAM and found.get("content-encoding", "identity") == "identity"

    def _hand_on(self, received: int) -> None:
        """What has come, to the sink; then see whether this was the end."""
        if self.draining:
            self._read_away()
            return
        if self._unheard and received:
            return  # it waits for its turn
        enough = self._hear()
        if self._closed:
            return
        if self._unheard:
            self._pause()
            asyncio.get_running_loop().call_soon(self._hear_on)
        elif self._complete:
            self._finish()
        elif enough:
            self._drain()
        elif received >= HEADER_BYTES:
            self._breathe()

    def _hear(self) -> bool:
        """Whether the sink has enough; `_unheard` is whether it wants to be called again."""
        chunks, self._chunks = self._chunks, []
        again, self._unheard = self._unheard, False
        if self._sink is None or not (chunks or again):
            return False
        try:
            enough = self._sink(b"".join(chunks))
        except GatewayError as error:
            self._fail(error)
            return False
        self._unheard = enough is None
        return bool(enough)

    def _hear_on(self) -> None:
        """In another turn of the loop; what came meanwhile has waited in `_chunks`."""
        if self._unheard and self._waiter is not None and not self._waiter.done():
            self._resume()
            self._hand_on(0)

    def _drain(self) -> None:
        self.draining = True
        self._size = 0
        self._timer = asyncio.get_running_loop().call_later(DRAIN_SECONDS, self.close)
        self._finish()

    def _read_away(self) -> None:
        self._chunks = []
        if self._complete or self._size > DRAIN_BYTES:
            self._stop_draining()

    def _stop_draining(self) -> None:
        if not self.draining:
            return
        self.draining = False
        self._timer.cancel()
        if self._waiter is None:  # else `exchange` is about to return, and sees to all that
            self._end()
            if self.drained is not None:
                self.drained(self)

    # -- ends -----------------------------------------------------------------------------------

    def _finish(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            size = 0 if self._streaming else self._size
            self._waiter.set_result(Answer(self._status, self._headers, self._chunks, size))

    def _fail(self, error: WireError | GatewayError) -> None:
        """Without its traceback, which would keep the last of what was received."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error.with_traceback(None))
        self.close()

    def _ends_with_connection(self) -> bool:
        """RFC 9112 section 6.3, rule 8: without any framing, the body is all up to the close."""
        return all(name not in {"transfer-encoding", "content-length"} for name, _ in self._headers)
