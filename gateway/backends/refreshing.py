"""When a connected server's lists are fetched again.

The rule: one refresh at a time, and some time between two, however often a server says that
something changed.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from gateway.backends.offering import ALL, CHANGED, List, Offering
from gateway.session.session import Session

APART = 0.25  # seconds between two refreshes
SHARE = 4  # of the time, refreshing takes one part at most
RELIST_SECONDS = 60.0  # between looks at lists whose changes the server does not tell
AGAIN_SECONDS = 15.0  # until a list that failed is asked for again


class Refreshing:
    """`published` is called after each refresh."""

    def __init__(
        self, offering: Offering, published: Callable[[], None], relist: float = RELIST_SECONDS
    ) -> None:
        self._offering = offering
        self._published = published
        self._relist = relist
        self._stale: set[List] = set()
        self._wanted = asyncio.Event()

    def changed(self, method: str) -> None:
        """The server says so, by that notification."""
        self._mark(CHANGED.get(method, ()))

    async def all(self, session: Session) -> None:
        """Everything, at once."""
        self._take()
        await self._offering.refresh(session)

    async def follow(self, session: Session) -> None:
        """As long as the session is open."""
        now = asyncio.get_running_loop().time
        while True:
            lists = await self._due(session)
            began = now()
            await self._offering.refresh(session, lists)
            self._published()
            await asyncio.sleep(max(APART, SHARE * (now() - began)))

    async def _due(self, session: Session) -> list[List]:
        failed = self._offering.failed
        try:
            async with asyncio.timeout(
                min(AGAIN_SECONDS, self._relist) if failed else self._relist
            ):
                await self._wanted.wait()
        except TimeoutError:
            self._mark(each for each in ALL if each in failed or silent(session, each))
        return self._take()

    def _mark(self, lists: Iterable[List]) -> None:
        self._stale.update(lists)
        if self._stale:
            self._wanted.set()

    def _take(self) -> list[List]:
        lists = [each for each in ALL if each in self._stale]
        self._stale.clear()
        self._wanted.clear()
        return lists


def silent(session: Session, which: List) -> bool:
    """Whether the server has such a list and does not tell when it changes."""
    declared = session.capabilities.get(which.capability)
    return declared is not None and not (
        isinstance(declared, Mapping) and declared.get("listChanged") is True
    )
