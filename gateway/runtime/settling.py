"""When a changed file may be read: once its writer is done, as far as one can tell (F7).

Half of a YAML file is often good YAML. So a file written in place counts once it has been left
alone for a while; one that was renamed or linked into place is whole, and counts at once.
"""

import time
from collections.abc import Callable, Container

from gateway.config.folder import Entry, Stamp

QUIET = 0.35  # seconds without a change


class Settling:
    """Remembers since when each changed file looks as it does. Asked at each look at the disk."""

    def __init__(
        self, *, quiet: float = QUIET, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._quiet = quiet
        self._clock = clock
        self._since: dict[str, tuple[Stamp, float]] = {}

    def done(self, entry: Entry, before: Entry | None) -> bool:
        """Whether `entry` is complete; `before` is how the file was when it was last read."""
        if _at_once(entry, before):
            self._since.pop(entry.file, None)
            return True
        now = self._clock()
        stamp, since = self._since.setdefault(entry.file, (entry.stamp, now))
        if stamp != entry.stamp:
            self._since[entry.file] = entry.stamp, now
            return False
        if now - since < self._quiet:
            return False
        del self._since[entry.file]
        return True

    def keep(self, files: Container[str]) -> None:
        """Of all but these nothing need be remembered: they are gone."""
        self._since = {file: since for file, since in self._since.items() if file in files}


def _at_once(entry: Entry, before: Entry | None) -> bool:
    """A rename sets the time of the inode after that of the content; a write sets both alike."""
    if before is not None and before.real != entry.real:
        return True
    known = before is not None and before.stamp.inode == entry.stamp.inode
    return not known and entry.stamp.ctime_ns > entry.stamp.mtime_ns
