"""THE single writer: only here is the snapshot replaced.

A reload and a backend's change of tools or health are the same thing to it: something is dirty. It
starts the new, publishes with one assignment, and lets the old end in peace.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import TypeVar

from gateway.domain.events import Observer, Reloaded
from gateway.errors import GatewayError
from gateway.failsafe.guard import NO_GUARDS, Guards
from gateway.runtime.notices import Notices
from gateway.runtime.offer import Draft, draft
from gateway.runtime.plan import Desired, Wanted, plan
from gateway.runtime.running import RELOADED, STOPPING, Running
from gateway.runtime.snapshot import Current

log = logging.getLogger(__name__)

GRACE = 30.0  # seconds, at least, that a replaced backend waits for the calls inside it
SLICE = 0.005  # seconds of work on the loop before others get their turn
AT_ONCE = 20  # idle backends closed in one turn of the loop
COALESCE = 0.05  # seconds between two publications that backends ask for
INLINE = 500  # tools and backends in sight up to which the loop works out a snapshot itself

T = TypeVar("T")
Grace = Callable[[Running], float]  # seconds for the calls inside it


class Reconciler:
    """`apply` what the files ask for, `follow` what backends report, `aclose` at the end."""

    def __init__(
        self,
        current: Current,
        observe: Observer,
        notices: Notices | None = None,
        guards: Guards = NO_GUARDS,
        *,
        grace: float = GRACE,
    ) -> None:
        self._current = current
        self._notify = (notices or Notices()).publish
        self._observe = observe
        self._guards = guards
        self._grace = grace
        self._desired = Desired({})
        self._running: Mapping[str, Running] = {}
        self._turn = asyncio.Lock()
        self._dirty = asyncio.Event()
        self._retiring: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<Reconciler {len(self._running)} running, {len(self._retiring)} retiring>"

    async def apply(self, desired: Desired, *, began: float | None = None) -> None:
        """Make `desired` what is served; `began` (loop time) is when the reload did.

        When a backend cannot start, those started before it are closed, the backends stay as they
        were, and the error rises; who is let in, and to what, counts all the same.
        """
        now = asyncio.get_running_loop().time
        began = now() if began is None else began
        async with self._turn:
            size = len(self._running) + len(desired.backends)
            steps = await _aside(size, partial(plan, desired.backends, self._running))
            async with AsyncExitStack() as undo:
                wanted = [desired.backends[name] for name in steps.start]
                try:
                    started = await self._start(wanted, undo)
                except GatewayError:
                    await self._rule(desired)
                    raise
                running = {name: self._running[name] for name in steps.keep} | started
                new = await self._draft(running, desired)
                undo.pop_all()
            ending = [self._running[name] for name in steps.stop]
            self._running, self._desired = running, desired
            self._publish(new)
            self._retire(ending, self._patience, RELOADED)
        gone = tuple(name for name in steps.stop if name not in running)
        for name in gone:
            self._guards.forget(name)
        version, issues = new.snapshot.version, new.snapshot.issues
        self._observe(Reloaded(version, steps.start, gone, issues, now() - began))

    async def follow(self) -> None:
        """Publish whenever a backend reports a change. Runs until cancelled."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            async with self._turn:
                new = await self._draft(self._running, self._desired)
                if new.differs:
                    self._publish(new)
            await asyncio.sleep(COALESCE)

    async def aclose(self, grace: float | None = None) -> None:
        """Close every backend; calls inside have `grace` seconds (by default those of a reload)."""
        async with self._turn:
            ending, self._running = [*self._running.values()], {}
            self._retire(ending, self._patience if grace is None else lambda _: grace, STOPPING)
        if self._retiring:
            await asyncio.wait(self._retiring)

    async def _start(self, wanted: Iterable[Wanted], undo: AsyncExitStack) -> dict[str, Running]:
        now = asyncio.get_running_loop().time
        started: dict[str, Running] = {}
        turn_ends = now() + SLICE
        for item in wanted:
            backend = item.build()
            undo.push_async_callback(backend.aclose)
            await backend.start(self._dirty.set, self._notify)
            guard = self._guards.of(item.name, backend.listing.transport, self._dirty.set)
            started[item.name] = Running(item.name, item.key, backend, guard)
            if now() > turn_ends:
                await asyncio.sleep(0)
                turn_ends = now() + SLICE
        return started

    async def _rule(self, desired: Desired) -> None:
        """Publish its rules for what runs: a right that was taken away is gone."""
        old, new = self._desired, (desired.policy, desired.access, desired.admit)
        if new != (old.policy, old.access, old.admit):
            policy, access, admit = new
            self._desired = replace(old, policy=policy, access=access, admit=admit)
            self._publish(await self._draft(self._running, self._desired))

    async def _draft(self, running: Mapping[str, Running], desired: Desired) -> Draft:
        before = self._current.get()
        size = len(before.catalog) + sum(
            len(one.backend.listing.tools) + 1 for one in running.values()
        )
        return await _aside(size, partial(draft, before, running, desired))

    def _publish(self, new: Draft) -> None:
        self._current.swap(new.snapshot)
        for turn in new.turns:
            self._observe(turn)

    def _patience(self, running: Running) -> float:
        """A call ends on the version it began on, however long it may take."""
        own = running.backend.listing.timeout
        longest = self._current.get().request_timeout if own is None else own
        return max(self._grace, longest) if longest < math.inf else self._grace

    def _retire(self, ending: list[Running], grace: Grace, why: str) -> None:
        if ending:
            task = asyncio.create_task(_end(ending, grace, why), name="retire")
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)


async def _aside(size: int, work: Callable[[], T]) -> T:
    """In a thread when there is much to do, so that the loop stays free."""
    return await asyncio.to_thread(work) if size > INLINE else work()


async def _end(ending: list[Running], grace: Grace, why: str) -> None:
    """Close the idle ones a handful at a time, then the busy.

    `ending` is emptied on the way: it holds the last references, and to free a thousand compiled
    files in one go would stop the loop for a tenth of a second.
    """
    busy = [running for running in ending if running.leases]
    ending[:] = [running for running in ending if not running.leases]
    while ending:
        await _close(ending[-AT_ONCE:], grace, why)
        del ending[-AT_ONCE:]
    await _close(busy, grace, why)


async def _close(group: Sequence[Running], grace: Grace, why: str) -> None:
    closing = (running.retire(grace(running), why) for running in group)
    outcomes = await asyncio.gather(*closing, return_exceptions=True)
    for running, outcome in zip(group, outcomes, strict=True):
        if isinstance(outcome, Exception):
            extra = {"backend": running.name, "reason": type(outcome).__name__}
            log.error("backend_close_failed", extra=extra)
