"""Puts the parts of the two fronts together; makes things and decides nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from gateway.domain.events import Observer
from gateway.domain.tool import ToolRef
from gateway.meta import META_TOOLS, MetaTool
from gateway.observe.figures import Gauges
from gateway.observe.ledger import Ledger
from gateway.runtime.notices import Notices
from gateway.runtime.snapshot import Current
from gateway.server import openai
from gateway.server.addressing import Addressing
from gateway.server.admin import pages
from gateway.server.changes import Changes
from gateway.server.endpoint import Endpoint
from gateway.server.entrance import Entrance
from gateway.server.front import Front
from gateway.server.hearing import Hub
from gateway.server.http import Http
from gateway.server.leaving import Leaving
from gateway.server.legacy import Legacy
from gateway.server.limits import Limits
from gateway.server.listen import Subscriptions
from gateway.server.modern import Modern
from gateway.server.pipes import Line, LineReader, LineWriter, claim_standard_streams
from gateway.server.sessions import Sessions
from gateway.server.stdio import Stdio
from gateway.server.surface import MetaSurface
from gateway.server.views import Views

GRACE = 30.0  # seconds that running calls get when the gateway stops
STDIO_GRACE = 5.0  # at most over stdio, where our only client has gone already


@dataclass(frozen=True, slots=True)
class Options:
    """Where to listen, whom to let in, what to offer at `/mcp`."""

    host: str = "127.0.0.1"
    port: int = 39400
    allowed_hosts: Sequence[str] = ()
    allowed_origins: Sequence[str] = ()
    meta: bool = True  # off: nothing at `/mcp` itself
    meta_tools: Sequence[MetaTool] = META_TOOLS
    surfaced_tools: Sequence[ToolRef] = ()
    keep_ms: int = 0  # for how long clients may keep the list of meta-tools
    limits: Limits = field(default_factory=Limits)

    def surface(self) -> MetaSurface:
        return MetaSurface(self.meta_tools, self.surfaced_tools, self.keep_ms)


class HttpServer:
    """The running front: `start`, then `stop`. `metrics` gives the text of /metrics; None: no such
    page. `notices` is where backends tell what concerns no call.
    """

    def __init__(
        self,
        current: Current,
        observe: Observer,
        options: Options,
        ledger: Ledger,
        metrics: Callable[[], bytes] | None,
        notices: Notices | None = None,
    ) -> None:
        self._options = options
        self._hub = _hub(current, observe, notices)
        self._subscriptions = Subscriptions(self._hub)
        sessions = self._sessions = Sessions()
        self._leaving = Leaving(current, sessions, self._subscriptions)
        endpoint = self._endpoint = Endpoint(current, observe)
        self.http = Http(
            Addressing(options.host, options.allowed_hosts, options.allowed_origins),
            Entrance(current, observe),
            endpoint,
            options.surface() if options.meta else None,
            (
                Modern(endpoint, self._subscriptions),
                Legacy(endpoint, sessions, self._hub),
            ),
            {
                **pages(current, ledger, metrics, lambda: self.http.stopping),
                openai.PATH: openai.Functions(current),
            },
        )
        self._front = Front(self.http.answer, options.limits)

    @property
    def port(self) -> int:
        """The one in use, once started; also where 0 was asked for."""
        return self._front.port

    @property
    def connections(self) -> int:
        """How many are open now."""
        return self._front.connections

    @property
    def streams(self) -> int:
        """How many subscriptions are open now."""
        return len(self._subscriptions)

    @property
    def gauges(self) -> Gauges:
        """What clients hold open, to be asked whenever somebody looks."""
        return {
            "connections": lambda: self.connections,
            "sessions": lambda: len(self._sessions),
            "streams": lambda: self.streams,
        }

    async def start(self) -> None:
        """Raises OSError when the address cannot be had."""
        await self._front.start(self._options.host, self._options.port)
        self._leaving.start()

    async def stop(self, grace: float = GRACE) -> None:
        """Refuse new calls, then close everything.

        Running calls have `grace` seconds to end and clients to take the answers, 1 s at least.
        """
        now = asyncio.get_running_loop().time
        until = now() + grace
        self._front.close_each()
        await self.http.drain(grace)
        self._endpoint.close()
        self._leaving.close()
        self._hub.close()
        await self._front.flush(max(until - now(), 1.0))
        await self._front.aclose()


class StdioServer:
    """The front over standard input and output. Make it on the running loop; `run` it once."""

    def __init__(
        self,
        current: Current,
        observe: Observer,
        options: Options,
        notices: Notices | None = None,
    ) -> None:
        self._hub = _hub(current, observe, notices)
        stdin, stdout = claim_standard_streams()
        self._lines = LineReader(stdin, options.limits.largest_body)
        self._writer = LineWriter(stdout)
        self._stdio = Stdio(
            Endpoint(current, observe),
            options.surface(),
            self._hub,
            Subscriptions(self._hub),
            self._writer.write,
            self._writer.offer,
        )

    async def run(self, grace: float = STDIO_GRACE) -> None:
        """Serve until the input ends or `stop` is called.

        Calls then have `grace` seconds, but never more than `STDIO_GRACE`, and as long again the
        peer to read what is left.
        """
        grace = min(grace, STDIO_GRACE)
        await self._stdio.serve(self._paced(), grace)
        self._hub.close()
        await self._writer.aclose(grace)

    def stop(self) -> None:
        self._lines.stop()
        self._writer.hurry()

    async def _paced(self) -> AsyncIterator[Line]:
        """No faster than our answers are read."""
        async for line in self._lines:
            await self._writer.room()
            yield line


def _hub(current: Current, observe: Observer, notices: Notices | None) -> Hub:
    views = Views(current, observe)
    return Hub(views, current, Changes(current, observe), notices)
