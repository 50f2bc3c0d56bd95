"""The single writer: what is published, kept, undone and retired."""

import asyncio
import threading
from typing import ClassVar

import pytest

from gateway.auth.doorkeeper import Doorkeeper
from gateway.auth.keys import Keys
from gateway.domain.call import Call
from gateway.domain.events import BackendChanged, Reloaded
from gateway.domain.identity import ANONYMOUS
from gateway.domain.issue import Issue
from gateway.domain.listing import Health, Status
from gateway.domain.tool import Tool, ToolRef
from gateway.errors import BackendUnavailable
from gateway.runtime.plan import Desired, Wanted
from gateway.runtime.reconcile import Reconciler
from gateway.runtime.snapshot import Current, Snapshot
from tests.peers.backends import BrokenBackend, MemoryBackend, StuckBackend

STALE = (Issue("gh.yaml", "no tools", 3, 1),)


class World:
    """A reconciler with everything around it."""

    def __init__(self, grace=5.0):
        self.current = Current()
        self.events = []
        self.reconciler = Reconciler(self.current, self.events.append, grace=grace)

    async def apply(self, *backends, issues=(), stale=()):
        """Each backend is its own version: the same object again means unchanged."""
        wanted = {
            one.name: Wanted(one.name, str(id(one)), lambda one=one: one, stale) for one in backends
        }
        await self.reconciler.apply(Desired(wanted, tuple(issues)))

    @property
    def snapshot(self):
        return self.current.get()

    def call(self, backend, tool="get", snapshot=None):
        snapshot = snapshot or self.snapshot
        found = snapshot.catalog.find(ToolRef(backend, tool))
        return snapshot.routes[backend](Call("1", found, {}, ANONYMOUS, float("inf")))


async def settle():
    """Let everything that is ready run."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_what_is_desired_is_listed_found_and_called():
    world = World()
    await world.apply(MemoryBackend("gh", ("get", "put")), MemoryBackend("jira"))
    assert list(world.snapshot.catalog.backends) == ["gh", "jira"]
    assert world.snapshot.index.search("put", 5).matches[0].tool.ref == ToolRef("gh", "put")
    assert (await world.call("gh", "put")).content[0]["text"] == "gh.put"


async def test_an_unchanged_backend_is_kept_and_a_changed_one_replaced():
    world = World()
    same, old, new = MemoryBackend("same"), MemoryBackend("gh"), MemoryBackend("gh", word="new")
    await world.apply(same, old)
    await world.apply(same, new)
    await settle()
    assert (same.started, same.closed) == (1, 0)
    assert (old.closed, new.started, new.closed) == (1, 1, 0)
    assert (await world.call("gh")).content[0]["text"] == "new.get"
    assert world.events[-1].changed == ("gh",)


async def test_a_backend_whose_file_is_gone_leaves_catalogue_index_and_routes():
    world = World()
    await world.apply(MemoryBackend("gh"), MemoryBackend("jira"))
    await world.apply(MemoryBackend("jira"))
    assert "gh" not in world.snapshot.catalog.backends
    assert "gh" not in world.snapshot.routes
    assert not [m for m in world.snapshot.index.search("gh", 5).matches if m.tool.ref[0] == "gh"]
    assert world.events[-1].removed == ("gh",)


async def test_a_call_that_began_on_the_old_version_ends_on_it():
    """I51: the file is removed while a call is in it."""
    world = World()
    old = MemoryBackend("gh", word="old")
    old.gate.clear()
    await world.apply(old)
    call = asyncio.create_task(world.call("gh"))
    await old.entered.wait()
    await world.apply()
    await settle()
    assert old.closed == 0
    old.gate.set()
    assert (await call).content[0]["text"] == "old.get"
    await settle()
    assert old.closed == 1


async def test_a_look_into_the_works_tells_what_runs():
    world = World()
    backend = MemoryBackend("gh")
    backend.gate.clear()
    await world.apply(backend)
    running = world.snapshot.routes["gh"].__self__
    assert repr(world.reconciler) == "<Reconciler 1 running, 0 retiring>"
    call = asyncio.create_task(world.call("gh"))
    await backend.entered.wait()
    assert repr(running) == "<Running 'gh', 1 calls>"
    await world.apply()
    assert repr(world.reconciler) == "<Reconciler 0 running, 1 retiring>"
    backend.gate.set()
    await call
    await settle()
    assert repr(running) == "<Running 'gh', closed>"
    await world.reconciler.aclose()


async def test_a_call_longer_than_the_grace_does_not_keep_the_old_version_open():
    world = World(grace=0.01)
    old = MemoryBackend("gh")
    old.gate.clear()
    await world.apply(old)
    call = asyncio.create_task(world.call("gh"))
    await old.entered.wait()
    await world.apply()
    async with asyncio.timeout(5):
        await world.reconciler.aclose()
    assert old.closed == 1
    assert not call.done()
    call.cancel()


async def test_a_call_on_an_old_snapshot_reaches_a_closed_backend_and_is_told_why():
    world = World()
    await world.apply(MemoryBackend("gh"))
    before = world.snapshot
    await world.apply()
    await settle()
    with pytest.raises(BackendUnavailable, match="server 'gh' was removed by a reload") as raised:
        await world.call("gh", snapshot=before)
    assert raised.value.retryable


async def test_a_backend_that_cannot_start_undoes_the_others_and_nothing_changes():
    world = World()
    old, added = MemoryBackend("gh"), MemoryBackend("added")
    await world.apply(old)
    before = world.snapshot
    with pytest.raises(BackendUnavailable):
        await world.apply(added, BrokenBackend("zz"))
    assert (added.started, added.closed, old.closed) == (1, 1, 0)
    assert world.snapshot is before
    assert (await world.call("gh")).content[0]["text"] == "gh.get"
    assert len(world.events) == 1
    await world.apply(old)
    assert old.started == 1


async def test_who_is_let_in_counts_even_when_a_backend_cannot_start():
    world = World()
    gh = MemoryBackend("gh")
    await world.apply(gh)
    broken = Wanted("zz", "1", lambda: BrokenBackend("zz"))
    keep = Wanted("gh", str(id(gh)), lambda: gh)
    closed = Doorkeeper(Keys(()), None, frozenset())
    with pytest.raises(BackendUnavailable):
        await world.reconciler.apply(Desired({"gh": keep, "zz": broken}, access=closed))
    assert world.snapshot.access is closed
    assert set(world.snapshot.catalog.backends) == {"gh"}


async def test_a_stale_backend_is_degraded_and_says_where_its_file_is_wrong():
    world = World()
    await world.apply(MemoryBackend("gh"), stale=STALE, issues=STALE)
    health = world.snapshot.catalog.backends["gh"].health
    assert health == Health(Status.DEGRADED, "stale: gh.yaml:3:1 no tools", STALE)
    assert world.snapshot.issues == STALE


async def test_a_stale_backend_keeps_its_own_trouble_in_sight():
    world = World()
    backend = MemoryBackend("gh")
    backend.health = Health(Status.DOWN, "connection refused")
    await world.apply(backend, stale=STALE)
    health = world.snapshot.catalog.backends["gh"].health
    assert health.status is Status.DOWN
    assert health.reason == "connection refused; stale: gh.yaml:3:1 no tools"


async def test_turning_stale_and_good_again_restarts_nothing():
    world = World()
    backend = MemoryBackend("gh")
    for stale in ((), STALE, ()):
        await world.apply(backend, stale=stale)
    assert (backend.started, backend.closed) == (1, 0)
    turns = [event for event in world.events if isinstance(event, BackendChanged)]
    assert [(turn.was, turn.health.status) for turn in turns] == [
        (Status.OK, Status.DEGRADED),
        (Status.DEGRADED, Status.OK),
    ]


async def test_what_a_backend_reports_is_published():
    world = World()
    backend = MemoryBackend("gh")
    await world.apply(backend)
    async with asyncio.timeout(5):
        follow = asyncio.create_task(world.reconciler.follow())
        swapped = asyncio.Event()
        world.current.subscribe(lambda _before, _after: swapped.set())
        backend.tools = MemoryBackend("gh", ("get", "merge")).tools
        backend.health = Health(Status.DEGRADED, "slow")
        backend.changed()
        await swapped.wait()
        follow.cancel()
    assert world.snapshot.catalog.find(ToolRef("gh", "merge"))
    assert world.snapshot.index.search("merge", 5).total == 1
    assert world.events[-1] == BackendChanged("gh", Status.OK, Health(Status.DEGRADED, "slow"))


async def test_a_report_that_changes_nothing_is_not_published():
    world = World()
    backend = MemoryBackend("gh")
    await world.apply(backend)
    before = world.snapshot
    follow = asyncio.create_task(world.reconciler.follow())
    backend.changed()
    await settle()
    follow.cancel()
    assert world.snapshot is before


async def test_every_reload_is_told_with_its_version_and_issues():
    world = World()
    await world.apply(MemoryBackend("gh"), issues=STALE)
    event = world.events[0]
    assert isinstance(event, Reloaded)
    assert (event.version, event.changed, event.removed, event.issues) == (1, ("gh",), (), STALE)
    assert event.seconds >= 0


async def test_tools_that_stay_the_same_are_not_indexed_again():
    world = World()
    gh, jira = MemoryBackend("gh"), MemoryBackend("jira")
    await world.apply(gh)
    before = world.snapshot
    await world.apply(gh, jira)
    assert world.snapshot.catalog.find(ToolRef("gh", "get")) is before.catalog.find(
        ToolRef("gh", "get")
    )
    assert world.snapshot.index is not before.index
    with_both = world.snapshot.index
    await world.apply(gh, jira, stale=STALE)
    assert world.snapshot.index is with_both


async def test_a_large_change_is_indexed_off_the_loop_and_arrives_whole():
    world = World()
    backends = [MemoryBackend(f"b{n}", tuple(f"t{m}" for m in range(50))) for n in range(20)]
    await world.apply(*backends)
    assert len(world.snapshot.catalog) == 1000
    await world.apply(*backends[:10])
    assert len(world.snapshot.catalog) == 500
    assert world.snapshot.index.search("b19", 5).total == 0


class Watched(dict):
    """A definition that knows in which threads it was read."""

    readers: ClassVar[set[int]] = set()

    def get(self, key, default=None):
        self.readers.add(threading.get_ident())
        return super().get(key, default)


async def test_what_a_server_lists_for_the_first_time_is_indexed_off_the_loop_too():
    """Ten thousand tools stopped the loop for half a second."""
    world = World()
    backend = MemoryBackend("late", ())
    await world.apply(backend)
    following = asyncio.create_task(world.reconciler.follow())
    backend.tools = tuple(
        Tool(ToolRef("late", f"t{number}"), Watched(name=f"t{number}")) for number in range(1000)
    )
    Watched.readers.clear()
    backend.changed()
    while len(world.snapshot.catalog) < 1000:
        await asyncio.sleep(0)
    following.cancel()
    assert Watched.readers
    assert threading.get_ident() not in Watched.readers


async def test_closing_waits_for_calls_inside_and_refuses_later_ones():
    world = World()
    backend = MemoryBackend("gh")
    backend.gate.clear()
    await world.apply(backend)
    call = asyncio.create_task(world.call("gh"))
    await backend.entered.wait()
    closing = asyncio.create_task(world.reconciler.aclose())
    await settle()
    assert not closing.done()
    backend.gate.set()
    async with asyncio.timeout(5):
        await closing
    assert (await call).content[0]["text"] == "gh.get"
    assert backend.closed == 1
    with pytest.raises(BackendUnavailable, match="the gateway is stopping"):
        await world.call("gh")


async def test_a_backend_that_fails_to_close_is_logged_and_others_are_closed(caplog):
    world = World()
    good = MemoryBackend("good")
    await world.apply(StuckBackend("bad"), good)
    await world.reconciler.aclose()
    assert good.closed == 1
    assert "backend_close_failed" in caplog.messages


async def test_a_call_has_on_the_old_version_all_the_time_it_may_take():
    """A job that is waited for lost its credential half a minute after a reload."""
    world = World(grace=0.0)
    world.current.swap(Snapshot(request_timeout=60.0))
    old = MemoryBackend("gh")
    old.gate.clear()
    await world.apply(old)
    call = asyncio.create_task(world.call("gh"))
    await old.entered.wait()
    await world.apply()
    await settle()
    assert old.closed == 0
    old.gate.set()
    await call
    await settle()
    assert old.closed == 1
