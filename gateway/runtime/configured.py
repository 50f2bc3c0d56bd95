"""`gateway.yaml` while it is in use: the newest good version counts, a broken one is told of.

Some of it is live at once. What the process was started with waits for the next start; an issue
says so.
"""

from collections.abc import Callable, Iterator, Mapping

from msgspec import structs

from gateway.config.folder import Entry, Place, look, read
from gateway.config.load import Loaded, Source
from gateway.config.model import Config
from gateway.domain.issue import Issue, Severity
from gateway.runtime.settling import Settling

LIVE = ("capabilities.", "log.level")  # what needs no restart, by how it starts

Understand = Callable[[bytes], Loaded]  # the file's content, with all that overrides it


class Configured:
    """`config` is what counts now. `refresh` blocks for a moment: run it in a thread."""

    def __init__(
        self,
        source: Source,
        config: Config,
        understand: Understand,
        settling: Settling | None = None,
    ) -> None:
        self.config = config
        self.issues: tuple[Issue, ...] = ()
        self.places: set[Place] = set()
        self._source = source
        self._started = config
        self._understand = understand
        self._settling = settling or Settling()
        self._entry: Entry | None = None
        self._content: bytes | None = None

    @property
    def file(self) -> str:
        return self._source.file

    def refresh(self, *, cold: bool = False) -> bool:
        """Look, and read what changed. True: the file is being written; look again soon."""
        file = self._source.file
        found = look([file])
        self.places = found.places
        entry = found.entries.get(file)
        if entry is None:
            self._entry = None
            return found.torn or self._gone({**found.unlisted, **found.refused})
        if self._entry is not None and self._entry.stamp == entry.stamp:
            return False
        if not cold and not self._settling.done(entry, self._entry):
            return True
        content = read(entry)
        if content is None:
            return True
        self._entry = entry
        self._take(content)
        return False

    def _gone(self, reasons: Mapping[str, Issue]) -> bool:
        file = self._source.file
        fallback = Issue(file, "no such file") if self._source.required else b""
        self._take(reasons.get(file, fallback))
        return False

    def _take(self, content: bytes | Issue) -> None:
        if isinstance(content, Issue):
            self._content, self.issues = None, (content,)
            return
        if content == self._content:
            return
        self._content = content
        loaded = self._understand(content)
        self.issues = loaded.issues
        if loaded.config is not None:
            self.config = loaded.config
            self.issues = tuple(self._waiting())

    def _waiting(self) -> Iterator[Issue]:
        """What differs from what the process was started with, and needs a restart."""
        for section in structs.fields(Config):
            old, new = (getattr(one, section.name) for one in (self._started, self.config))
            for key in structs.fields(old):
                place = f"{section.name}.{key.name}"
                if getattr(old, key.name) != getattr(new, key.name) and not place.startswith(LIVE):
                    yield Issue(
                        self._source.file,
                        "the change takes effect at the next start",
                        path=place,
                        severity=Severity.WARNING,
                    )
