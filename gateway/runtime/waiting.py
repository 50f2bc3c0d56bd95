"""Waits until it is known what every backend offers: for those who ask once and leave."""

import asyncio
import contextlib

from gateway.runtime.snapshot import Current, Snapshot


async def settled(current: Current, within: float) -> None:
    """Return when no backend's first connection is under way any more, or after `within` seconds.

    Somebody has to `follow` the backends meanwhile.
    """
    done = asyncio.Event()

    def look(_before: Snapshot, after: Snapshot) -> None:
        if all(listing.settled for listing in after.catalog.backends.values()):
            done.set()

    stop = current.subscribe(look)
    look(current.get(), current.get())
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await done.wait()
    finally:
        stop()
