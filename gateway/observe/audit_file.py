"""A file of lines that others may share, move, cut or remove at any time: what is written goes to
the file that stands at its path.

Several processes may write to it: each holds its lock (flock) meanwhile. All of it blocks.
"""

import contextlib
import errno
import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from gateway.observe.audit_append import Appending, NotWritten, reason_of

log = logging.getLogger(__name__)

FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
MODE, FOLDER_MODE = 0o600, 0o700
PATIENCE = 40  # times that the lock is asked for
TURN = 0.005  # seconds between two of them
AGAIN = 60.0  # seconds after which a file that could not be put aside is tried again
REPLACED = 3  # times in a row that a file may be replaced while it is written


class Rotation(NamedTuple):
    """A file of `size` bytes is put aside, 0: never; `keep` old ones stay."""

    size: int = 0
    keep: int = 10


NEVER = Rotation()


class File:
    """It is opened when it is first written or looked at, and anew when another or none stands
    there.
    """

    def __init__(
        self,
        path: Path,
        rotation: Rotation = NEVER,
        *,
        sync: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._rotation = rotation
        self._sync = sync
        self._clock = clock
        self._open: Appending | None = None
        self._not_before = float("-inf")

    def look(self) -> None:
        with self._held():
            pass

    def put(self, lines: bytes) -> None:
        try:
            for _ in range(REPLACED):
                if self._put(lines):
                    return
        except OSError as error:
            raise NotWritten(0, reason_of(error)) from error
        raise NotWritten(0, "the file is replaced again and again")

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _put(self, lines: bytes) -> bool:
        """Whether they are in a file that somebody can find."""
        with self._held() as (file, size):
            if size and self._is_due(size + len(lines)) and self._put_aside():
                return False
            file.append(lines)
            if not file.regular:
                return True
            if self._sync:
                os.fdatasync(file.descriptor)
            return os.fstat(file.descriptor).st_nlink > 0

    @contextlib.contextmanager
    def _held(self) -> Iterator[tuple[Appending, int]]:
        """The file that stands there now, for us alone, and its size."""
        while True:
            file = self._open or self._opened()
            if not file.regular:
                if self._size_there(file.descriptor) is not None:
                    yield file, 0
                    return
                self.close()
                continue
            with _locked(file.descriptor):
                size = self._size_there(file.descriptor)
                if size is not None:
                    yield file, size
                    return
            self.close()

    def _opened(self) -> Appending:
        try:
            descriptor = os.open(self._path, FLAGS, MODE)
        except FileNotFoundError:
            self._path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            descriptor = os.open(self._path, FLAGS, MODE)
        os.set_blocking(descriptor, True)  # only a pipe that nobody reads was not to be waited for
        made = Appending(descriptor, ours=True)
        try:
            if made.regular:
                self._mend(descriptor)
        except OSError:
            made.close()
            raise
        self._open = made
        return made

    def _mend(self, descriptor: int) -> None:
        """End the last line, which a process that was killed had begun."""
        with _locked(descriptor), contextlib.suppress(PermissionError), self._path.open("rb") as it:
            size = it.seek(0, os.SEEK_END)
            it.seek(max(size - 1, 0))
            if size and it.read(1) != b"\n":
                os.write(descriptor, b"\n")
                log.warning("audit_line_torn", extra={"file": str(self._path)})

    def _size_there(self, descriptor: int) -> int | None:
        """None: what is open is no longer what stands at the path."""
        ours = os.fstat(descriptor)
        try:
            there = os.stat(self._path)  # noqa: PTH116 (half the time of Path.stat)
        except FileNotFoundError:
            return None
        same = (ours.st_ino, ours.st_dev) == (there.st_ino, there.st_dev)
        return ours.st_size if same else None

    def _is_due(self, size: int) -> bool:
        limit = self._rotation.size
        return 0 < limit < size and self._clock() >= self._not_before

    def _put_aside(self) -> bool:
        """Where that cannot be, the file just grows."""
        try:
            put_aside(self._path, self._rotation.keep)
        except OSError as error:
            self._not_before = self._clock() + AGAIN
            extra = {"file": str(self._path), "reason": reason_of(error)}
            log.warning("audit_rotation_failed", extra=extra)
            return False
        return True


def put_aside(path: Path, keep: int) -> None:
    """FILE becomes FILE.1, that FILE.2 and so on; the one after the last is no more."""
    if not keep:
        path.unlink()
        return
    old = [path.with_name(f"{path.name}.{number}") for number in range(1, keep + 1)]
    there = 0
    while there < keep - 1 and old[there].exists():
        there += 1
    for number in range(there, 0, -1):
        old[number - 1].replace(old[number])
    path.replace(old[0])


@contextlib.contextmanager
def _locked(descriptor: int) -> Iterator[None]:
    """Raises BlockingIOError where another process does not let go of it."""
    _lock(descriptor)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _lock(descriptor: int) -> None:
    pause = threading.Event()
    for _ in range(PATIENCE):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        pause.wait(TURN)
    raise BlockingIOError(errno.EWOULDBLOCK, "another process holds the file")
