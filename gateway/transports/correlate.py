"""Requests of ours on one stream both ways, and the responses that find them by id.

The rule: a response goes to the request that has its id, at most once, or to nobody. What cannot
be read fails the request it names, else it is counted, and told now and then in one log line.
"""

import asyncio
import logging
import re
from collections.abc import Callable

from gateway.errors import BadResponse, GatewayError
from gateway.protocol.received import Inbound, decode
from gateway.transports.base import Peer

QUIET = 60.0  # seconds between two lines about what a server should not say
LOOKED_AT = 4096  # bytes of it
SAMPLE = 120  # characters of those in the log
END = 256  # bytes at either end of an unreadable message where its id may be
ID = re.compile(rb'"id"\s*:\s*(\d{1,18})\b')

log = logging.getLogger(__name__)


class Correlation:
    """`redacted` makes a text fit for the log."""

    def __init__(self, backend: str, peer: Peer, redacted: Callable[[str], str] = str) -> None:
        self._backend = backend
        self._peer = peer
        self._redacted = redacted
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int | str | None, asyncio.Future[Inbound]] = {}
        self._newest = 0
        self._unfit = 0
        self._silent_until = float("-inf")

    def __len__(self) -> int:
        return len(self._waiting)

    async def response(self, id: int, write: Callable[[bytes], None], body: bytes) -> Inbound:
        """Write `body`, the request with this id, and wait for what answers it.

        Cancelled, the id is forgotten: a late answer goes to nobody.
        """
        waiter = self.expected(id)
        try:
            write(body)
            return await waiter
        finally:
            self.forget(id)
            del waiter  # which holds the error that holds this frame

    def expected(self, id: int) -> asyncio.Future[Inbound]:
        """What answers the request with this id, which has to be forgotten again."""
        self._newest = max(self._newest, id)
        waiter: asyncio.Future[Inbound] = self._loop.create_future()
        self._waiting[id] = waiter
        return waiter

    def forget(self, id: int) -> None:
        self._waiting.pop(id, None)

    def heard(self, data: bytes) -> None:
        """Bytes that should be one message, or a batch of them."""
        try:
            messages = decode(data)
        except BadResponse as error:
            self._unreadable(data, error)
            return
        for message in messages:
            if message.method is not None:
                self._peer.received(message, None)
            elif (waiter := self._waiting.pop(message.id, None)) is None:
                self._unasked(message, data)
            elif not waiter.done():
                waiter.set_result(message)

    def fail(self, error: Callable[[], GatewayError]) -> None:
        """Every request that waits fails, each with an error of its own."""
        waiting, self._waiting = self._waiting, {}
        for waiter in waiting.values():
            if not waiter.done():
                waiter.set_exception(error())

    def _unasked(self, message: Inbound, data: bytes) -> None:
        """A response to nothing. To what was cancelled, or answered before, it is no surprise."""
        if not isinstance(message.id, int) or not 0 < message.id <= self._newest:
            self._tell("a response to nothing", data)

    def _unreadable(self, data: bytes, error: BadResponse) -> None:
        if data.isspace():
            return
        named = {int(id) for id in ID.findall(data[:END]) + ID.findall(data[-END:])}
        waiting = [self._waiting[id] for id in named if id in self._waiting]
        if data.lstrip().startswith(b"{") and len(waiting) == 1 and not waiting[0].done():
            waiting[0].set_exception(error.with_traceback(None))
        else:
            self._tell("no message", data)

    def _tell(self, what: str, data: bytes) -> None:
        """At most one line in `QUIET` seconds, with how many it stands for."""
        self._unfit += 1
        now = self._loop.time()
        if now < self._silent_until:
            return
        sample = self._redacted(data[:LOOKED_AT].decode(errors="replace").strip())[:SAMPLE]
        facts = {"backend": self._backend, "what": what, "count": self._unfit, "sample": sample}
        log.warning("server_noise", extra=facts)
        self._unfit = 0
        self._silent_until = now + QUIET
