import asyncio

from gateway.domain.events import Event
from gateway.domain.identity import ANONYMOUS, Identity
from gateway.meta import META_TOOLS
from gateway.runtime.snapshot import Current, Snapshot
from gateway.server.changes import Changes
from gateway.server.surface import BackendSurface, MetaSurface
from tests.peers.memory_gateway import snapshot, tool

WEATHER = BackendSurface("weather")


def ignore(event: Event) -> None:
    pass


def offering(version: int, *names: str) -> Snapshot:
    return snapshot(version, {"weather": [tool("weather", name) for name in names], "news": []})


class Bell:
    """Counts its rings and can be waited for."""

    def __init__(self) -> None:
        self.rings = 0
        self._rung = asyncio.Event()

    def __call__(self) -> None:
        self.rings += 1
        self._rung.set()

    async def wait(self) -> None:
        self._rung.clear()
        async with asyncio.timeout(5):
            await self._rung.wait()


async def test_a_watcher_hears_of_a_changed_list_at_once() -> None:
    current, bell = Current(offering(1, "a")), Bell()
    Changes(current, ignore).watch(WEATHER, ANONYMOUS, bell)
    current.swap(offering(2, "a", "b"))
    assert bell.rings == 1


async def test_an_equal_list_in_a_new_snapshot_is_no_change() -> None:
    current, bell = Current(offering(1, "a")), Bell()
    Changes(current, ignore).watch(WEATHER, ANONYMOUS, bell)
    current.swap(offering(2, "a"))
    assert bell.rings == 0


async def test_only_those_who_see_the_change_hear_of_it() -> None:
    current = Current(offering(1, "a"))
    changes = Changes(current, ignore)
    meta, news, other = Bell(), Bell(), Bell()
    changes.watch(MetaSurface(META_TOOLS), ANONYMOUS, meta)
    changes.watch(BackendSurface("news"), ANONYMOUS, news)
    changes.watch(WEATHER, Identity("other"), other)
    current.swap(offering(2, "b"))
    assert (meta.rings, news.rings, other.rings) == (0, 0, 1)


async def test_many_changes_are_two_notices_the_second_after_a_while() -> None:
    """F8: at most one a second (here: one in 50 ms)."""
    current, bell = Current(offering(1)), Bell()
    Changes(current, ignore, apart=0.05).watch(WEATHER, ANONYMOUS, bell)
    for version in range(2, 12):
        current.swap(offering(version, f"t{version}"))
    assert bell.rings == 1
    await bell.wait()
    assert bell.rings == 2


async def test_a_watcher_that_stopped_hears_nothing() -> None:
    current, bell = Current(offering(1)), Bell()
    changes = Changes(current, ignore, apart=0.01)
    stop, staying = changes.watch(WEATHER, ANONYMOUS, bell), Bell()
    changes.watch(WEATHER, ANONYMOUS, staying)
    current.swap(offering(2, "a"))
    current.swap(offering(3, "b"))  # both wait their turn
    stop()
    await staying.wait()
    assert (staying.rings, bell.rings) == (2, 1)


async def test_after_close_nobody_is_told() -> None:
    current, bell = Current(offering(1)), Bell()
    changes = Changes(current, ignore)
    changes.watch(WEATHER, ANONYMOUS, bell)
    changes.close()
    current.swap(offering(2, "a"))
    assert bell.rings == 0


async def test_a_backend_that_goes_away_is_a_change() -> None:
    current, bell = Current(offering(1, "a")), Bell()
    Changes(current, ignore).watch(WEATHER, ANONYMOUS, bell)
    current.swap(snapshot(2, {}))
    assert bell.rings == 1
