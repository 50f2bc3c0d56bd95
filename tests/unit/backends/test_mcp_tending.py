"""Whether a server still answers, and whether anybody needs it."""

import asyncio

import pytest

from gateway.backends.tending import Checking, Pulse, idleness, silence
from gateway.errors import BackendUnavailable, GatewayError, RemoteError
from tests.peers.backend_session import turns

INTERVAL = 0.002


class Server:
    """What there is to know, and pings that answer as `pongs` say, the last one for ever."""

    def __init__(self, *pongs: GatewayError | None) -> None:
        self.pulse = Pulse()
        self.busy = False
        self.needed = False
        self.pings = 0
        self.asked = asyncio.Event()
        self._pongs = list(pongs)

    async def ping(self) -> None:
        self.pings += 1
        self.asked.set()
        pong = self._pongs.pop(0) if len(self._pongs) > 1 else self._pongs[0]
        if pong is not None:
            raise pong


LOST = BackendUnavailable("no answer")


async def heeded(server: Server) -> None:
    async with asyncio.timeout(5):
        await silence(server, server, INTERVAL, Checking(), lambda: 0.5)  # type: ignore[arg-type]


async def test_two_failures_in_a_row_are_silence() -> None:
    server = Server(LOST)
    await heeded(server)
    assert server.pings == 2


async def test_one_failure_is_not() -> None:
    server = Server(LOST, None, LOST, RemoteError(-32601, "no"), LOST, LOST)
    await heeded(server)
    assert server.pings == 6


async def test_a_server_that_never_answers_a_check_is_silent() -> None:
    server = Server(None)

    async def hang() -> None:
        server.pings += 1
        await asyncio.Event().wait()

    server.ping = hang  # type: ignore[method-assign]
    await heeded(server)
    assert server.pings == 2


async def test_a_server_that_is_heard_of_is_not_asked() -> None:
    server = Server(LOST)

    async def talk() -> None:
        while True:
            server.pulse.heard += 1
            await asyncio.sleep(INTERVAL / 20)

    talking = asyncio.create_task(talk())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(20 * INTERVAL):
            await silence(server, server, INTERVAL, Checking(), lambda: 0.5)  # type: ignore[arg-type]
    talking.cancel()
    assert server.pings == 0


async def test_nobody_needs_a_server_when_its_last_request_is_long_ago() -> None:
    server, now = Server(None), 100.0
    server.pulse.used = 95.0
    await idleness(server, 5.0, lambda: now)
    server.busy = True
    idle = asyncio.create_task(idleness(server, 5.0, lambda: now))
    await turns()
    assert not idle.done()
    idle.cancel()
