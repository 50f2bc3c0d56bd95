"""A safe look into the directories that hold capability files: what is there, and its bytes.

Nothing here parses and nothing here waits: a path is opened only when it is a regular file inside
its root, without blocking, and is read only up to a cap (I50, I51).
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from gateway.capability.file.yaml_trouble import MAX_BYTES
from gateway.domain.issue import Issue, Severity

SUFFIXES = (".yaml", ".yml")
TEMPORARY = (".", "#", "~")  # how hidden files and the half-saved files of editors begin
ATTEMPTS = 3  # to follow a link: a ConfigMap may be swapped between two steps of one attempt
PASSING = (errno.ENOENT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR, errno.ESTALE)
NOT_A_FILE = "not a regular file"
OPEN = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NOCTTY", 0)
)


class Stamp(NamedTuple):
    """Equal stamps mean an unchanged file: what makes a look at 10,000 of them cheap."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, state: os.stat_result) -> "Stamp":
        return cls(state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


class Place(NamedTuple):
    """A directory to watch, for changes of `child` alone or (when empty) of anything in it.

    The numbers tell it from another directory that takes its path.
    """

    path: str
    device: int
    inode: int
    child: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that may be read: `file` is the name people know it by, `real` the path to open."""

    file: str
    real: str
    stamp: Stamp


@dataclass(slots=True)
class Look:
    """What was found, by name; `unlisted` are directories whose content is not known just now.

    `torn`: something went away between two steps of the look; look again.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    refused: dict[str, Issue] = field(default_factory=dict)
    unlisted: dict[str, Issue] = field(default_factory=dict)
    missing: dict[str, Issue] = field(default_factory=dict)
    places: set[Place] = field(default_factory=set)
    torn: bool = False

    def hides(self, file: str) -> bool:
        """Whether a file that was not found may be there all the same."""
        return any(file.startswith(f"{directory}{os.sep}") for directory in self.unlisted)


def look(roots: Iterable[str], most: int = MAX_BYTES) -> Look:
    """Everything under `roots`, which may be single files too, hidden and temporary names apart.
    A file of more than `most` bytes is refused.
    """
    found = Look()
    for root in roots:
        found.places |= anchors(Path(root))
        _Walk(found, root, most).run()
    return found


def read(entry: Entry) -> bytes | Issue | None:
    """The file's bytes, or why not; None to look again soon: it is no more what it was at the look,
    or the system is short of something.

    Never blocks on a pipe or a device.
    """
    try:
        descriptor = os.open(entry.real, OPEN)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return Issue(entry.file, NOT_A_FILE)
            data = os.read(descriptor, entry.stamp.size)
            return data if Stamp.of(os.fstat(descriptor)) == entry.stamp else None
        finally:
            os.close(descriptor)
    except OSError as error:
        return None if error.errno in PASSING else _unreadable(entry.file, error)


def anchors(path: Path) -> set[Place]:
    """Where to watch for `path` to appear, vanish or be swapped: its nearest existing parent."""
    whole = path.absolute()
    for parent in whole.parents:
        try:
            state = parent.stat()
        except OSError:
            continue
        child = parent / whole.relative_to(parent).parts[0]
        name = "" if child.is_symlink() else child.name  # a link may lead over others beside it
        return {Place(str(parent), state.st_dev, state.st_ino, name)}
    return set()


class _Walk:
    """One root. Real directories are walked before linked ones, and none twice."""

    def __init__(self, found: Look, root: str, most: int) -> None:
        self._found = found
        self._root = root
        self._most = most
        self._inside = ""  # the real root, with a separator at its end
        self._todo: list[tuple[str, str]] = []  # name, real path
        self._linked: list[tuple[str, str]] = []
        self._seen: set[tuple[int, int]] = set()

    def run(self) -> None:
        try:
            real = _resolved(Path(self._root))
            state = real.stat()
        except FileNotFoundError:
            text = "no such file or directory; it is served as soon as it appears"
            hint = "capgate new NAME writes a first capability file"
            self._found.missing[self._root] = _warning(self._root, text, hint)
            return
        except OSError as error:
            self._found.unlisted[self._root] = _unreadable(self._root, error)
            return
        if not stat.S_ISDIR(state.st_mode):
            self._file(self._root, str(real), state)
            return
        self._inside = str(real).rstrip(os.sep) + os.sep
        self._todo.append((self._root.rstrip(os.sep) or os.sep, str(real)))
        while self._todo or self._linked:
            self._directory(*(self._todo or self._linked).pop())

    def _directory(self, name: str, real: str) -> None:
        try:
            state = Path(real).stat()
            if (state.st_dev, state.st_ino) in self._seen:
                return
            self._seen.add((state.st_dev, state.st_ino))
            with os.scandir(real) as listing:
                inside = sorted(listing, key=lambda item: item.name, reverse=True)
        except OSError as error:
            self._found.unlisted[name] = _unreadable(name, error)
            self._found.torn |= isinstance(error, FileNotFoundError)
            return
        self._found.places.add(Place(real, state.st_dev, state.st_ino))
        for item in inside:
            if not item.name.startswith(TEMPORARY):
                self._item(f"{name}{os.sep}{item.name}", item)

    def _item(self, file: str, item: os.DirEntry[str]) -> None:
        named = item.name.endswith(SUFFIXES)
        try:
            if item.is_symlink():
                self._link(file, item.path, named=named)
            elif item.is_dir(follow_symlinks=False) and not named:
                self._todo.append((file, item.path))
            elif named:
                self._file(file, item.path, item.stat(follow_symlinks=False))
        except FileNotFoundError:
            self._found.torn = True
        except OSError as error:
            self._found.refused[file] = _unreadable(file, error)

    def _link(self, file: str, path: str, *, named: bool) -> None:
        target = _target(Path(path))
        if target is None:
            if named:
                self._found.refused[file] = Issue(file, "a symlink that leads nowhere")
            return
        real, state = target
        directory = stat.S_ISDIR(state.st_mode)
        if not (named or directory):
            return
        if not f"{real}{os.sep}".startswith(self._inside):
            self._found.refused[file] = Issue(
                file,
                f"a symlink that leads out of {self._root!r}",
                hint="put the file itself there",
            )
        elif directory and not named:
            self._linked.append((file, str(real)))
        else:
            parent = real.parent.stat()
            self._found.places.add(Place(str(real.parent), parent.st_dev, parent.st_ino))
            self._file(file, str(real), state)

    def _file(self, file: str, real: str, state: os.stat_result) -> None:
        refuse = self._found.refused
        if not file.isprintable():
            refuse[ascii(file)] = Issue(ascii(file), "a file name with unprintable characters")
        elif not stat.S_ISREG(state.st_mode):
            refuse[file] = Issue(file, NOT_A_FILE)
        elif state.st_size > self._most:
            refuse[file] = Issue(file, f"larger than {self._most >> 20} MiB")
        else:
            self._found.entries[file] = Entry(file, real, Stamp.of(state))


def _target(link: Path) -> tuple[Path, os.stat_result] | None:
    """Where a symlink leads. A ConfigMap's may be swapped between two steps of one attempt."""
    for _ in range(ATTEMPTS):
        with contextlib.suppress(FileNotFoundError):
            real = _resolved(link)
            return real, real.stat()
    return None


def _resolved(path: Path) -> Path:
    """The real path; raises OSError, also for links that go round (Python before 3.13 does not)."""
    try:
        return path.resolve(strict=True)
    except RuntimeError:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None


def _unreadable(file: str, error: OSError) -> Issue:
    reason = (error.strerror or type(error).__name__).lower()
    return Issue(file, f"cannot be read: {reason}")


def _warning(file: str, text: str, hint: str | None = None) -> Issue:
    return Issue(file, text, hint=hint, severity=Severity.WARNING)
