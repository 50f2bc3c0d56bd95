"""Lines in and lines out of plain file descriptors, off the event loop.

A thread reads and a thread writes, so pipes, terminals and files all work and none can stall the
loop. Both sides are bounded: a peer that writes too fast, or does not read, is waited for.
"""

import asyncio
import contextlib
import os
import queue
import threading
from collections import deque

CHUNK = 65_536
MOST_WAITING = 64  # lines read but not yet handled
MOST_UNWRITTEN = 16 * 1024 * 1024  # bytes


class TooLong:
    """Stands in the place of a line that was too long to keep."""


Line = bytes | TooLong


def claim_standard_streams() -> tuple[int, int]:
    """Our own copies of standard input and output; what else writes there is sent elsewhere.

    After it descriptor 0 is empty and 1 leads to standard error, so that a stray print, or a child
    that inherits them, cannot get between two messages.
    """
    ours = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return ours


class LineReader:
    """Iterate it for lines without their end; it stops at the end of the input.

    A line of more than `largest` bytes comes as TooLong.
    """

    def __init__(self, fd: int, largest: int) -> None:
        self._fd = fd
        self._largest = largest
        self._loop = asyncio.get_running_loop()
        self._lines: deque[Line | None] = deque()
        self._news = asyncio.Event()
        self._room = threading.Semaphore(MOST_WAITING)
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    def stop(self) -> None:
        """Behave as if the input had ended here."""
        self._put(None)

    def __aiter__(self) -> "LineReader":
        return self

    async def __anext__(self) -> Line:
        while not self._lines:
            self._news.clear()
            await self._news.wait()
        line = self._lines.popleft()
        self._room.release()
        if line is None:
            raise StopAsyncIteration
        return line

    def _put(self, line: Line | None) -> None:
        self._lines.append(line)
        self._news.set()

    def _read(self) -> None:
        rest: bytes | TooLong = b""
        while chunk := self._chunk():
            *ended, last = chunk.split(b"\n")
            for piece in ended:
                self._hand_over(self._joined(rest, piece))
                rest = b""
            rest = self._joined(rest, last)
        if isinstance(rest, TooLong) or rest:
            self._hand_over(rest)
        self._hand_over(None)

    def _chunk(self) -> bytes:
        try:
            return os.read(self._fd, CHUNK)
        except OSError:
            return b""  # a terminal that is gone

    def _joined(self, rest: Line, piece: bytes) -> Line:
        if isinstance(rest, TooLong) or len(rest) + len(piece) > self._largest:
            return TooLong()
        return rest + piece

    def _hand_over(self, line: Line | None) -> None:
        self._room.acquire()
        try:
            self._loop.call_soon_threadsafe(self._put, line)
        except RuntimeError:
            return  # the loop is closed: we are leaving


class LineWriter:
    """Writes what it is given, in order. A reader that is gone makes it silent."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._loop = asyncio.get_running_loop()
        self._unwritten = 0
        self._patient = True
        self._progress = asyncio.Event()
        self._chunks: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._done = asyncio.Event()
        threading.Thread(target=self._write, name="stdout", daemon=True).start()

    def write(self, line: bytes) -> None:
        self._unwritten += len(line) + 1
        self._chunks.put(line + b"\n")

    def offer(self, line: bytes) -> None:
        """Write what may be left out; it is while the peer is far behind."""
        if self._unwritten <= MOST_UNWRITTEN:
            self.write(line)

    async def room(self) -> None:
        """Wait until the peer has read enough of what was written, or nobody waits any more."""
        while self._unwritten > MOST_UNWRITTEN and self._patient and not self._done.is_set():
            self._progress.clear()
            await self._progress.wait()

    def hurry(self) -> None:
        """From now on there is always room."""
        self._patient = False
        self._progress.set()

    async def aclose(self, within: float) -> None:
        """Write what is left, then end. A peer that has not read it `within` seconds never will."""
        self._chunks.put(None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._done.wait()

    def _write(self) -> None:
        while (chunk := self._chunks.get()) is not None:
            left = memoryview(chunk)
            try:
                while left:
                    left = left[os.write(self._fd, left) :]
            except OSError:
                break
            self._loop.call_soon_threadsafe(self._wrote, len(chunk))
        self._loop.call_soon_threadsafe(self._ended)

    def _wrote(self, count: int) -> None:
        self._unwritten -= count
        self._progress.set()

    def _ended(self) -> None:
        self._done.set()
        self._progress.set()
