"""For each capability file its newest version and the one that is live: the last good one stays.

Blocking, and not small for a thousand changed files: `refresh` and `desired` run in a thread, never
two at a time.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from operator import attrgetter

from gateway.backends.base import Backend
from gateway.config.folder import Entry, Look, read
from gateway.domain.issue import Issue, Severity
from gateway.runtime.claims import Claim, Verdict, judge
from gateway.runtime.plan import Desired, Wanted
from gateway.runtime.settling import Settling

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Version:
    """What a file's content comes to: a backend to build under a name, or nothing.

    Nothing, and no issue that is an error: the file is switched off. `named_at` are the line and
    column, from 1, where the file gives the name.
    """

    name: str | None
    build: Callable[[], Backend] | None
    issues: tuple[Issue, ...] = ()
    named_at: tuple[int, int] = (1, 1)


Load = Callable[[bytes, str], Version]  # content and the file's name


@dataclass(frozen=True, slots=True)
class Good:
    """A version that can be served; equal keys mean equal content under equal settings."""

    name: str
    key: str
    build: Callable[[], Backend]
    named_at: tuple[int, int]


@dataclass(slots=True)
class Book:
    """One file: as it was last read, what came of that, and what of it is live."""

    entry: Entry | None = None
    digest: str = ""
    newest: Good | None = None
    off: bool = False
    issues: tuple[Issue, ...] = ()
    served: Good | None = None

    @property
    def claim(self) -> Claim:
        served = self.served.name if self.served and not self.off else None
        return Claim(self.newest.name if self.newest else None, served)

    def version(self, *, newest: bool) -> Good | None:
        return self.newest if newest else self.served


class Shelf:
    """`refresh` after a look at the disk; what is `desired` goes live, and then it is `served`."""

    def __init__(self, load: Load, settling: Settling | None = None) -> None:
        self._load = load
        self._settling = settling or Settling()
        self._books: dict[str, Book] = {}
        self._standing: tuple[Issue, ...] = ()
        self._awarded: Mapping[str, Good] = {}
        self._edition = 0
        self._outdated: set[str] = set()
        self.changed = True  # whether there is more to tell than what is live
        self.loaded = 0  # files that the last refresh read

    def reload_all(self, load: Load) -> None:
        """Other settings: what every file comes to must be found out anew."""
        self._load = load
        self._edition += 1
        self._outdated = set(self._books)

    def refresh(self, found: Look, *, cold: bool = False) -> bool:
        """Read and load what changed. True: something is still being written; look again soon.

        `cold`: there is nothing live to protect yet, so whatever is there counts.
        """
        self._settling.keep(found.entries)
        differing = [entry for entry in found.entries.values() if self._differs(entry)]
        ready = [entry for entry in differing if cold or self._ready(entry)]
        again = found.torn or len(ready) < len(differing)
        for entry in ready:
            again |= not self._read(entry)
        self.loaded = len(ready)
        for file, issue in found.refused.items():
            self._refuse(file, issue)
        there = found.entries.keys() | found.refused.keys()
        for file in [file for file in self._books if file not in there and not found.hides(file)]:
            del self._books[file]
            self.changed = True
        standing = (*found.missing.values(), *found.unlisted.values())
        self.changed |= standing != self._standing
        self._standing = standing
        return again

    def desired(self) -> Desired:
        """What to serve: of each file the newest version, or the last good one. And all issues."""
        verdict = judge({file: book.claim for file, book in self._books.items()})
        clashes = dict(self._clashes(verdict))
        self._awarded = {
            award.file: good
            for award in verdict.awards.values()
            if (good := self._books[award.file].version(newest=award.newest))
        }
        wanted: dict[str, Wanted] = {}
        for file, good in self._awarded.items():
            book = self._books[file]
            stale = () if good is book.newest else _reasons(book, clashes.get(file))
            wanted[good.name] = Wanted(good.name, good.key, good.build, stale)
        return Desired(wanted, self._issues(clashes.values()))

    def served(self) -> None:
        """What was last `desired` is live now."""
        for file, book in self._books.items():
            book.served = self._awarded.get(file)
        self.changed = False

    def _issues(self, clashes: Iterable[Issue]) -> tuple[Issue, ...]:
        found = [issue for book in self._books.values() for issue in book.issues]
        found += [*clashes, *self._standing]
        return tuple(sorted(found, key=attrgetter("file", "line", "column")))

    def _clashes(self, verdict: Verdict) -> Iterator[tuple[str, Issue]]:
        for file, (name, holder) in verdict.refused.items():
            text = f"the backend name {name!r} is already that of {holder}"
            hint = "give one of the two another 'name:'"
            newest = self._books[file].newest
            line, column = newest.named_at if newest else (1, 1)
            yield file, Issue(file, text, line, column, "name", hint)

    def _before(self, entry: Entry) -> Entry | None:
        book = self._books.get(entry.file)
        return book.entry if book else None

    def _differs(self, entry: Entry) -> bool:
        before = self._before(entry)
        same = before is not None and before.stamp == entry.stamp
        return not same or entry.file in self._outdated

    def _ready(self, entry: Entry) -> bool:
        before = self._before(entry)
        same = before is not None and before.stamp == entry.stamp
        return same or self._settling.done(entry, before)

    def _read(self, entry: Entry) -> bool:
        """False: it changed under our hands."""
        content = read(entry)
        if content is None:
            return False
        if isinstance(content, Issue):
            self._refuse(entry.file, content, entry)
        else:
            self._take(entry, content)
        self._outdated.discard(entry.file)
        return True

    def _take(self, entry: Entry, data: bytes) -> None:
        digest = blake2b(data, digest_size=16).hexdigest()
        book = self._books.setdefault(entry.file, Book())
        book.entry = entry
        if book.digest == digest and entry.file not in self._outdated:
            return  # touched, not changed
        version = self._loaded(data, entry.file)
        book.digest = digest
        book.newest = None
        if version.name is not None and version.build is not None:
            key = f"{self._edition}:{digest}:{entry.file}"
            book.newest = Good(version.name, key, version.build, version.named_at)
        book.issues = version.issues
        book.off = book.newest is None and not _errors(version.issues)
        self.changed = True

    def _loaded(self, data: bytes, file: str) -> Version:
        try:
            return self._load(data, file)
        except Exception as error:  # a fault of ours costs one file, not the reload
            log.exception("load_failed", extra={"file": file})
            text = (
                f"{type(error).__name__} while it was loaded: a fault of the gateway, see its log"
            )
            return Version(None, None, (Issue(file, text),))

    def _refuse(self, file: str, issue: Issue, entry: Entry | None = None) -> None:
        book = self._books.setdefault(file, Book())
        book.entry = entry
        if book.issues != (issue,):
            book.digest, book.newest, book.off, book.issues = "", None, False, (issue,)
            self.changed = True


def _errors(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    return tuple(issue for issue in issues if issue.severity is Severity.ERROR)


def _reasons(book: Book, clash: Issue | None) -> tuple[Issue, ...]:
    """Why the newest version is not the one that is live."""
    return (clash,) if clash else _errors(book.issues)
