"""What a client is told unasked: that a list changed, that a resource it subscribed to changed, how
a task of its own fares, what a server logs beside any call. Nobody hears of anything else.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from gateway.domain.events import Notice
from gateway.domain.identity import Identity
from gateway.domain.naming import Owned
from gateway.domain.policy import Kind
from gateway.domain.tool import JsonObject
from gateway.errors import Busy, GatewayError
from gateway.protocol import mcp
from gateway.protocol.received import untagged
from gateway.runtime.notices import Notices
from gateway.runtime.snapshot import Current, Snapshot
from gateway.server.asking import loud_enough
from gateway.server.changes import Changes
from gateway.server.surface import Surface
from gateway.server.views import Views

MOST = 1024  # resources and tasks that one client subscribes to
ANYBODY = ""  # in the place of a backend, where ids are unique beyond one
DEEPEST = 64  # levels below a resource of which its subscribers still hear

ABOUT: Mapping[str, str] = MappingProxyType(
    {
        mcp.RESOURCE_UPDATED: "uri",
        mcp.TASK_STATUS: "taskId",
        mcp.TASK_TOLD: "taskId",
        mcp.ELICITED: "elicitationId",
    }
)  # notification → the param that says what it is about
SUBSCRIBED = frozenset({mcp.RESOURCE_UPDATED, mcp.TASK_TOLD})  # told only to who asked the server

Tell = Callable[[str, JsonObject], None]  # method and params; must not block or raise
Level = Callable[[], str | None]  # the least severe log message that is wanted; None: any
Topic = tuple[str, str, str]  # notification, backend, and what it is about in the backend's words


class Hearing:
    """Of one legacy session, or of one listen stream. Made by `Hub.open`; `close` it."""

    def __init__(self, hub: "Hub", surface: Surface, caller: Identity, tell: Tell) -> None:
        self.surface = surface
        self.caller = caller
        self.tell = tell
        self._hub = hub
        self._stops: dict[str, Callable[[], None]] = {}
        self._followed: dict[tuple[str, str], Topic] = {}  # by notification, and as it is shown
        self._held: set[tuple[str, str]] = set()  # those to which their servers have agreed

    def watch(self, changed: Iterable[str]) -> None:
        """Be told whenever a list that the client sees changed, by these notifications."""
        for method in changed:
            if method not in self._stops:
                self._stops[method] = self._hub.changes.watch(
                    self.surface, self.caller, partial(self.tell, method, {}), method
                )

    async def subscribe(self, owned: Owned, shown: str, method: str = mcp.RESOURCE_UPDATED) -> None:
        """Be told when that resource changes, or by another `method` how a task fares; the client
        calls it `shown`. Raises GatewayError.
        """
        key = (method, shown)
        if key in self._followed:
            return
        if len(self._followed) >= MOST:
            raise Busy(f"too many subscriptions of one client: at most {MOST}")
        self.follow(method, owned, shown)  # from now on, so that none is missed
        view = self._hub.views.view(self.caller)
        try:
            await view.query(owned.backend, mcp.SUBSCRIBE, {ABOUT[method]: owned.name})
        except BaseException:
            self._forget(*key)
            raise
        if key in self._followed:
            self._held.add(key)
        else:  # the client has left meanwhile
            self._hub.release(self.caller, (method, owned.backend, owned.name))

    async def subscribed(self, owned: Owned, shown: str, method: str) -> bool:
        """The same; False where the server refuses."""
        try:
            await self.subscribe(owned, shown, method)
        except GatewayError:
            return False
        return True

    def unsubscribe(self, shown: str, method: str = mcp.RESOURCE_UPDATED) -> None:
        """The end of `subscribe`. The server is told beside: nobody waits for that."""
        topic = self._forget(method, shown)
        if topic is not None and (method, shown) in self._held:
            self._held.discard((method, shown))
            self._hub.release(self.caller, topic)

    def follow(self, method: str, owned: Owned, shown: str) -> None:
        """Be told of `owned` by that notification, in which it is called `shown`; of very many, of
        the newest.
        """
        if len(self._followed) >= 2 * MOST:
            self._forget(*next(key for key in self._followed if key[0] not in SUBSCRIBED))
        topic = (method, owned.backend, owned.name)
        self._followed[method, shown] = topic
        self._hub.enter(topic, self, shown)

    def expect(self, elicitation: str) -> None:
        """Be told when what the user was sent to do elsewhere is done; its id is nobody else's."""
        self.follow(mcp.ELICITED, Owned(ANYBODY, elicitation), elicitation)

    def close(self) -> None:
        """Hear nothing more; what it had subscribed to is released. Twice is once."""
        for stop in self._stops.values():
            stop()
        self._stops.clear()
        self._hub.leave(self)
        for method, shown in tuple(self._followed):
            self.unsubscribe(shown, method)

    def _forget(self, method: str, shown: str) -> Topic | None:
        topic = self._followed.pop((method, shown), None)
        if topic is not None:
            self._hub.drop(topic, self)
        return topic


class Hub:
    """One for the process: every notice of a backend comes in, and goes to whom it concerns."""

    def __init__(
        self, views: Views, current: Current, changes: Changes, notices: Notices | None = None
    ) -> None:
        self.views = views
        self.changes = changes
        self._about: defaultdict[Topic, dict[Hearing, str]] = defaultdict(dict)
        self._logged: defaultdict[str, dict[Hearing, Level]] = defaultdict(dict)
        self._tasks: set[asyncio.Task[None]] = set()
        self._unsubscribe = [current.subscribe(self._swapped)]
        if notices is not None:
            self._unsubscribe.append(notices.subscribe(self.hear))

    def open(
        self, surface: Surface, caller: Identity, tell: Tell, level: Level | None = None
    ) -> Hearing:
        """`level` None: no log messages at all."""
        hearing = Hearing(self, surface, caller, tell)
        if level is not None:
            self._logged[surface.name][hearing] = level
        return hearing

    def hear(self, notice: Notice) -> None:
        params = untagged(notice.params)
        if notice.method == mcp.MESSAGE:
            for hearing, level in tuple(self._logged.get(notice.backend, {}).items()):
                if not self._may_hear(hearing, notice):
                    continue
                least = level()
                if least is None or loud_enough(params, least):
                    hearing.tell(notice.method, params)
            return
        key = ABOUT.get(notice.method)
        subject = params.get(key) if key is not None else None
        if key is not None and isinstance(subject, str):
            self._tell(notice, {**params}, key, subject)

    def enter(self, topic: Topic, hearing: Hearing, shown: str) -> None:
        self._about[topic][hearing] = shown

    def drop(self, topic: Topic, hearing: Hearing) -> None:
        hearings = self._about.get(topic)
        if hearings is not None:
            hearings.pop(hearing, None)
            if not hearings:
                del self._about[topic]

    def leave(self, hearing: Hearing) -> None:
        name = hearing.surface.name
        if name in self._logged:
            self._logged[name].pop(hearing, None)
            if not self._logged[name]:
                del self._logged[name]

    def release(self, caller: Identity, topic: Topic) -> None:
        """Tell its server that one subscription less is held."""
        self._later(caller, topic, mcp.UNSUBSCRIBE)

    def close(self) -> None:
        """Hear and tell nothing more. Twice is once."""
        self.changes.close()
        while self._unsubscribe:
            self._unsubscribe.pop()()
        for task in tuple(self._tasks):
            task.cancel()

    def _tell(self, notice: Notice, params: dict[str, Any], key: str, subject: str) -> None:
        """A resource's subscribers hear of what lies below it too, as the specification allows."""
        below = notice.method == mcp.RESOURCE_UPDATED
        backend = ANYBODY if notice.method == mcp.ELICITED else notice.backend
        for part in _upwards(subject) if below else (subject,):
            topic = (notice.method, backend, part)
            for hearing, shown in tuple(self._about.get(topic, {}).items()):
                if not self._may_hear(hearing, notice, subject):
                    continue
                hearing.tell(notice.method, {**params, key: shown + subject[len(part) :]})

    def _may_hear(self, hearing: Hearing, notice: Notice, subject: str = "") -> bool:
        """Whether its rights are still such that it would learn of it by asking."""
        view = self.views.view(hearing.caller)
        if notice.caller not in (None, view.identity.owner):  # I40
            return False
        rights = view.rights
        if rights.whole:
            return True
        if notice.method == mcp.RESOURCE_UPDATED:
            return rights.decide(Kind.RESOURCE, notice.backend, subject).allowed
        return rights.backend(notice.backend).visible

    def _swapped(self, before: Snapshot, after: Snapshot) -> None:
        """A backend made anew knows of no subscription yet."""
        anew = {
            name
            for name, handler in after.queries.items()
            if before.queries.get(name, handler) != handler or name not in before.queries
        }
        for topic, hearings in tuple(self._about.items()):
            method, backend, _ = topic
            if method == mcp.RESOURCE_UPDATED and backend in anew:
                for hearing in hearings:
                    self._later(hearing.caller, topic, mcp.SUBSCRIBE)

    def _later(self, caller: Identity, topic: Topic, method: str) -> None:
        """Beside everything else; nobody waits for it."""
        task = asyncio.get_running_loop().create_task(self._asked(caller, topic, method))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _asked(self, caller: Identity, topic: Topic, method: str) -> None:
        """A backend that is not there has nothing to release, and is asked anew when it is back."""
        about, backend, name = topic
        with contextlib.suppress(GatewayError):
            await self.views.view(caller).query(backend, method, {ABOUT[about]: name})


def _upwards(uri: str) -> Iterable[str]:
    """The URI and what it lies below: `a:b/c/d`, `a:b/c/`, `a:b/c`, …, nearest first."""
    yield uri
    at = uri.rfind("/")
    for _ in range(DEEPEST):
        if at < 1:
            return
        if at < len(uri) - 1:
            yield uri[: at + 1]
        yield uri[:at]
        at = uri.rfind("/", 0, at)
