"""How much a legacy server is to log: as much as the client that wants most, set when one wants it.

The rule: it is never turned down again. Each front passes on no more than its client wants.
Source: 2025-11-25, server/utilities/logging.
"""

import asyncio

from gateway.protocol import mcp
from gateway.session.line import Line
from gateway.session.paging import Own

QUIET = len(mcp.LOG_LEVELS)


class Verbosity:
    """`own` sends a request of the gateway's."""

    def __init__(self, line: Line, own: Own) -> None:
        self._line = line
        self._own = own
        self._wanted = QUIET  # index into LOG_LEVELS, where 0 is most verbose
        self._set = QUIET  # what the server knows of it
        self._lock = asyncio.Lock()

    def forgotten(self) -> None:
        """The server starts anew."""
        self._set = QUIET

    def lacks(self, level: str) -> bool:
        """Whether the server has to be told first, so that somebody hears `level`."""
        return self._set > 0 and _index(level) < self._set

    async def raise_to(self, level: str) -> None:
        """Have the server log at `level`, too. That it refuses costs nothing but log messages."""
        self._wanted = min(self._wanted, _index(level))
        async with self._lock:
            if self._wanted >= self._set or not self._logs():
                return
            wanted = self._wanted
            answer = await self._own(mcp.SET_LEVEL, {"level": mcp.LOG_LEVELS[wanted]})
            if answer.error is None or self._set == QUIET:
                self._set = wanted

    async def restore(self) -> None:
        if self._wanted < QUIET:
            await self.raise_to(mcp.LOG_LEVELS[self._wanted])

    def _logs(self) -> bool:
        return not self._line.modern and "logging" in self._line.introduction.capabilities


def _index(level: str) -> int:
    return mcp.LOG_LEVELS.index(level) if level in mcp.LOG_LEVELS else QUIET
