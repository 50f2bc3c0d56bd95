"""Serves what the parts make: over HTTP or stdio, until told to stop."""

import asyncio
import contextlib
import errno
import gc
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from gateway.app.parts import Parts, logged, opened
from gateway.app.tracing import tracing
from gateway.capability.file.units import seconds, size
from gateway.config.model import Config
from gateway.config.unmet import ref_of
from gateway.domain.text import counted
from gateway.meta import Status, meta_tools
from gateway.runtime.configured import Configured
from gateway.runtime.heap import return_freed
from gateway.runtime.watch import Watcher
from gateway.server.compose import HttpServer, Options, StdioServer
from gateway.server.descriptors import for_clients
from gateway.server.limits import Limits
from gateway.version import __version__

logger = logging.getLogger(__name__)

COLLECT = (10_000, 20, 50)  # thresholds of the cyclic collector while serving
TAKEN = "another gateway may be running; --port takes another port"
AGAIN = 1.0  # seconds before a background task that failed is started anew


@contextlib.asynccontextmanager
async def listening(
    configured: Configured, *, mock: bool = False
) -> AsyncIterator[tuple[Parts, int]]:
    """The gateway over HTTP, for as long as the block lasts: all parts, and the port in use.

    Raises OSError when the address cannot be had. At the end running calls have
    `shutdown_timeout` to finish.
    """
    server_settings = configured.config.server
    redactor = logged(configured.config)
    async with (
        tracing(configured.config, redactor) as tracer,
        opened(configured, mock=mock, redactor=redactor, tracer=tracer) as parts,
        kept_current(parts),
    ):
        options = _options(parts)
        metrics = parts.metrics.render if configured.config.metrics.enabled else None
        server = HttpServer(
            parts.current, parts.observe, options, parts.ledger, metrics, parts.notices
        )
        parts.metrics.watch(server.gauges)
        await server.start()
        try:
            yield parts, server.port
        finally:
            await server.stop(seconds(server_settings.shutdown_timeout))


async def serve(configured: Configured, *, mock: bool = False) -> int:
    """Serve over HTTP until told to stop; gives the exit code."""
    server = configured.config.server
    told = _told_to_stop()
    try:
        async with listening(configured, mock=mock) as (parts, port):
            _settle()
            _announce(parts, port)
            await told.wait()
            logger.info("stopping", extra={"grace": server.shutdown_timeout})
    except OSError as error:
        _refused(configured.config, error)
        return 1
    return 0


async def serve_stdio(configured: Configured, *, mock: bool = False) -> int:
    """Serve the same over stdin and stdout until they close; gives the exit code."""
    redactor = logged(configured.config)
    async with (
        tracing(configured.config, redactor) as tracer,
        opened(configured, mock=mock, redactor=redactor, tracer=tracer) as parts,
        kept_current(parts),
    ):
        server = StdioServer(parts.current, parts.observe, _options(parts), parts.notices)
        _on_signals(server.stop)
        _settle()
        await server.run(seconds(parts.config.server.shutdown_timeout))
    return 0


@contextlib.asynccontextmanager
async def kept_current(parts: Parts) -> AsyncIterator[None]:
    """Follow the files and the backends for as long as the block lasts."""
    watcher = Watcher(parts.reloader.reload, parts.reloader.poll)
    tasks = [
        asyncio.create_task(_for_ever(watcher.run), name="watcher"),
        asyncio.create_task(_for_ever(parts.reconciler.follow), name="reconciler"),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _for_ever(run: Callable[[], Awaitable[None]]) -> None:
    """A fault in the background is logged and does not end the serving."""
    while True:
        try:
            await run()
        except Exception:
            logger.exception("background_task_failed")
        await asyncio.sleep(AGAIN)


def _options(parts: Parts) -> Options:
    config = parts.config
    server, meta = config.server, config.meta_mcp
    status = Status(parts.ledger, parts.reloader.files)
    return Options(
        host=server.host,
        port=server.port,
        allowed_hosts=server.allowed_hosts,
        allowed_origins=server.allowed_origins,
        meta=meta.enabled,
        meta_tools=(*meta_tools(meta.search_format), *[status] * meta.status_tool),
        surfaced_tools=[ref_of(tool) for tool in meta.surfaced_tools],
        keep_ms=round(seconds(meta.cache_ttl) * 1000) if meta.cache_tools else 0,
        limits=Limits(connections=for_clients(), largest_body=size(server.max_body_size)),
    )


def _announce(parts: Parts, port: int) -> None:
    catalog = parts.current.get().catalog
    host = parts.config.server.host
    name = f"[{host}]" if ":" in host else host
    url = f"http://{name}:{port}/mcp"
    tools, servers = len(catalog), len(catalog.backends)
    if parts.config.log.format == "json":
        facts = {"version": __version__, "tools": tools, "servers": servers, "url": url}
        logger.info("serving", extra=facts)
    else:
        offer = f"{counted(tools, 'tool')} of {counted(servers, 'server')}"
        connecting = sum(not listing.settled for listing in catalog.backends.values())
        if connecting:
            offer += f" ({connecting} still being connected)"
        sys.stderr.write(f"capgate {__version__}: {offer} at {url}\n")
        sys.stderr.flush()
    parts.access.announce(partial(_tell_token, parts.config.log.format))


def _tell_token(format: str, token: str) -> None:
    """The one time that a token which was made up is told; the log masks it from then on."""
    if format == "json":
        level = max(logging.WARNING, logger.getEffectiveLevel())  # nobody else will tell it
        logger.log(level, "bearer_token_made", extra={"token": token})
    else:
        sys.stderr.write(f"bearer token of this run, told once: {token}\n")
        sys.stderr.flush()


def _refused(config: Config, error: OSError) -> None:
    """The address cannot be had: in a line for a person, or in JSON where all lines are."""
    address = f"{config.server.host}:{config.server.port}"
    reason = os.strerror(error.errno).lower() if error.errno else "no such address"
    hint = TAKEN if error.errno == errno.EADDRINUSE else ""
    if config.log.format == "json":
        extra = {"address": address, "reason": reason, "hint": hint}
        logger.error("cannot_listen", extra=extra)
    else:
        sys.stderr.write(f"cannot listen on {address}: {reason}{hint and f'; {hint}'}\n")


def _settle() -> None:
    """What is loaded now stays: the collector need not look at it again, nor at each new call.

    A tenth of the CPU of a call, measured with 32 connections.
    """
    return_freed()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT)
    gc.enable()


def _told_to_stop() -> asyncio.Event:
    """Set by SIGTERM or SIGINT, from now on; a second one ends the process at once."""
    told = asyncio.Event()

    def stop() -> None:
        if told.is_set():
            os._exit(130)
        told.set()

    _on_signals(stop)
    return told


def _on_signals(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGHUP, lambda: logger.info("hangup_ignored"))
