"""Makes all parts out of a configuration and wires them; no if about traffic."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from gateway import log
from gateway.app import trust
from gateway.app.access import AccessMaker
from gateway.app.building import Builders
from gateway.app.guarding import Guarding
from gateway.app.recording import Recording
from gateway.auth.access import CLOSED
from gateway.capability.file.units import seconds
from gateway.config.model import Config
from gateway.credentials.redact import Redactor
from gateway.domain.events import Event, Observer
from gateway.domain.identity import OPERATOR
from gateway.domain.tracing import Tracer
from gateway.observe.ledger import Ledger
from gateway.observe.logging import StateLog
from gateway.observe.metrics import Metrics
from gateway.runtime.configured import Configured
from gateway.runtime.mcp_servers import McpServers
from gateway.runtime.notices import Notices
from gateway.runtime.reconcile import Reconciler
from gateway.runtime.reload import Reloader
from gateway.runtime.road import Road
from gateway.runtime.snapshot import Current, Snapshot
from gateway.runtime.trusted import Trusted
from gateway.runtime.view import View
from gateway.runtime.waiting import settled

FIRST_CONNECTIONS = 20.0  # seconds that the command line waits for MCP servers to start


@dataclass(frozen=True, slots=True)
class Parts:
    """What was made, for whoever serves it."""

    config: Config
    current: Current
    observe: Observer
    metrics: Metrics
    ledger: Ledger
    notices: Notices
    reconciler: Reconciler
    reloader: Reloader
    access: AccessMaker


@contextlib.asynccontextmanager
async def opened(
    configured: Configured,
    *,
    mock: bool = False,
    redactor: Redactor | None = None,
    only: str | None = None,
    told: StateLog | None = None,
    tracer: Tracer | None = None,
) -> AsyncIterator[Parts]:
    """All parts, with the files loaded once. `mock`: tools answer from their examples. Where `only`
    one server is asked for, no other MCP server is started.

    `redactor` is the one that the process's log uses: it learns every secret; `told` is
    what writes of changes there, where a command of the command line wants less of them.
    """
    config = configured.config
    redactor = redactor or Redactor()
    metrics, ledger = Metrics(), Ledger()
    recording = Recording(config.audit, redactor, command=told is not None)
    metrics.audited(recording)
    ledger.recorded = recording if config.audit.enabled else None
    observe = configured.observe = _fan_out(
        *recording.observers, metrics, ledger, told or StateLog()
    )
    guarding = Guarding(config, observe)
    road = Road(guarding.throttle, recording.recorded, tracer)
    most = seconds(config.server.request_timeout)
    current = Current(Snapshot(request_timeout=most, road=road, access=CLOSED))
    current.subscribe(lambda _, new: metrics.offered(new.catalog, new.issues))
    notices = Notices()
    reconciler = Reconciler(current, observe, notices, guarding.guards)
    wanted = None if only is None else config.aliases.get(only, only)
    builders = Builders(redactor, configured.environ, guarding.checking, mock=mock, only=wanted)
    access = AccessMaker(redactor, builders.outgoing)
    reloader = Reloader(
        configured,
        builders.load_with,
        reconciler,
        _both(guarding.configure, _kept_as_it_is if configured.hosted else _on_config),
        McpServers(configured, builders.server, configured.environ),
        Trusted(configured, trust.makers(access), observe),
    )
    try:
        await reloader.reload(cold=True)
        yield Parts(
            config, current, observe, metrics, ledger, notices, reconciler, reloader, access
        )
    finally:
        await reconciler.aclose(grace=0)
        await builders.aclose()
        await recording.aclose()


@contextlib.asynccontextmanager
async def offered(
    configured: Configured, *, mock: bool = False, only: str | None = None
) -> AsyncIterator[View]:
    """The view of a caller in this very process, for the command line; `only` as in `opened`."""
    redactor = logged(configured.config)
    told = StateLog(warnings=False)
    async with opened(configured, mock=mock, redactor=redactor, only=only, told=told) as parts:
        following = asyncio.create_task(parts.reconciler.follow(), name="reconciler")
        try:
            await settled(parts.current, FIRST_CONNECTIONS)
            yield View(parts.current.get(), parts.observe, OPERATOR)
        finally:
            following.cancel()


def logged(config: Config) -> Redactor:
    """Set up the process's log; gives the redactor it uses."""
    redactor = Redactor()
    log.setup(config.log.level, config.log.format, redactor)
    return redactor


def _fan_out(*sinks: Observer) -> Observer:
    def observe(event: Event) -> None:
        for sink in sinks:
            sink(event)

    return observe


def _both(one: Callable[[Config], None], other: Callable[[Config], None]) -> Callable[..., None]:
    def hear(config: Config) -> None:
        one(config)
        other(config)

    return hear


def _on_config(config: Config) -> None:
    """What of a changed gateway.yaml is live at once, beside the capabilities."""
    logging.getLogger().setLevel(config.log.level.upper())


def _kept_as_it_is(_config: Config) -> None:
    """The logging of a program that embeds the gateway is its own."""
