"""What a hostile API can do to us by its answers: I58 to I64, F3, F4, F6, T1 to T3."""

import asyncio
import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from mcp import Client

from tests.integration.conftest import Start, Whole
from tests.peers.faulty_http import FAULTS, faulty
from tests.peers.gateways import Started, started
from tests.peers.hostile import Reply, ask, called
from tests.peers.web import serving

API = """\
capability: 1
name: api
description: An API
base_url: http://127.0.0.1:{port}
retry: {{max: 0}}
timeout: 250ms
tools:
  get: &get
    description: Get what is there.
    args: {{path: {{type: string, required: true}}}}
    get: /{{{{ args.path | segments }}}}
  promised: &promised
    <<: *get
    output: {{type: object}}
  kept:
    <<: *promised
    cache: 1m
"""
EVERY_CALL = "failsafe: {circuit_breaker: {enabled: false}, rate_limit: {enabled: false}}"


async def invoke(gateway: Whole, tool: str, **arguments: Any) -> Any:
    """The result of one call, by a real client."""
    async with Client(gateway.url) as client:
        call = {"server": "api", "tool": tool, "arguments": arguments}
        return await client.call_tool("gateway_invoke", call)


@contextmanager
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize("tool", ["promised", "kept"])
@pytest.mark.parametrize("status", [200, 500])
async def test_a_failed_call_leaves_nothing_for_the_collector(
    start: Start, status: int, tool: str
) -> None:
    """F4: errors that held the answer in a circle grew the process with each large one."""
    body = json.dumps([[] for _ in range(50_000)])

    async def failing(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type="application/json")

    async with serving(failing) as port, start({"api": API.format(port=port)}) as gateway:
        await invoke(gateway, tool, path="warm")
        with no_collector():
            assert (await invoke(gateway, tool, path="x")).is_error
            assert gc.collect() < 25_000


@pytest.mark.parametrize("value", ["[]", "{}", "0", '""', '{"a":[]}'])
async def test_an_answer_of_millions_of_values_is_an_error_not_a_pause(
    start: Start, value: str
) -> None:
    """I59: 10 MB of `[]` took a second, much of it without a turn for others, and 300 MiB."""
    body = "[" + ",".join([value] * 1_100_000) + "]"

    async def flooding(_: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    async with serving(flooding) as port, start({"api": API.format(port=port)}) as gateway:
        result = await invoke(gateway, "get", path="x")
        assert result.is_error
        assert "more than 1000000 values" in result.content[0].text
        assert len(result.content[0].text) < 500


async def get(gateway: Started, path: str) -> Reply:
    call = {"server": "api", "tool": "get", "arguments": {"path": path}}
    return await ask(gateway.port, called("gateway_invoke", call))


async def test_no_fault_of_an_api_harms_the_gateway(tmp_path: Path) -> None:
    """F3, I58, I59, T3: alive, the next call is right, memory comes back, and no traceback."""
    async with faulty() as peer:
        (tmp_path / "api.yaml").write_text(API.format(port=peer.port))
        async with started(tmp_path, level="debug", settings=EVERY_CALL) as gateway:
            assert (await get(gateway, "fine")).text == '"/fine"'
            before, descriptors = gateway.memory, gateway.descriptors
            for name in FAULTS:
                answers = await asyncio.gather(*(get(gateway, name) for _ in range(12)))
                assert {reply.status for reply in answers} == {200}
                assert len({reply.text for reply in answers}) <= 2, name
                assert (await get(gateway, f"after/{name}")).text == f'"/after/{name}"'
            assert gateway.memory < before + 32
            assert gateway.descriptors < descriptors + 15  # connections that may serve again
            assert gateway.alive
            assert "Traceback" not in gateway.log
            assert " ERROR " not in gateway.log


async def test_no_broken_exchange_leaves_anything_for_the_collector(start: Start) -> None:
    """F3, I58: the last read, and a parser with a megabyte of header, stayed with each."""
    async with faulty() as peer, start({"api": API.format(port=peer.port)}) as gateway:
        assert (await invoke(gateway, "get", path="long_header")).is_error
        with no_collector():
            for name in ("endless_chunks", "long_header", "reset_within_body", "garbage"):
                assert (await invoke(gateway, "get", path=name)).is_error
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            gc.set_debug(0)
            kinds = {type(found).__module__ for found in gc.garbage}
            gc.garbage.clear()
            assert not {
                kind for kind in kinds if kind.startswith(("gateway.backends", "httptools"))
            }
