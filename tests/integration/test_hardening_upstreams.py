"""What a hostile API can do to us by its answers: I58 to I64, F3, F4, F6, T1 to T3."""

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiohttp import web
from mcp import Client

from tests.integration.conftest import Start, Whole
from tests.peers.web import serving

API = """\
capability: 1
name: api
description: An API
base_url: http://127.0.0.1:{port}
retry: {{max: 0}}
tools:
  get:
    description: Get what is there.
    args: {{path: {{type: string, required: true}}}}
    get: /{{{{ args.path | segments }}}}
    output: &object {{type: object}}
  keep:
    description: Get what is there, and keep it.
    args: {{path: {{type: string, required: true}}}}
    get: /{{{{ args.path | segments }}}}
    cache: 1m
    output: *object
"""


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


@pytest.mark.parametrize("tool", ["get", "keep"])
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
