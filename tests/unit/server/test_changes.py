import asyncio
from dataclasses import replace

from gateway.domain.events import Event
from gateway.domain.identity import ANONYMOUS, Identity
from gateway.domain.listing import Health, Status
from gateway.meta import META_TOOLS
from gateway.protocol.mcp import FLAGS, PROMPTS_CHANGED
from gateway.runtime.snapshot import Current, Snapshot
from gateway.runtime.view import View
from gateway.server.changes import Changes
from gateway.server.surface import BackendSurface, MetaSurface
from tests.peers.memory_gateway import snapshot, tool
from tests.peers.offering import Servers, offering, prompt, resource, template

WEATHER = BackendSurface("weather")


def ignore(event: Event) -> None:
    pass


def offering_tools(version: int, *names: str) -> Snapshot:
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
    current, bell = Current(offering_tools(1, "a")), Bell()
    Changes(current, ignore).watch(WEATHER, ANONYMOUS, bell)
    current.swap(offering_tools(2, "a", "b"))
    assert bell.rings == 1


async def test_an_equal_list_in_a_new_snapshot_is_no_change() -> None:
    current, bell = Current(offering_tools(1, "a")), Bell()
    Changes(current, ignore).watch(WEATHER, ANONYMOUS, bell)
    current.swap(offering_tools(2, "a"))
    assert bell.rings == 0


async def test_only_those_who_see_the_change_hear_of_it() -> None:
    current = Current(offering_tools(1, "a"))
    changes = Changes(current, ignore)
    meta, news, other = Bell(), Bell(), Bell()
    changes.watch(MetaSurface(META_TOOLS), ANONYMOUS, meta)
    changes.watch(BackendSurface("news"), ANONYMOUS, news)
    changes.watch(WEATHER, Identity("other"), other)
    current.swap(offering_tools(2, "b"))
    assert (meta.rings, news.rings, other.rings) == (0, 0, 1)


async def test_many_changes_are_two_notices_the_second_after_a_while() -> None:
    """F8: at most one a second (here: one in 50 ms)."""
    current, bell = Current(offering_tools(1)), Bell()
    Changes(current, ignore, apart=0.05).watch(WEATHER, ANONYMOUS, bell)
    for version in range(2, 12):
        current.swap(offering_tools(version, f"t{version}"))
    assert bell.rings == 1
    await bell.wait()
    assert bell.rings == 2


async def test_a_watcher_that_stopped_hears_nothing() -> None:
    current, bell = Current(offering_tools(1)), Bell()
    changes = Changes(current, ignore, apart=0.01)
    stop, staying = changes.watch(WEATHER, ANONYMOUS, bell), Bell()
    changes.watch(WEATHER, ANONYMOUS, staying)
    current.swap(offering_tools(2, "a"))
    current.swap(offering_tools(3, "b"))  # both wait their turn
    stop()
    await staying.wait()
    assert (staying.rings, bell.rings) == (2, 1)


async def test_after_close_nobody_is_told() -> None:
    current, bell = Current(offering_tools(1)), Bell()
    changes = Changes(current, ignore)
    changes.watch(WEATHER, ANONYMOUS, bell)
    changes.close()
    current.swap(offering_tools(2, "a"))
    assert bell.rings == 0


async def test_a_backend_that_goes_away_is_a_change() -> None:
    current, bell = Current(offering_tools(1, "a")), Bell()
    Changes(current, ignore).watch(WEATHER, ANONYMOUS, bell)
    current.swap(snapshot(2, {}))
    assert bell.rings == 1


async def test_each_list_has_its_own_notice() -> None:
    first = Servers(offering("fs", prompts=[prompt("a")], resources=[resource("x:y")]))
    current = Current(first.snapshot())
    changes, surface = Changes(current, ignore), BackendSurface("fs")
    bells = {changed: Bell() for changed in FLAGS.values()}
    for changed, bell in bells.items():
        changes.watch(surface, ANONYMOUS, bell, changed)
    listing = first.listings[0]
    current.swap(first.snapshot(2, replace(listing, health=Health(Status.DOWN, "gone"))))
    assert [bell.rings for bell in bells.values()] == [0, 0, 0]
    current.swap(first.snapshot(3, replace(listing, prompts=())))
    assert bells[PROMPTS_CHANGED].rings == 1
    current.swap(first.snapshot(4, replace(listing, prompts=(), templates=(template("x:{y}"),))))
    assert [bell.rings for bell in bells.values()] == [0, 1, 1]


async def test_the_common_url_changes_with_any_server() -> None:
    servers = Servers(offering("fs"), offering("db"))
    current, bell = Current(servers.snapshot()), Bell()
    Changes(current, ignore).watch(MetaSurface(META_TOOLS), ANONYMOUS, bell, PROMPTS_CHANGED)
    current.swap(servers.snapshot(2, offering("fs"), offering("db", resources=[resource("x:y")])))
    assert bell.rings == 0
    current.swap(servers.snapshot(3, offering("fs"), offering("db", prompts=[prompt("p")])))
    assert bell.rings == 1


async def test_a_thousand_listeners_cost_one_comparison() -> None:
    class Counting(BackendSurface):
        looks = 0

        def seen(self, view: View, changed: str) -> object:
            Counting.looks += 1
            return super().seen(view, changed)

    current, bell = Current(offering_tools(1, "a")), Bell()
    changes = Changes(current, ignore)
    for _ in range(1000):
        changes.watch(Counting("weather"), ANONYMOUS, bell)
    current.swap(offering_tools(2, "b"))
    assert (Counting.looks, bell.rings) == (2, 1000)


async def test_many_watchers_are_compared_by_turns_and_none_is_missed() -> None:
    """What each sees may take milliseconds: the loop is left alone in between."""
    current, bells = Current(offering_tools(1, "a")), [Bell() for _ in range(5)]
    changes = Changes(current, ignore, apart=0, moment=0)
    for number, bell in enumerate(bells):
        changes.watch(WEATHER, Identity(str(number)), bell)
    current.swap(offering_tools(2, "a", "b"))
    assert [bell.rings for bell in bells] == [1, 0, 0, 0, 0]
    await asyncio.sleep(0)
    assert [bell.rings for bell in bells] == [1, 1, 0, 0, 0]
    current.swap(offering_tools(3, "a", "b"))  # the others have seen the first one still
    for _ in range(20):
        await asyncio.sleep(0)
    assert [bell.rings for bell in bells] == [1, 1, 1, 1, 1]
    current.swap(offering_tools(4, "c"))
    changes.close()
    for _ in range(20):
        await asyncio.sleep(0)
    assert sum(bell.rings for bell in bells) == 6
