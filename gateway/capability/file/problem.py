"""Something wrong at a path of a file, before anybody has looked up its line."""

from typing import NamedTuple

from gateway.domain.issue import Severity

MOST = 50  # problems of one file that anybody would read; the rest is not even looked for

Path = tuple[str | int, ...]


class Problem(NamedTuple):
    """`at_key`: the key at the end of `path` is to blame, not its value."""

    path: Path
    message: str
    hint: str | None = None
    severity: Severity = Severity.ERROR
    at_key: bool = False

    def below(self, *prefix: str | int) -> "Problem":
        return self._replace(path=(*prefix, *self.path))
