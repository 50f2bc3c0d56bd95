"""The answers to tools/list, prompts/list and the like, serialised once for each change, caller,
surface and revision.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.domain.identity import Identity
from gateway.protocol import jsonrpc, mcp
from gateway.protocol.eras import Revision
from gateway.protocol.wire import page
from gateway.runtime.snapshot import Snapshot
from gateway.runtime.view import View
from gateway.server.asked import Asked, Refused
from gateway.server.offered import NEEDED, require
from gateway.server.surface import Surface
from gateway.server.views import Views

PAGE = 1000  # items
MOST_KEPT = 4096  # answers; reached only by very many callers

Pages = Mapping[str | None, bytes]
Key = tuple[str, str, str, Identity]


@dataclass(frozen=True, slots=True)
class Kept:
    """Pages, and what they were made of."""

    seen: object
    pages: Pages


class Lists:
    """The methods that list; each gives a page."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._listings = Listings()

    def answer(self, asked: Asked) -> bytes:
        """Raises Refused for a cursor that leads nowhere, and for what the surface never has."""
        view, method = self._views.view(asked.caller), asked.request.method
        if method in NEEDED:  # tools are always listed: nothing to look for in every backend
            require(asked, view)
        cursor = asked.request.params.get("cursor")
        found = None
        if cursor is None or isinstance(cursor, str):
            found = self._listings.answer(method, asked.surface, view, asked.revision, cursor)
        if found is None:
            raise Refused(
                jsonrpc.INVALID_PARAMS, "the cursor leads nowhere: list again from the start"
            )
        return found


class Listings:
    """Holds answers as long as what they list is what the newest snapshot has."""

    def __init__(self, page: int = PAGE) -> None:
        self._page = page
        self._snapshot: Snapshot | None = None
        self._checked: dict[Key, Pages] = {}  # that fit this very snapshot
        self._kept: dict[Key, Kept] = {}

    def answer(
        self, method: str, surface: Surface, view: View, revision: Revision, cursor: str | None
    ) -> bytes | None:
        """The page that `cursor` leads to (None is the first); None for a cursor that leads
        nowhere.
        """
        if self._snapshot is not view.snapshot:
            self._snapshot = view.snapshot
            self._checked.clear()
        key = (method, surface.name, revision.version, view.beholder)
        pages = self._checked.get(key)
        if pages is None:
            pages = self._checked[key] = self._fitting(key, surface, view, revision)
        return pages.get(cursor)

    def _fitting(self, key: Key, surface: Surface, view: View, revision: Revision) -> Pages:
        method = key[0]
        seen = surface.seen(view, mcp.CHANGED_BY[method])
        kept = self._kept.get(key)
        if kept is None or kept.seen != seen:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
                self._checked.clear()
            kept = self._kept[key] = Kept(seen, self._serialise(method, surface, view, revision))
        return kept.pages

    def _serialise(self, method: str, surface: Surface, view: View, revision: Revision) -> Pages:
        """Pages by the cursor that leads to each.

        A cursor names the list it was cut from, so that one from before a change is refused, not
        continued with gaps.
        """
        items = surface.listed(view, method)
        keep_ms = surface.keep_ms if method == mcp.TOOLS_LIST else 0
        starts = range(0, max(len(items), 1), self._page)
        if len(starts) == 1:
            return {None: page(method, items, revision, None, keep_ms)}
        whole = hashlib.blake2b(page(method, items, revision, None), digest_size=8).hexdigest()
        cursors = [None, *(f"{whole}.{start}" for start in starts[1:]), None]
        return {
            cursors[number]: page(
                method, items[start : start + self._page], revision, cursors[number + 1], keep_ms
            )
            for number, start in enumerate(starts)
        }
