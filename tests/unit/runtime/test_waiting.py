"""Asking once, when everything is there."""

import asyncio
from dataclasses import replace

from gateway.domain.catalog import Catalog
from gateway.domain.listing import Listing
from gateway.runtime.snapshot import Current, Snapshot
from gateway.runtime.waiting import settled


def snapshot(*ready: bool) -> Snapshot:
    listings = [Listing(f"b{n}", "", (), settled=one) for n, one in enumerate(ready)]
    return replace(Snapshot(), catalog=Catalog(listings))


async def test_it_waits_for_the_last_one() -> None:
    current = Current(snapshot(True, False))
    waiting = asyncio.create_task(settled(current, 5))
    await asyncio.sleep(0)
    current.swap(snapshot(True, False))
    await asyncio.sleep(0)
    assert not waiting.done()
    current.swap(snapshot(True, True))
    async with asyncio.timeout(1):
        await waiting


async def test_one_that_is_asked_for_need_not_wait_for_the_others() -> None:
    async with asyncio.timeout(0.5):
        await settled(Current(snapshot(True, False)), 5, "b0")


async def test_it_does_not_wait_where_all_is_known() -> None:
    async with asyncio.timeout(0.5):
        await settled(Current(snapshot(True)), 5)


async def test_it_does_not_wait_for_ever() -> None:
    async with asyncio.timeout(1):
        await settled(Current(snapshot(False)), 0.01)
