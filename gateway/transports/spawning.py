"""Starts child processes beside the loop, which a fork and the wait for the program would stop for
milliseconds each: two hundred servers that end at once would take seconds of it.

The rule: the threads that do it never end, since Linux kills the children of a thread that asked to
die with their parent (`PR_SET_PDEATHSIG`) when that thread ends.
"""

import asyncio
import contextlib
import ctypes
import functools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

AT_ONCE = 2  # so that one slow program does not keep all others waiting
PR_SET_PDEATHSIG = 1

Child = subprocess.Popen[bytes]


@dataclass(frozen=True, slots=True)
class Program:
    argv: tuple[str, ...]
    environ: Mapping[str, str]
    cwd: str | None = None


async def spawned(program: Program) -> Child:
    """With three pipes, in a session of its own. Raises OSError or ValueError as Popen does.

    Cancelled, it leaves nothing behind, maybe a moment later.
    """
    starting = _starters().submit(_spawned, program)
    try:
        return await asyncio.wrap_future(starting)
    except asyncio.CancelledError:
        starting.add_done_callback(_unwanted)
        raise


@functools.cache
def _starters() -> ThreadPoolExecutor:
    """Those of this process."""
    return ThreadPoolExecutor(AT_ONCE, "spawn")


def _unwanted(starting: "Future[Child]") -> None:
    if starting.cancelled() or starting.exception() is not None:
        return
    child = starting.result()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    with child:  # closes its pipes, and waits
        pass


def _spawned(program: Program) -> Child:
    return subprocess.Popen(  # noqa: S603  the operator's own command, and no shell
        program.argv,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=program.cwd,
        env=program.environ,
        start_new_session=True,
        preexec_fn=_dying_with_us(),  # noqa: PLW1509  it takes no lock: one call into the system
    )


def _dying_with_us() -> Callable[[], None] | None:
    """What a child does first of all, so that the system kills it when we are killed (F16)."""
    if sys.platform != "linux":
        return None  # it reads the end of its input
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def die_with_us() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # we were killed before it could ask
            os._exit(1)

    return die_with_us
