"""One file that is read anew whenever it changed and its writer is done."""

from collections.abc import Iterable

from gateway.capability.file.yaml_trouble import MAX_BYTES
from gateway.config.folder import NOT_A_FILE, Entry, Place, look, read
from gateway.domain.events import Event, FileRead
from gateway.domain.issue import Issue, Severity
from gateway.runtime.settling import Settling


class Followed:
    """`refresh` blocks for a moment: run it in a thread. `required`: its absence is an issue, as it
    always is that it has more than `most` bytes.
    """

    def __init__(
        self,
        file: str,
        *,
        required: bool,
        settling: Settling | None = None,
        most: int = MAX_BYTES,
    ) -> None:
        self.file = file
        self._most = most
        self.places: set[Place] = set()
        self._required = required
        self._settling = settling or Settling()
        self._entry: Entry | None = None
        self._last: tuple[bytes | Issue, bool] | None = None

    @property
    def there(self) -> bool:
        """Whether there is such a file, however little is in it."""
        return self._entry is not None

    def refresh(self, *, cold: bool = False) -> tuple[bool, bytes | Issue | None]:
        """Look. First whether to look again soon, for it is being written; then the new content, or
        the issue why there is none; None when nothing is new.
        """
        found = look([self.file], self._most)
        self.places = found.places
        entry = found.entries.get(self.file)
        if entry is None and found.torn:
            return True, None
        if entry is None:
            self._entry = None
            reasons = {**found.unlisted, **found.refused}
            missing = Issue(self.file, "no such file") if self._required else b""
            fallback = missing if self.file in found.missing else Issue(self.file, NOT_A_FILE)
            return False, self._new(reasons.get(self.file, fallback))
        if self._entry is not None and self._entry.stamp == entry.stamp:
            return False, None
        if not cold and not self._settling.done(entry, self._entry):
            return True, None
        content = read(entry)
        if content is None:
            return True, None
        self._entry = entry
        return False, self._new(content)

    def _new(self, content: bytes | Issue) -> bytes | Issue | None:
        said = (content, self.there)  # an empty file is not none
        if said == self._last:
            return None
        self._last = said
        return content


def reading(file: str, issues: Iterable[Issue], *, counts: bool) -> FileRead:
    """What to tell of a file that was read; `counts`: what it says is in force from now on."""
    found = [(one.severity is Severity.ERROR and not counts, str(one)) for one in issues]
    errors = [text for is_error, text in found if is_error]
    warnings = tuple(text for is_error, text in found if not is_error)
    return FileRead(file, None if counts else (errors or ["it cannot be read"])[0], warnings)


def untold(_event: Event) -> None:
    """For what nobody listens to."""
