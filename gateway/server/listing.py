"""The answers to tools/list, serialised once for each snapshot, caller, surface and revision."""

import hashlib
from collections.abc import Mapping

from gateway.protocol.eras import Revision
from gateway.protocol.wire import tools_page
from gateway.runtime.snapshot import Snapshot
from gateway.runtime.view import View
from gateway.server.surface import Surface

PAGE = 1000  # tools
MOST_KEPT = 4096  # answers; reached only by very many callers

Pages = Mapping[str | None, bytes]


class Listings:
    """Holds answers for the newest snapshot it was asked about, and for no other."""

    def __init__(self, page: int = PAGE) -> None:
        self._page = page
        self._snapshot: Snapshot | None = None
        self._kept: dict[tuple[str, str, str], Pages] = {}

    def answer(
        self, surface: Surface, view: View, revision: Revision, cursor: str | None
    ) -> bytes | None:
        """The page that `cursor` leads to (None is the first); None for a cursor that leads
        nowhere.
        """
        if self._snapshot is not view.snapshot or len(self._kept) > MOST_KEPT:
            self._snapshot = view.snapshot
            self._kept.clear()
        key = (surface.name, revision.version, view.identity.name)
        pages = self._kept.get(key)
        if pages is None:
            pages = self._kept[key] = self._serialise(surface, view, revision)
        return pages.get(cursor)

    def _serialise(self, surface: Surface, view: View, revision: Revision) -> Pages:
        """Pages by the cursor that leads to each.

        A cursor names the list it was cut from, so that one from before a change is refused, not
        continued with gaps.
        """
        tools = surface.definitions(view)
        starts = range(0, max(len(tools), 1), self._page)
        if len(starts) == 1:
            return {None: tools_page(tools, revision, None, surface.keep_ms)}
        whole = hashlib.blake2b(tools_page(tools, revision, None), digest_size=8).hexdigest()
        cursors = [None, *(f"{whole}.{start}" for start in starts[1:]), None]
        return {
            cursors[number]: tools_page(
                tools[start : start + self._page],
                revision,
                cursors[number + 1],
                surface.keep_ms,
            )
            for number, start in enumerate(starts)
        }
