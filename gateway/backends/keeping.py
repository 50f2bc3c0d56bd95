"""Keeps one MCP server connected: does what `supervise.py` decides, in one task.

The rule: whatever a server does, its task goes on until `aclose`; a call never waits for more than
a connection that is under way.
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from gateway.backends.settings import McpSettings
from gateway.backends.supervise import Phase, Rng, State
from gateway.backends.tending import SILENT, Checking, Tended, idleness, silence
from gateway.domain.tool import JsonObject
from gateway.errors import BackendUnavailable, DeadlineExceeded, GatewayError, Reached
from gateway.session.session import Session, SessionEvents

log = logging.getLogger(__name__)

CLOSE_SECONDS = 5.0  # for a polite end
MARGIN = 0.01  # seconds before its deadline in which a waiting call is told why

Clock = Callable[[], float]
Open = Callable[[SessionEvents], Awaitable[Session]]


class Owner(Tended, Protocol):
    """Whose server is kept."""

    def turned(self) -> None:
        """`Keeper.state` is another."""
        ...

    def changed(self, method: str) -> None: ...

    def said(self, method: str, params: JsonObject) -> None: ...

    async def welcome(self, session: Session) -> None:
        """It is connected, and nobody knows yet. Raises GatewayError when it is of no use."""
        ...

    async def follow(self, session: Session) -> None:
        """As long as it is up."""
        ...


class Ears:
    """What one session tells. After the next one began, it tells nothing."""

    def __init__(self, keeper: "Keeper", owner: Owner) -> None:
        self._keeper = keeper
        self._owner = owner
        self.gone: str | None = None

    def changed(self, method: str) -> None:
        self._owner.pulse.heard += 1
        self._owner.changed(method)

    def said(self, method: str, params: JsonObject) -> None:
        self._owner.pulse.heard += 1
        self._owner.said(method, params)

    def lost(self, reason: str) -> None:
        self.gone = self.gone or reason
        self._keeper.lost(self, reason)


class Keeper:
    """`session` is the open one, None while there is none."""

    def __init__(
        self,
        settings: McpSettings,
        owner: Owner,
        open: Open,
        clock: Clock,
        rng: Rng,
        checking: Checking | None = None,
    ) -> None:
        self.session: Session | None = None
        self._settings = settings
        self._owner = owner
        self._open = open
        self._clock = clock
        self._rng = rng
        self._checking = checking or Checking()
        self.state = State(since=clock())
        self._turned = asyncio.Event()  # replaced at each turn
        self._nudged = asyncio.Event()
        self._ears: Ears | None = None
        self._ended: GatewayError | None = None
        self._task: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._task = self._start(self._run())

    def nudge(self) -> None:
        """Wake it, or try again at once: something has changed for the better."""
        if self.state.phase is not Phase.UP:
            self._nudged.set()

    async def ready(self, deadline: float = math.inf) -> Session:
        """The open session; waits for a connection that is under way.

        `deadline` is on the loop's clock. Raises BackendUnavailable, DeadlineExceeded.
        """
        now = asyncio.get_running_loop().time
        while self.session is None:
            if self._ended is not None:
                raise self._ended
            if self.state.phase is Phase.ASLEEP:
                self.nudge()
            patience = self.state.patience(self._clock())
            if patience == 0:
                raise self.state.unavailable(self._settings.name, self._clock())
            left = deadline - MARGIN - now()
            if left <= 0:
                raise self._late()
            turned = self._turned
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left if patience is None else min(left, patience)):
                    await turned.wait()
        return self.session

    async def aclose(self, error: GatewayError) -> None:
        """End all; who still waits is told `error`. Twice is once."""
        self._ended = error
        session, self.session, self._ears = self.session, None, None
        self._turn(self.state)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        if session is not None:
            self._close_soon(session)
        if self._closing:
            await asyncio.wait(self._closing)

    def lost(self, ears: Ears, reason: str) -> None:
        """From a session: it is gone."""
        if ears is self._ears:
            self._leave(self.state.lost(self._clock(), reason, self._rng))

    def _late(self) -> GatewayError:
        text = f"server {self._settings.name!r} was not connected in time"
        late = DeadlineExceeded(text, reached=Reached.NOT_SENT)
        late.unwell = False  # supervision looks after what is not connected
        return late

    def _turn(self, state: State) -> None:
        self.state = state
        turned, self._turned = self._turned, asyncio.Event()
        turned.set()
        self._owner.turned()

    def _leave(self, state: State) -> None:
        """The session is used no more."""
        session, self.session, self._ears = self.session, None, None
        if session is not None:
            self._close_soon(session)
        self._turn(state)

    # -- the task -------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            try:
                await _uncancelled(self._step())
            except Exception:
                log.exception("supervision_failed", extra={"backend": self._settings.name})
                fault = BackendUnavailable("a fault of the gateway; its log has it")
                self._leave(self.state.failed(self._clock(), fault, self._rng))

    async def _step(self) -> None:
        if self.state.phase is Phase.CONNECTING:
            await self._connect()
        elif self.session is not None:
            await self._stay(self.session)
        else:
            asleep = self.state.phase is Phase.ASLEEP
            await self._nudge_within(None if asleep else self.state.until - self._clock())
            self._turn(self.state.again(self._clock()))

    async def _nudge_within(self, seconds: float | None) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._nudged.wait()
        self._nudged.clear()

    async def _connect(self) -> None:
        limit = self._settings.connect_timeout
        ears = Ears(self, self._owner)
        try:
            async with asyncio.timeout(limit):
                session = await self._opened(ears)
        except TimeoutError:
            said = f" ({ears.gone})" if ears.gone else ""
            error: GatewayError = BackendUnavailable(f"no connection within {limit:g} s{said}")
        except GatewayError as failure:
            error = failure
        else:
            self.session, self._ears = session, ears
            self._nudged.clear()
            self._owner.pulse.used = self._clock()
            self._turn(self.state.connected(self._clock()))
            return
        self._turn(self.state.failed(self._clock(), error, self._rng))

    async def _opened(self, ears: Ears) -> Session:
        session = await self._open(ears)
        try:
            await self._owner.welcome(session)
        except BaseException:
            self._close_soon(session)
            raise
        if ears.gone is None:
            return session
        self._close_soon(session)
        raise BackendUnavailable(ears.gone)

    async def _stay(self, session: Session) -> None:
        """Until it is up no more."""
        chores = [
            self._start(self._turned.wait()),
            self._start(self._owner.follow(session)),
            self._start(self._heed(session)),
        ]
        if self._settings.idle_timeout is not None:
            chores.append(self._start(self._put_to_sleep(self._settings.idle_timeout)))
        try:
            await asyncio.wait(chores, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for chore in chores:
                chore.cancel()
            ends = await asyncio.gather(*chores, return_exceptions=True)
        fault = next((end for end in ends if isinstance(end, Exception)), None)
        if fault is not None and self.session is session:
            raise fault

    def _start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return asyncio.create_task(work, name=f"keep {self._settings.name}")

    async def _heed(self, session: Session) -> None:
        """Until it is silent for too long."""
        own = self._settings.health_interval
        await silence(session, self._owner, own, self._checking, self._rng)
        if self._ears is not None:
            self.lost(self._ears, SILENT)

    async def _put_to_sleep(self, after: float) -> None:
        """Until nobody needs it. Between the last look and the end no request can come in."""
        await idleness(self._owner, after, self._clock)
        self._leave(self.state.asleep(self._clock()))

    def _close_soon(self, session: Session) -> None:
        """Beside everything else: a server that does not end must not keep the next one away."""
        task = self._start(self._closed(session))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _closed(self, session: Session) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await session.aclose()
        except (GatewayError, TimeoutError) as error:
            facts = {"backend": self._settings.name, "reason": type(error).__name__}
            log.warning("backend_close_failed", extra=facts)


async def _uncancelled(work: Awaitable[None]) -> None:
    """Do `work`; when something in it was cancelled, but not the task that runs, that is a fault as
    any other.
    """
    try:
        await work
    except asyncio.CancelledError as cancelled:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise RuntimeError("what supervision waited for was cancelled") from cancelled
