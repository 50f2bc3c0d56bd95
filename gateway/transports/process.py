"""A child process with three pipes, in a session of its own: started, watched and ended together
with everything it started.

The rule: where the system tells of an end and leaves the zombie (Linux), the group is killed before
the number is free again, so no signal of ours can meet a stranger. A child that begins a session of
its own, as daemons do, gets away.
"""

import asyncio
import contextlib
import io
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from gateway.transports.reaper import reaper
from gateway.transports.spawning import Child, Program, spawned

KILLED = 2.0  # seconds until the system has ended what it was told to kill


@dataclass(frozen=True, slots=True)
class Handlers:
    """Who hears of a child. `exited` is called on the loop, once, when the program has ended."""

    output: asyncio.Protocol
    errors: asyncio.Protocol
    input: asyncio.BaseProtocol
    exited: Callable[[], None]


def _handle(pid: int) -> int | None:
    """A descriptor that can be read once the process has ended; None where there are none such."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux, or an old one
        return None


class Process:
    """`input` is where to write. Made by `start`; whoever has one calls `stop`, or `kill`."""

    input: asyncio.WriteTransport

    def __init__(self, child: Child, exited: Callable[[], None], handle: int | None) -> None:
        self.pid = child.pid
        self._child = child
        self._tell = exited
        self._handle = handle
        self._loop = asyncio.get_running_loop()
        self._gone = asyncio.Event()
        self._closing: list[Callable[[], None]] = []
        reaper().watch(self.pid)
        if handle is None:
            threading.Thread(target=self._wait, name="child", daemon=True).start()
        else:
            self._loop.add_reader(handle, self._exited)

    @classmethod
    async def start(
        cls, program: Program, handlers: Handlers, handle: Callable[[int], int | None] = _handle
    ) -> "Process":
        """Raises OSError or ValueError as `subprocess.Popen` does. Cancelled, it leaves nothing."""
        child = await spawned(program)
        self = cls(child, handlers.exited, handle(child.pid))
        try:
            await self._connect(handlers)
        except BaseException:
            self.kill()
            self.release()
            raise
        return self

    @property
    def exit_status(self) -> str | None:
        """How it ended, in words; None while it runs."""
        code = self._child.returncode
        if code is None:
            return None
        if code >= 0:
            return f"exit code {code}"
        with contextlib.suppress(ValueError):
            return f"signal {signal.Signals(-code).name}"
        return f"signal {-code}"

    def kill(self) -> None:
        """End it and its group at once."""
        self._signal(signal.SIGKILL)

    async def stop(self, politely: float) -> None:
        """End it: its input first, then SIGTERM, then SIGKILL, so many seconds apart; back when it
        is gone.
        """
        try:
            self.input.close()
            if not await self._ends_within(politely):
                self._signal(signal.SIGTERM)
                await self._ends_within(politely)
        finally:
            self.kill()
            self.release()
        await self._ends_within(KILLED)

    def release(self) -> None:
        """Close the pipes. What is still in them is lost."""
        for close in self._closing:
            close()

    async def _connect(self, handlers: Handlers) -> None:
        loop, child = self._loop, self._child
        with contextlib.ExitStack() as theirs:
            for file in (child.stdin, child.stdout, child.stderr):
                theirs.callback(file.close)  # type: ignore[union-attr]
            output, _ = await loop.connect_read_pipe(
                lambda: handlers.output, _copy(child.stdout, loop)
            )
            self._closing.append(output.close)
            errors, _ = await loop.connect_read_pipe(
                lambda: handlers.errors, _copy(child.stderr, loop)
            )
            self._closing.append(errors.close)
            self.input, _ = await loop.connect_write_pipe(
                lambda: handlers.input, _copy(child.stdin, loop)
            )
            self._closing.append(lambda: _abort(self.input))

    async def _ends_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._gone.wait()
        return self._gone.is_set()

    def _signal(self, number: signal.Signals) -> None:
        if not self._gone.is_set():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    # -- its end ------------------------------------------------------------------------------

    def _wait(self) -> None:
        self._child.wait()
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._exited)

    def _exited(self) -> None:
        self.kill()  # whatever it leaves behind
        self._child.poll()
        reaper().forget(self.pid)
        if self._handle is not None:
            self._loop.remove_reader(self._handle)
            os.close(self._handle)
        self._gone.set()
        self._tell()


def _abort(pipe: asyncio.WriteTransport) -> None:
    """Unless it is closed: then the standard loop's fails at it."""
    if not pipe.is_closing() or pipe.get_write_buffer_size():
        pipe.abort()


def _copy(pipe: IO[bytes] | None, loop: asyncio.AbstractEventLoop) -> io.FileIO:
    """The same end of a pipe for the loop, which closes it.

    uvloop does so by its number, and then closes the file too: by then the number can be that of
    what another thread has opened. So there the file must not care.
    """
    assert pipe is not None  # noqa: S101  we asked for all three
    closes_file = isinstance(loop, asyncio.BaseEventLoop)
    return io.FileIO(os.dup(pipe.fileno()), pipe.mode, closefd=closes_file)
