"""What somebody wants to hear about, counted, so that a server tells of each only once."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

from gateway.domain.text import shown
from gateway.domain.tool import JsonObject
from gateway.errors import Busy, GatewayError
from gateway.protocol.task_ids import TASK_ID
from gateway.session.listening import NONE, Refused
from gateway.session.session import Session

MOST = 10_000  # resources, or tasks, of one server

# lets a server know the names of all that is wanted
Watch = Callable[[Session, frozenset[str]], Awaitable[Refused]]


class Subscribed:
    """By caller and name: nobody can end what another began."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._held: Counter[tuple[str, str]] = Counter()
        self._turn = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._held)

    async def subscribe(self, session: Session | None, caller: str, name: str) -> None:
        """Without a session it counts when there is one. Raises GatewayError; then it is undone."""
        if len(self._held) >= MOST:
            raise Busy(f"too much is subscribed to already; not to {shown(name)}")
        self._held[caller, name] += 1
        try:
            refused = await self.restore(session)
        except BaseException:
            self._release(caller, name)
            raise
        if name in refused:
            await self.unsubscribe(session, caller, name)
            raise refused[name]

    async def unsubscribe(self, session: Session | None, caller: str, name: str) -> None:
        """Of what was never subscribed to, too. Raises GatewayError; it is done all the same."""
        if (caller, name) in self._held:
            self._release(caller, name)
            await self.restore(session)

    async def restore(self, session: Session | None) -> Refused:
        """Let the server know what is wanted by now."""
        async with self._turn:
            names = frozenset(name for _, name in self._held)
            return NONE if session is None else await self._watch(session, names)

    def _release(self, caller: str, name: str) -> None:
        self._held[caller, name] -= 1
        if self._held[caller, name] <= 0:
            del self._held[caller, name]


class Subscriptions:
    """Of one server: to resources by their URIs, to tasks by their ids."""

    def __init__(self) -> None:
        self._resources = Subscribed(lambda session, uris: session.watch(uris))
        self._tasks = Subscribed(lambda session, ids: session.watch_tasks(ids))

    def __len__(self) -> int:
        return len(self._resources) + len(self._tasks)

    async def subscribe(self, session: Session | None, caller: str, params: JsonObject) -> None:
        which, name = self._meant(params)
        await which.subscribe(session, caller, name)

    async def unsubscribe(self, session: Session | None, caller: str, params: JsonObject) -> None:
        which, name = self._meant(params)
        await which.unsubscribe(session, caller, name)

    async def restore(self, session: Session) -> GatewayError | None:
        """Subscribe anew to all at a new session; gives why, if not all of it could be."""
        failures: list[GatewayError] = []
        for which in (self._resources, self._tasks):
            try:
                failures += (await which.restore(session) if which else NONE).values()
            except GatewayError as error:
                failures.append(error)
        if self._tasks:
            session.missed_tasks()
        return failures[0] if failures else None

    def _meant(self, params: JsonObject) -> tuple[Subscribed, str]:
        if TASK_ID in params:
            return self._tasks, str(params[TASK_ID])
        return self._resources, str(params.get("uri"))
