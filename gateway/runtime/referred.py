"""The small files that `gateway.yaml` refers to by `file:`: a key that is exchanged in one counts
from then on.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway.capability.file.yaml import Parsed
from gateway.config.folder import Place
from gateway.runtime.followed import Followed
from gateway.runtime.settling import Settling

_REFERENCE = re.compile(r"file:(.+)", re.DOTALL)


class Referred:
    """`refresh` blocks for a moment: run it in a thread."""

    def __init__(self, settling: Settling | None = None) -> None:
        self._settling = settling
        self._followed: dict[str, Followed] = {}

    @property
    def places(self) -> set[Place]:
        return {place for one in self._followed.values() for place in one.places}

    def follow(self, parsed: Parsed) -> None:
        """From now on those that stand in it; what they hold at this moment is known."""
        beside = Path(parsed.file).parent
        named = {str(beside / Path(name).expanduser()) for name in _names(parsed.tree)}
        self._followed = {
            file: self._followed.get(file) or self._known(file) for file in sorted(named)
        }

    def refresh(self) -> tuple[bool, bool]:
        """Whether one is being written, so that it is to be looked at again soon; and whether one
        is not what it was.
        """
        again = changed = False
        for one in self._followed.values():
            writing, content = one.refresh()
            again |= writing
            changed |= content is not None
        return again, changed

    def _known(self, file: str) -> Followed:
        followed = Followed(file, required=True, settling=self._settling)
        followed.refresh(cold=True)
        return followed


def _names(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        for value in tree.values():
            yield from _names(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _names(value)
    elif isinstance(tree, str) and (found := _REFERENCE.fullmatch(tree)):
        yield found[1]
