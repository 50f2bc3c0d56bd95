"""The front as the official SDK's clients see it: 2.x in both eras, 1.x, over HTTP and stdio."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.subscriptions import ToolsListChanged
from mcp.shared.exceptions import MCPError

from gateway.runtime.snapshot import Snapshot
from tests.peers import mcp1
from tests.peers.memory_gateway import Gateway, running, snapshot, tool

STDIO_GATEWAY = [sys.executable, "-m", "tests.peers.stdio_gateway"]
META_TOOLS = [
    "gateway_list_servers",
    "gateway_list_tools",
    "gateway_search_tools",
    "gateway_invoke",
]
INVOKE = {"server": "weather", "tool": "now", "arguments": {"text": "hi"}}


def offering(version: int, *names: str) -> Snapshot:
    return snapshot(version, {"weather": [tool("weather", name) for name in names]})


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with running(offering(1, "now")) as found:
        yield found


async def check(client: Client) -> None:
    """Whatever the era and transport, a conversation reads the same."""
    listed = await client.list_tools()
    assert [found.name for found in listed.tools][:4] == META_TOOLS
    called = await client.call_tool("gateway_invoke", INVOKE)
    assert called.structured_content == {"text": "hi"}
    assert not called.is_error
    refused = await client.call_tool("gateway_invoke", {**INVOKE, "tool": "nwo"})
    assert refused.is_error
    assert "now" in refused.content[0].text
    with pytest.raises(MCPError) as raised:
        await client.call_tool("no_such_tool", {})
    assert raised.value.error.code == -32602
    assert (await client.list_prompts()).prompts == []
    assert (await client.list_resources()).resources == []


@pytest.mark.parametrize(
    ("mode", "version"),
    [("auto", "2026-07-28"), ("2026-07-28", "2026-07-28"), ("legacy", "2025-11-25")],
)
async def test_the_2x_client_talks_to_mcp_in_either_era(
    mode: str, version: str, gateway: Gateway
) -> None:
    async with asyncio.timeout(20), Client(f"{gateway.base}/mcp", mode=mode) as client:
        assert client.protocol_version == version
        if mode != version:  # told to assume a version, it never asks who we are
            assert "gateway_search_tools" in (client.instructions or "")
        await check(client)


async def test_the_2x_client_calls_a_backend_directly(gateway: Gateway) -> None:
    async with asyncio.timeout(20), Client(f"{gateway.base}/mcp/weather") as client:
        assert [found.name for found in (await client.list_tools()).tools] == ["now"]
        called = await client.call_tool("now", {"text": "hi"})
        assert called.structured_content == {"text": "hi"}


async def test_the_2x_client_hears_that_the_tools_changed(gateway: Gateway) -> None:
    async with asyncio.timeout(20), Client(f"{gateway.base}/mcp/weather") as client:
        async with client.listen(tools_list_changed=True) as events:
            gateway.current.swap(offering(2, "now", "later"))
            assert await anext(aiter(events)) == ToolsListChanged()
        listed = await client.list_tools()
        assert [found.name for found in listed.tools] == ["now", "later"]


async def test_a_listening_2x_client_takes_our_end_as_a_graceful_one() -> None:
    async with asyncio.timeout(20), running(offering(1, "now")) as gateway:
        async with (
            Client(f"{gateway.base}/mcp") as client,
            client.listen(tools_list_changed=True) as events,
        ):
            stopping = asyncio.ensure_future(gateway.server.stop(5))
            assert [event async for event in events] == []  # SubscriptionLost would be raised here
        await stopping


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_2x_client_talks_over_stdio_in_either_era(mode: str) -> None:
    server = StdioServerParameters(command=STDIO_GATEWAY[0], args=STDIO_GATEWAY[1:], cwd=mcp1.ROOT)
    async with asyncio.timeout(30), Client(stdio_client(server), mode=mode) as client:
        await check(client)
        assert not (await client.call_tool("shout", {})).is_error


@pytest.fixture(scope="module")
def mcp1_python() -> str:
    try:
        return str(mcp1.install())
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"mcp 1.x cannot be installed here: {type(error).__name__}")


async def seen_by_1x(python: str, *target: str) -> dict[str, object]:
    process = await asyncio.create_subprocess_exec(
        python, mcp1.__file__, *target, stdout=asyncio.subprocess.PIPE, cwd=mcp1.ROOT
    )
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    assert process.returncode == 0
    return dict(json.loads(out))


@pytest.mark.parametrize("transport", ["http", "stdio"])
async def test_the_1x_client_sees_the_same(
    transport: str, mcp1_python: str, gateway: Gateway
) -> None:
    target = [f"{gateway.base}/mcp"] if transport == "http" else STDIO_GATEWAY
    seen = await seen_by_1x(mcp1_python, *target)
    assert seen["version"] == "2025-11-25"
    assert "gateway_search_tools" in str(seen["instructions"])
    assert list(seen["tools"])[:4] == META_TOOLS  # type: ignore[call-overload]
    assert seen["structured"] == {"text": "hi"}
    assert "did you mean 'now'" in str(seen["error"])
