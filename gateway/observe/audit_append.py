"""A descriptor that gets whole lines: what a full disk cut short is taken back, or ended first when
there is room again.
"""

import os
import stat
from typing import Protocol


class NotWritten(Exception):
    """The first `whole` bytes, which end a line, are written, and the rest is not: `reason`."""

    def __init__(self, whole: int, reason: str) -> None:
        super().__init__(reason)
        self.whole = whole
        self.reason = reason


class Sink(Protocol):
    """Where whole lines can be put. It blocks."""

    def put(self, lines: bytes) -> None:
        """Raises NotWritten."""
        ...

    def look(self) -> None:
        """See that it still is where lines are looked for; raises OSError where it cannot be."""
        ...

    def close(self) -> None: ...


class Appending:
    """`ours`: it may be cut, where it is a regular file. Nobody else writes while we do."""

    def __init__(self, descriptor: int, *, ours: bool) -> None:
        self.descriptor = descriptor
        self.regular = ours and stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._owed = b""  # the rest of a line that could not be taken back: it counts as written

    def append(self, lines: bytes) -> None:
        """All of them in one write, or what of them makes whole lines. Raises NotWritten."""
        owed = len(self._owed)
        data = self._owed + lines if owed else lines
        done, error = self._written(data)
        if error is None:
            self._owed = b""
            return
        if done < owed:
            whole, self._owed = owed, self._owed[done:]
        else:
            whole, self._owed = data.rfind(b"\n", 0, done) + 1, b""
            if done > whole and not self._taken_back(done - whole):
                whole = data.find(b"\n", done) + 1
                self._owed = data[done:whole]
        raise NotWritten(whole - owed, reason_of(error)) from error

    def close(self) -> None:
        os.close(self.descriptor)

    def _written(self, data: bytes) -> tuple[int, OSError | None]:
        done = 0
        while done < len(data):
            try:
                done += self._write(data[done:] if done else data)
            except OSError as error:
                return done, error
        return done, None

    def _write(self, data: bytes) -> int:
        return os.write(self.descriptor, data)

    def _taken_back(self, count: int) -> bool:
        if not self.regular:
            return False
        try:
            size = os.fstat(self.descriptor).st_size
            os.ftruncate(self.descriptor, max(size - count, 0))
        except OSError:  # one that may only grow
            return False
        return True


class Stream:
    """What others have opened, such as standard output: not ours to cut or to replace."""

    def __init__(self, descriptor: int) -> None:
        self._open = Appending(os.dup(descriptor), ours=False)

    def put(self, lines: bytes) -> None:
        self._open.append(lines)

    def look(self) -> None:
        pass

    def close(self) -> None:
        self._open.close()


def reason_of(error: OSError) -> str:
    """In the system's words, without a path."""
    return (os.strerror(error.errno) if error.errno else type(error).__name__).lower()
