"""Waits until it is known what backends offer: for those who ask while some are still starting."""

import asyncio
import contextlib

from gateway.runtime.snapshot import Current, Snapshot


async def settled(current: Current, within: float, only: str | None = None) -> None:
    """Return when no backend's first connection is under way any more, or after `within` seconds.

    `only` one backend counts, where it is given. Somebody has to `follow` the backends meanwhile.
    """
    done = asyncio.Event()

    def look(_before: Snapshot, after: Snapshot) -> None:
        backends = after.catalog.backends
        if all(one.settled for name, one in backends.items() if only in (None, name)):
            done.set()

    stop = current.subscribe(look)
    look(current.get(), current.get())
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await done.wait()
    finally:
        stop()
