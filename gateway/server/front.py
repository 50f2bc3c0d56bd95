"""The HTTP front: listens on one address, sweeps its connections, and stops without losing one."""

import asyncio
import contextlib
import logging
from collections import Counter

from gateway.server.connection import Connection
from gateway.server.house import Answer, House
from gateway.server.limits import Limits

log = logging.getLogger(__name__)

BACKLOG = 1024  # connections that wait to be taken; others come again after a second
FLUSHED = 0.02  # seconds between two looks at what clients have taken
SWEPT = 256  # connections looked at, and perhaps cut, before calls have their turn
ENDING = 1.0  # seconds that cancelled calls have to clean up


class Front:
    """Answers by `answer`."""

    def __init__(self, answer: Answer, limits: Limits | None = None) -> None:
        self._house = House(answer, limits or Limits())
        self._server: asyncio.Server | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self.port = 0  # the real one, once started

    @property
    def connections(self) -> int:
        return len(self._house.connections)

    async def start(self, host: str, port: int) -> None:
        """Raises OSError when the address cannot be had. Port 0 takes a free one."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, host, port, backlog=BACKLOG)
        self.port = self._server.sockets[0].getsockname()[1]
        self._sweeping = asyncio.create_task(self._sweep())

    def close_each(self) -> None:
        """From now on a connection closes with its next answer: clients need not run into the end
        of all of them.
        """
        self._house.closing = True

    async def flush(self, within: float) -> None:
        """Wait until clients have taken what was sent to them, at most `within` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while any(one.unread for one in self._house.connections):  # noqa: ASYNC110  no transport tells when it is empty
                    await asyncio.sleep(FLUSHED)

    async def aclose(self) -> None:
        """Stop listening and end every connection, whatever it is doing."""
        if self._server is None or self._sweeping is None:
            return
        self._sweeping.cancel()
        self._server.close()
        for connection in tuple(self._house.connections):
            connection.cut()
        tasks = [self._sweeping, *self._house.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=ENDING)

    def _connection(self) -> Connection:
        return Connection(self._house)

    async def _sweep(self) -> None:
        limits = self._house.limits
        pause = min(1.0, limits.head / 4, limits.body / 4, limits.stalled / 4)
        while True:
            await asyncio.sleep(pause)
            self._house.heads.tick()
            cut: Counter[str] = Counter()
            for number, one in enumerate(tuple(self._house.connections), 1):
                reason = one.overdue(asyncio.get_running_loop().time())
                if reason is not None:
                    cut[reason] += 1
                if number % SWEPT == 0:
                    await asyncio.sleep(0)
            for reason, count in cut.items():  # one line, however many: clients decide how many
                log.info("connections_cut", extra={"reason": reason, "count": count})
