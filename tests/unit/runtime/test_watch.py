"""When files are looked at again, with what the system tells as a parameter."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from watchfiles import Change

from gateway.config.folder import Place
from gateway.runtime.reload import Seen
from gateway.runtime.watch import Watcher, relevant

HERE = Place("/caps", 1, 1)
SUB = Place("/caps/sub", 1, 2)
ABOVE = Place("/etc", 1, 3, "caps")


class System:
    """What the system tells: `ring()` tells of a change, `fail` is raised when it is asked."""

    def __init__(self):
        self.asked = []
        self.fail = None
        self._bell = asyncio.Event()

    def ring(self):
        self._bell.set()

    async def tell(self, places) -> AsyncIterator[object]:
        self.asked.append(places)
        if self.fail:
            raise self.fail
        while True:
            await self._bell.wait()
            self._bell.clear()
            yield


class Disk:
    """Looks are counted; `places` is what each look finds to watch."""

    def __init__(self, *places):
        self.places = frozenset(places)
        self.again = False
        self.looks = 0
        self._looked = asyncio.Condition()

    async def reload(self):
        async with self._looked:
            self.looks += 1
            self._looked.notify_all()
        return Seen(self.places, self.again)

    async def until(self, looks):
        async with asyncio.timeout(5), self._looked:
            await self._looked.wait_for(lambda: self.looks >= looks)


@pytest.fixture
async def world():
    disk, system = Disk(HERE), System()
    poll = []
    watcher = Watcher(disk.reload, lambda: poll[0] if poll else None, tell=system.tell)
    task = asyncio.create_task(watcher.run())
    yield disk, system, poll
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_each_burst_is_one_look(world):
    disk, system, _poll = world
    await disk.until(2)  # one before it watches, one for what happened until it did
    system.ring()
    await disk.until(3)
    assert system.asked == [frozenset({HERE})]


async def test_a_change_while_it_looks_is_not_lost(world):
    disk, system, _poll = world
    await disk.until(2)
    system.ring()
    await disk.until(3)
    system.ring()
    await disk.until(4)


async def test_other_places_are_watched_as_soon_as_they_are_found(world):
    disk, system, _poll = world
    await disk.until(2)
    disk.places = frozenset({HERE, SUB})
    system.ring()
    await disk.until(4)
    assert system.asked == [frozenset({HERE}), frozenset({HERE, SUB})]


async def test_what_is_being_written_is_looked_at_again_unasked(world):
    disk, system, _poll = world
    await disk.until(2)
    disk.again = True
    system.ring()
    await disk.until(5)
    assert len(system.asked) == 1


async def test_when_the_system_cannot_tell_it_is_looked_by_the_clock(caplog):
    disk, system = Disk(HERE), System()
    system.fail = OSError(28, "no space left on device")
    task = asyncio.create_task(Watcher(disk.reload, tell=system.tell).run())
    await disk.until(4)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(system.asked) == 1
    [record] = [one for one in caplog.records if one.message == "watch_failed"]
    assert "no space left" in record.reason


async def test_a_place_that_is_gone_before_it_is_watched_is_no_failure(caplog):
    disk, system = Disk(HERE), System()

    async def reload():
        seen = await disk.reload()
        disk.places, system.fail = frozenset({SUB}), None
        return seen

    system.fail = FileNotFoundError("/caps")
    task = asyncio.create_task(Watcher(reload, tell=system.tell).run())
    await disk.until(3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert "watch_failed" not in caplog.messages


async def test_the_operator_may_ask_for_the_clock_and_take_it_back(world):
    disk, system, poll = world
    await disk.until(2)
    poll.append(0.01)
    system.ring()
    await disk.until(6)
    poll.clear()
    await disk.until(8)
    assert len(system.asked) == 2


@pytest.mark.parametrize(
    ("path", "matters"),
    [
        ("/caps/a.yaml", True),
        ("/caps/..data", True),
        ("/caps", True),
        ("/caps/sub/a.yaml", False),
        ("/etc/caps", True),
        ("/etc/passwd", False),
        ("/capsule/a.yaml", False),
    ],
)
def test_only_changes_in_our_places_matter(path, matters):
    assert relevant(frozenset({HERE, ABOVE}))(Change.modified, path) is matters
