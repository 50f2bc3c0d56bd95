"""Sees to it that no child outlives the gateway, even one that is killed without a warning.

A direct child dies with us by itself where the system can do that (`process.py`), but what it
started (a package runner starts the real server) does not. So one small watcher, a process of its
own, is told of every group that begins and ends; see `reaper_program.py`. It is started with the
first child and stays. Without it everything works, but for this one promise.
"""

import contextlib
import functools
import logging
import os
import sys
from pathlib import Path

from gateway.credentials.secret import environment
from gateway.transports import reaper_program

LOADER = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # some interpreters cannot start without
PROGRAM = str(Path(reaper_program.__file__))

log = logging.getLogger(__name__)


class Reaper:
    """`watch` each group when it begins, `forget` it when it is gone. Neither blocks nor raises."""

    def __init__(self, interpreter: str = sys.executable) -> None:
        self._interpreter = interpreter
        self._groups: set[int] = set()
        self._pipe: int | None = None
        self.pid: int | None = None  # of the watcher, while there is one

    def watch(self, group: int) -> None:
        self._groups.add(group)
        if self._pipe is None or not self._told(b"+%d\n" % group):
            self._start()

    def forget(self, group: int) -> None:
        self._groups.discard(group)
        self._told(b"-%d\n" % group)

    def close(self) -> None:
        """Let the watcher end; it kills what was not forgotten."""
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
        if self.pid is not None:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, 0)
            self.pid = None

    def _told(self, line: bytes) -> bool:
        try:
            return self._pipe is not None and os.write(self._pipe, line) > 0
        except BlockingIOError:  # it stands still, and knows what it was told before
            return True
        except OSError:  # it was killed
            return False

    def _start(self) -> None:
        """Start it, or anew, and tell it of all groups there are."""
        self.close()
        try:
            self._spawn()
        except OSError as error:
            log.warning("watcher_failed", extra={"reason": error.strerror})
            return
        for group in self._groups:
            self._told(b"+%d\n" % group)

    def _spawn(self) -> None:
        environ = environment()
        theirs, ours = os.pipe()  # which other children do not inherit
        try:
            self.pid = os.posix_spawn(
                self._interpreter,
                [self._interpreter, "-I", "-S", PROGRAM],
                {name: environ[name] for name in LOADER if name in environ},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, theirs, 0),
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                ],
                setpgroup=0,  # a terminal's Ctrl-C is for the gateway alone
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        os.set_blocking(ours, False)
        self._pipe = ours


@functools.cache
def reaper() -> Reaper:
    """The one of this process."""
    return Reaper()
