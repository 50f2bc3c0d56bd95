"""One client's connection: its requests answered in order, by one task that lives as long as it.

A request waits until the one before it is answered; what comes meanwhile is held as bytes, and
beyond `HELD` the client is not read. So a connection holds one body, one answer and little more.
That a client has gone is seen only while it is read.
"""

import asyncio
import logging
from collections import deque

from gateway.server.arrival import Arrival
from gateway.server.deadlines import Deadlines, Phase
from gateway.server.exchange import Exchange
from gateway.server.feed import Feed
from gateway.server.framing import Framing
from gateway.server.heads import CLOSE, CONTINUE, FULL, KEEP_ALIVE
from gateway.server.house import House
from gateway.server.outlet import Outlet
from gateway.server.reply import Reply, stream, text

log = logging.getLogger(__name__)

CLOSING = frozenset({400, 403, 408, 413, 500, 503})  # the rest is not worth reading
MALFORMED = text(400, "malformed HTTP request")
FAULT = text(500, "internal error")

SLICE = 4096  # bytes read at a time, for no more requests than they hold are made of them at once
HELD = 65_536  # bytes that wait for the answer before them
FAREWELL_BYTES = 16 * 1024 * 1024  # that a client may send after our last answer


class Connection(asyncio.Protocol):
    __slots__ = (
        *("_cancelling", "_deadlines", "_deaf", "_framing", "_held", "_house", "_news", "_outlet"),
        *("_over", "_reading", "_served", "_task", "_transport", "_waiting"),
    )

    def __init__(self, house: House) -> None:
        self._house = house
        self._framing = Framing(self._make, self._take)
        self._waiting: deque[Exchange] = deque()  # the first of them is being answered
        self._held = bytearray()
        self._reading = True
        self._over = False  # no request is answered any more
        self._deaf = 0  # bytes that came after that
        self._served = 0
        self._cancelling = False  # the task, should the client go away
        self._task: asyncio.Task[None] | None = None
        self._news: asyncio.Future[None] | None = None
        self._deadlines = Deadlines(house.limits)

    # -- what the client does ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        house = self._house
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._outlet = Outlet(self._transport, house.heads)
        house.connections.add(self)
        if len(house.connections) > house.limits.connections:
            self._over = True
            self._outlet.write(FULL)
            self._outlet.close()

    def data_received(self, data: bytes) -> None:
        if self._over or self._framing.ended:
            self._overhear(len(data))
        elif self._held or self._is_busy():
            self._held += data
            if len(self._held) > HELD and self._reading:
                self._reading = False
                self._transport.pause_reading()
        elif len(data) <= SLICE:
            self._framing.feed(data)
        else:
            self._held += data
            self._read_on()

    def eof_received(self) -> None:
        """A client that has ended what it says is taken for gone: they cannot be told apart."""

    def connection_lost(self, exc: Exception | None) -> None:
        self._over = True
        self._house.connections.discard(self)
        self._framing.close()
        self._held.clear()
        self._outlet.lose()
        feed = self._waiting[0].feed if self._waiting else None
        if feed is not None:
            feed.end()
        if self._task is not None and self._cancelling:
            self._task.cancel()
        self._wake()

    def pause_writing(self) -> None:
        self._outlet.pause()

    def resume_writing(self) -> None:
        self._outlet.resume()

    # -- requests ---------------------------------------------------------------------------------

    def _is_busy(self) -> bool:
        """Whether a whole request waits for its answer; no more are made meanwhile."""
        return bool(self._waiting) and self._waiting[0].complete

    def _make(self) -> Exchange:
        return Exchange(self, self._house.limits.largest_body)

    def _take(self, exchange: Arrival) -> None:
        assert isinstance(exchange, Exchange)  # noqa: S101  as `_make` made it
        self._served += 1
        self._waiting.append(exchange)
        if self._task is None:
            self._task = self._house.start(self._serve())
        else:
            self._wake()

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def _read_on(self) -> None:
        """Take up what is held, as far as requests are wanted."""
        held, framing = self._held, self._framing
        while held and not self._is_busy() and not framing.ended:
            body = self._waiting[0].announced if self._waiting else 0
            piece = held[: max(SLICE, body)]
            del held[: len(piece)]
            framing.feed(piece)
        if framing.ended:
            held.clear()
        if len(held) <= HELD:
            self._listen()

    def _listen(self) -> None:
        if not self._reading and not self._outlet.gone:
            self._reading = True
            self._transport.resume_reading()

    def _overhear(self, size: int) -> None:
        self._deaf += size
        if self._deaf > FAREWELL_BYTES:
            self.cut()

    # -- answers ----------------------------------------------------------------------------------

    async def _serve(self) -> None:
        waiting = self._waiting
        try:
            while not self._over:
                if waiting:
                    await self._answer(waiting[0])
                    waiting.popleft()
                    if self._held:
                        self._read_on()
                else:
                    self._news = asyncio.get_running_loop().create_future()
                    await self._news
        except asyncio.CancelledError:  # the client has gone, or we stop
            self.cut()
        except Exception:
            log.exception("http_failed")
            self.cut()
        finally:
            waiting.clear()

    async def _answer(self, exchange: Exchange) -> None:
        reply = await self._reply(exchange)
        if exchange.sending is not None:
            await exchange.sending
        elif reply.feed is not None:
            exchange.feed = reply.feed
            await self._stream(exchange, reply)
        else:
            head_only = exchange.method == "HEAD"
            self._outlet.whole(reply, self._settle(exchange, reply), head_only=head_only)
        self._cancelling = False
        exchange.feed = None
        if self._outlet.paused:
            await self._outlet.drained()
        if exchange.keep and not exchange.complete:
            await exchange.rest()
        if not (exchange.keep and exchange.complete):
            self._part(exchange)

    async def _reply(self, exchange: Exchange) -> Reply:
        if exchange.malformed:
            return MALFORMED
        try:
            return await self._house.answer(exchange)
        except Exception:
            log.exception("http_failed")
            if exchange.feed is not None:
                self.cut()  # half an answer is out already
            return FAULT

    def begin(self, exchange: Exchange, feed: Feed) -> asyncio.Task[None]:
        return self._house.start(self._stream(exchange, stream(feed)))

    async def _stream(self, exchange: Exchange, reply: Reply) -> None:
        connection = self._settle(exchange, reply)
        await self._outlet.stream(reply, connection, chunked=not exchange.http10)

    def _settle(self, exchange: Exchange, reply: Reply) -> str:
        """Whether the connection goes on after this answer, in the words of its header."""
        exchange.keep = (
            exchange.keep
            and reply.status not in CLOSING
            and not self._house.closing
            and not (exchange.expects and exchange.missing)  # it may come, or not
            and not (exchange.http10 and reply.feed is not None)  # which ends with the connection
        )
        if not exchange.keep:
            return CLOSE
        return KEEP_ALIVE if exchange.http10 else ""

    def _part(self, exchange: Exchange) -> None:
        """Close, but not so that our last answer is lost under what the client still sends."""
        self._over = True
        if exchange.complete and not exchange.malformed:
            self._outlet.close()
            return
        self._outlet.half_close()
        self._listen()

    def ask_for_body(self) -> None:
        self._outlet.write(CONTINUE)

    def cancel_when_gone(self) -> None:
        self._cancelling = True
        if self._outlet.gone and self._task is not None:
            self._task.cancel()

    # -- time -------------------------------------------------------------------------------------

    @property
    def unread(self) -> bool:
        feed = self._waiting[0].feed if self._waiting else None
        return self._outlet.unread > 0 or (feed is not None and feed.ended)

    def overdue(self, now: float) -> str | None:
        if self._deadlines.stalled(self._outlet.unread, now):
            self.cut()
            return "slow_reader"
        phase = self._phase()
        if not self._deadlines.passed(phase, self._served, now):
            return None
        if phase is Phase.BODY:
            limit = self._house.limits.body
            self._waiting[0].fail(408, f"no whole body within {limit:g} s")
            return None
        self.cut()
        return "slow_head" if phase is Phase.HEAD else None

    def _phase(self) -> Phase:
        if self._over:
            return Phase.ANSWER if self._outlet.unread else Phase.FAREWELL
        if self._waiting:
            first = self._waiting[0]
            return Phase.ANSWER if first.complete or first.failed else Phase.BODY
        return Phase.HEAD if self._framing.in_head or not self._served else Phase.IDLE

    def cut(self) -> None:
        self._outlet.abort()
