"""Makes what traces calls, where the operator wants traces, and lets it send the last of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from gateway.config import telemetry
from gateway.config.model import Config
from gateway.credentials.redact import Redactor
from gateway.domain.tracing import Tracer


@contextlib.asynccontextmanager
async def tracing(config: Config, redactor: Redactor) -> AsyncIterator[Tracer | None]:
    """The tracer, for as long as the block lasts; at its end what is left is sent, for as long as
    sending a batch may take. `redactor` learns what is shown to the collector.
    """
    if not config.telemetry.enabled:
        yield None
        return
    from gateway.observe.otel import Sending  # noqa: PLC0415  an extra, and 300 ms to load

    settings = telemetry.settings(config.telemetry)
    for value in settings.headers.values():
        redactor.learn(value)
    sending = Sending(settings)
    try:
        yield sending
    finally:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        sending.close_soon(lambda: loop.call_soon_threadsafe(ended.set))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(settings.timeout):
                await ended.wait()
