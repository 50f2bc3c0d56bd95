"""What comes out of a child process: its lines, one by one, and the last it said of its troubles.

Both are bounded, whatever the child does: a line by `LARGEST`, its error output by `KEPT` bytes.
"""

import asyncio
from collections.abc import Callable

from gateway.log import printable
from gateway.protocol.received import LARGEST

KEPT = 16 * 1024  # bytes of error output
MOST_LINES = 64  # of them
SHOWN = 5  # lines in an error
WIDEST = 240  # characters of a line there

Told = Callable[[str], str]


class Lines(asyncio.Protocol):
    """Standard output: `line`, which one may replace, gets each line that is not empty, maybe with
    its line break.

    `ended` is told once why there are no more: None when the output ended, else what was wrong.
    """

    def __init__(
        self,
        line: Callable[[bytes], None],
        ended: Callable[[str | None], None],
        largest: int = LARGEST,
    ) -> None:
        self.line = line
        self._ended = ended
        self._largest = largest
        self._pieces: list[bytes] = []  # of a line that goes on
        self._size = 0
        self._over = False  # we listen no more
        self.ended = False  # nor can anything come

    def data_received(self, data: bytes) -> None:
        if not self._pieces and data.find(b"\n") == len(data) - 1:
            self.line(data)  # the usual: one whole line, as it came
        elif not self._over:
            self._cut(data)

    def deafen(self) -> None:
        """Read on, lest the child stand still, but tell nobody."""
        self._over = True
        self._pieces.clear()
        self.line = _unheard

    def eof_received(self) -> None:
        self.connection_lost(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        self._end(None)

    def _cut(self, data: bytes) -> None:
        *whole, rest = data.split(b"\n")
        for piece in whole:
            self._add(piece)
            if self._over:
                return
            if self._size:
                self.line(b"".join(self._pieces))
            self._pieces.clear()
            self._size = 0
        self._add(rest)

    def _add(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._largest:
            self._end(f"wrote a line of more than {self._largest} bytes")
        elif piece:
            self._pieces.append(piece)

    def _end(self, problem: str | None) -> None:
        if not self._over:
            self.deafen()
            self._ended(problem)


def _unheard(line: bytes) -> None:
    pass


class LastWords(asyncio.Protocol):
    """Standard error: of a gigabyte, the end."""

    def __init__(self, ended: Callable[[], None]) -> None:
        self.ended = False
        self._tell = ended
        self._kept = b""
        self._cut = False

    def data_received(self, data: bytes) -> None:
        kept = self._kept + data if len(data) < KEPT else data
        if len(kept) > KEPT:
            self._cut = True
            kept = kept[-KEPT:]
        self._kept = kept

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        self._tell()

    def lines(self) -> list[str]:
        """What a person can read of it, oldest first; no control character is left."""
        found = self._kept.decode(errors="replace").splitlines()
        if self._cut:
            del found[:1]  # begun somewhere in the middle
        return [printable(line.strip()) for line in found if line.strip()][-MOST_LINES:]

    def shown(self, redacted: Told) -> str:
        """The last few lines, for the text of an error; empty when there are none."""
        return " | ".join(redacted(line)[:WIDEST] for line in self.lines()[-SHOWN:])
