"""The process as the system and its operator treat it: signals, and too few descriptors."""

import asyncio
import resource
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web

from gateway.config.folder import look
from gateway.domain.call import Call
from gateway.domain.tool import ToolResult, text_result
from gateway.runtime.shelf import Shelf, Version
from gateway.server.compose import Options
from tests.peers.backends import MemoryBackend
from tests.peers.gateways import Started, started
from tests.peers.hostile import Reply, ask, called, got, read_reply
from tests.peers.memory_gateway import running, snapshot, tool
from tests.peers.web import serving

API = """\
capability: 1
name: api{number}
description: An API
base_url: http://{host}:{port}
tools:
  get:
    description: Get what is there, after a while.
    args: {{path: {{type: string, required: true}}}}
    get: /{{{{ args.path }}}}
"""
OFTEN = "capabilities: {poll: 200ms}\n"
HOSTS = ("127.0.0.1", "localhost")  # an origin each, of at most 100 connections
LARGE = 10 << 20


class Api:
    """Answers `/ID` with ID once it is told to; `asked` counts, `all_asked` is set at `most`."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.asked = 0
        self.all_asked = asyncio.Event()
        self.answer = asyncio.Event()

    async def serve(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.asked >= self.most:
            self.all_asked.set()
        await self.answer.wait()
        return web.json_response(request.path[1:])


@asynccontextmanager
async def before(api: Api, folder: Path, descriptors: int | None = None) -> AsyncIterator[Started]:
    """A gateway that stands before `api`."""
    async with serving(api.serve) as port:
        for number, host in enumerate(HOSTS):
            text = API.format(number=number, host=host, port=port)
            (folder / f"api{number}.yaml").write_text(text)
        async with started(folder, settings=OFTEN, descriptors=descriptors) as gateway:
            yield gateway


async def get(gateway: Started, number: int) -> Reply:
    call = {"server": f"api{number % 2}", "tool": "get", "arguments": {"path": f"id{number}"}}
    return await ask(gateway.port, called("gateway_invoke", call))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_every_call_in_flight_end(
    tmp_path: Path, number: signal.Signals
) -> None:
    """F10: none dropped, new ones refused, health says so, exit 0."""
    api = Api(most=200)
    async with before(api, tmp_path) as gateway, asyncio.timeout(20):
        calls = [asyncio.create_task(get(gateway, index)) for index in range(api.most)]
        await api.all_asked.wait()
        gateway.process.send_signal(number)
        while (await ask(gateway.port, got("/readyz"))).status != 503:
            await asyncio.sleep(0.01)
        assert (await ask(gateway.port, got("/health"))).json["status"] == "stopping"
        assert (await ask(gateway.port, got("/livez"))).status == 200
        refused = await get(gateway, 0)
        assert refused.status == 503
        assert b"connection: close" in refused.head.lower()
        assert refused.json["error"]["data"] == {"code": "draining", "retryable": True}
        api.answer.set()
        answers = [reply.text for reply in await asyncio.gather(*calls)]
        assert answers == [f"id{index}" for index in range(api.most)]
        assert await gateway.process.wait() == 0
        assert "Traceback" not in gateway.log


async def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    """F10."""
    api = Api(most=1)
    async with before(api, tmp_path) as gateway, asyncio.timeout(10):
        call = asyncio.create_task(get(gateway, 0))
        await api.all_asked.wait()
        gateway.process.send_signal(signal.SIGINT)
        while (await ask(gateway.port, got("/readyz"))).status != 503:
            await asyncio.sleep(0.01)
        gateway.process.send_signal(signal.SIGINT)
        assert await gateway.process.wait() == 130
        assert (await call).status == 0


async def test_a_hangup_changes_nothing(tmp_path: Path) -> None:
    """F10."""
    async with started(tmp_path) as gateway, asyncio.timeout(10):
        gateway.process.send_signal(signal.SIGHUP)
        while "hangup_ignored" not in gateway.log:
            await asyncio.sleep(0.01)
        assert (await ask(gateway.port, got("/livez"))).status == 200


async def test_stopping_waits_for_clients_to_take_their_answers() -> None:
    """F10: an answer that was on its way was cut a second after the last call had ended."""

    async def much(_: Call) -> ToolResult:
        return text_result("x" * LARGE)

    offered = snapshot(1, {"weather": [tool("weather", "now")]}, {"weather": much})
    async with running(offered, Options(port=0)) as gateway, asyncio.timeout(10):
        port = gateway.server.port
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(called("now", {}, path="/mcp/weather"))
        head = await reader.readuntil(b"\r\n\r\n")
        flushing = asyncio.create_task(gateway.server._front.flush(5))
        await asyncio.sleep(0.1)
        assert not flushing.done()
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r")[0])
        assert len(await reader.readexactly(length)) > LARGE
        await flushing
        writer.close()


async def test_clients_leave_some_descriptors_for_the_apis(tmp_path: Path) -> None:
    """F13: more clients than may be get a 503, the others are served."""
    api = Api(most=1)
    api.answer.set()
    async with before(api, tmp_path, descriptors=128) as gateway, asyncio.timeout(20):
        held = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(120)]
        (first_reader, first_writer), (last_reader, _) = held[0], held[-1]
        assert (await read_reply(last_reader)).status == 503
        first_writer.write(
            called("gateway_invoke", {"server": "api1", "tool": "get", "arguments": {"path": "a"}})
        )
        assert (await read_reply(first_reader)).text == "a"
        for _, writer in held:
            writer.close()
        while (await ask(gateway.port, got("/livez"))).status != 200:
            await asyncio.sleep(0.05)
        assert (await get(gateway, 1)).text == "id1"


async def test_without_descriptors_clients_wait_and_are_served_afterwards(tmp_path: Path) -> None:
    """F13: no busy loop meanwhile, and no file is taken for broken."""
    api = Api(most=1)
    api.answer.set()
    async with before(api, tmp_path) as gateway, asyncio.timeout(30):
        assert (await get(gateway, 0)).text == "id0"
        limit = gateway.descriptors + 20
        resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (limit, limit))
        held = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(60)]
        await asyncio.sleep(0.3)
        started_at = gateway.processor
        (tmp_path / "api1.yaml").touch()
        await asyncio.sleep(1.5)
        assert gateway.processor - started_at < 0.4
        for _, writer in held:
            writer.close()
        while (await ask(gateway.port, got("/livez"))).status != 200:
            await asyncio.sleep(0.05)
        assert (await get(gateway, 1)).text == "id1"
        while (await ask(gateway.port, got("/health"))).json["status"] != "healthy":
            await asyncio.sleep(0.05)
        assert gateway.log.count("\n") < 50


def test_a_file_that_could_not_be_opened_for_want_of_descriptors_is_read_later(
    tmp_path: Path,
) -> None:
    """F13: it was taken for broken until somebody touched it."""
    (tmp_path / "a.yaml").write_text("a")
    shelf = Shelf(lambda data, _: Version(data.decode(), partial(MemoryBackend, "a")))
    found = look([str(tmp_path)])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        again = shelf.refresh(found, cold=True)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert again
    assert not shelf.refresh(look([str(tmp_path)]), cold=True)
    assert set(shelf.desired().backends) == {"a"}
