"""Streams, reloads and disconnects over real connections."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
import pytest

from gateway.domain.call import Call
from gateway.domain.tool import ToolResult
from gateway.runtime.snapshot import Snapshot
from tests.peers.mcp_http import McpHttp, client
from tests.peers.memory_gateway import Gateway, echo, running, snapshot, tool

CHANGED = "notifications/tools/list_changed"
SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"


class Slow:
    """A tool that answers when told to and remembers how it ended."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.finished = asyncio.Event()

    async def __call__(self, call: Call) -> ToolResult:
        self.begun.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        self.finished.set()
        return await echo(call)


def offering(version: int, *names: str, slow: Slow | None = None) -> Snapshot:
    tools = {"weather": [tool("weather", name) for name in names], "news": []}
    return snapshot(version, tools, {"weather": slow} if slow else None)


@contextlib.asynccontextmanager
async def front(first: Snapshot | None = None) -> AsyncIterator[Gateway]:
    async with running(first or offering(1, "a")) as gateway, asyncio.timeout(10):
        yield gateway


async def test_a_get_stream_tells_that_the_tools_changed_and_the_new_list_is_there() -> None:
    async with front() as gateway, client(gateway.base, "/mcp/weather") as mcp:
        await mcp.initialize()
        async with mcp.stream() as events:
            primed = await events.next()
            assert primed is not None
            assert (primed.data, primed.id) == ("", "0")
            gateway.current.swap(offering(2, "a", "b"))
            assert await events.message() == {"jsonrpc": "2.0", "method": CHANGED}
            async with mcp.legacy("tools/list") as response:
                tools = (await response.json())["result"]["tools"]
            assert [found["name"] for found in tools] == ["a", "b"]


async def test_a_client_that_comes_back_hears_what_it_missed() -> None:
    async with front() as gateway, client(gateway.base, "/mcp/weather") as mcp:
        await mcp.initialize()
        async with mcp.stream() as events:
            primed = await events.next()
        assert primed is not None
        gateway.current.swap(offering(2, "b"))
        async with mcp.stream(primed.id) as events:
            assert (await events.message())["method"] == CHANGED


async def test_older_revisions_get_no_priming_event() -> None:
    async with front() as gateway, client(gateway.base, "/mcp/weather") as mcp:
        await mcp.initialize("2025-06-18")
        async with mcp.stream() as events:
            gateway.current.swap(offering(2, "b"))
            first = await events.next()
            assert first is not None
            assert CHANGED in first.data


async def test_a_listener_hears_of_its_own_surface_only() -> None:
    async with (
        front() as gateway,
        client(gateway.base, "/mcp/weather") as weather,
        client(gateway.base, "/mcp/news") as news,
        weather.listen("w", toolsListChanged=True) as told,
        news.listen(7, toolsListChanged=True) as untold,
    ):
        for events, id in ((told, "w"), (untold, 7)):
            first = await events.message()
            assert first["method"] == "notifications/subscriptions/acknowledged"
            assert first["params"]["_meta"][SUBSCRIPTION] == id
            assert first["params"]["notifications"] == {"toolsListChanged": True}
        gateway.current.swap(offering(2, "b"))
        message = await told.message()
        assert message["method"] == CHANGED
        assert message["params"]["_meta"] == {SUBSCRIPTION: "w"}
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await untold.message()


async def test_a_listener_that_leaves_gives_its_place_back() -> None:
    """I21, I23."""
    async with front() as gateway, client(gateway.base) as mcp:
        async with mcp.listen(toolsListChanged=True) as events:
            await events.message()
            assert gateway.server.streams == 1
        while gateway.server.streams:
            await asyncio.sleep(0.01)


async def test_leaving_cancels_a_modern_call() -> None:
    """I21."""
    slow = Slow()
    async with front(offering(1, "a", slow=slow)) as gateway:
        async with client(gateway.base, "/mcp/weather") as mcp:
            calling = asyncio.ensure_future(call(mcp))
            await slow.begun.wait()
            calling.cancel()
        async with asyncio.timeout(1):
            await slow.cancelled.wait()


async def call(mcp: McpHttp) -> int:
    async with mcp.modern("tools/call", {"name": "a"}) as response:
        return response.status


async def legacy_call(mcp: McpHttp) -> int:
    async with mcp.legacy("tools/call", {"name": "a"}) as response:
        return response.status


async def test_leaving_does_not_cancel_a_legacy_call() -> None:
    slow = Slow()
    async with front(offering(1, "a", slow=slow)) as gateway:
        async with client(gateway.base, "/mcp/weather") as mcp:
            await mcp.initialize()
            calling = asyncio.ensure_future(legacy_call(mcp))
            await slow.begun.wait()
            calling.cancel()
        async with client(gateway.base) as other, other.http.get(f"{gateway.base}/livez"):
            pass  # by now the front has seen the first client go
        slow.go.set()
        await slow.finished.wait()
        assert not slow.cancelled.is_set()


async def test_a_cancelled_notification_stops_a_legacy_call() -> None:
    slow = Slow()
    async with (
        front(offering(1, "a", slow=slow)) as gateway,
        client(gateway.base, "/mcp/weather") as mcp,
    ):
        await mcp.initialize()
        calling = asyncio.ensure_future(legacy_call(mcp))
        await slow.begun.wait()
        async with mcp.legacy("notifications/cancelled", {"requestId": 1}, None) as response:
            assert response.status == 202
        await slow.cancelled.wait()
        assert await calling == 202


async def test_stopping_lets_calls_end_and_streams_say_goodbye() -> None:
    """F10."""
    slow = Slow()
    async with (
        front(offering(1, "a", slow=slow)) as gateway,
        client(gateway.base, "/mcp/weather") as mcp,
        mcp.listen(9, toolsListChanged=True) as events,
    ):
        await events.message()
        calling = asyncio.ensure_future(call(mcp))
        await slow.begun.wait()
        stopping = asyncio.ensure_future(gateway.server.stop(5))
        goodbye = await events.message()
        assert (goodbye["id"], goodbye["result"]["resultType"]) == (9, "complete")
        assert await events.next() is None
        async with mcp.http.get(f"{gateway.base}/readyz") as response:
            assert response.status == 503
        slow.go.set()
        assert await calling == 200
        await stopping
        with pytest.raises(aiohttp.ClientConnectionError):
            await call(mcp)


async def test_a_burst_of_reloads_is_told_once_a_second_at_most() -> None:
    """F8."""
    async with (
        front() as gateway,
        client(gateway.base, "/mcp/weather") as mcp,
        mcp.listen(toolsListChanged=True) as events,
    ):
        await events.message()
        for version in range(2, 102):
            gateway.current.swap(offering(version, f"t{version}"))
        assert (await events.message())["method"] == CHANGED
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await events.message()
        assert (await events.message())["method"] == CHANGED


async def test_a_tool_is_called_over_one_connection_again_and_again() -> None:
    async with front() as gateway, client(gateway.base, "/mcp/weather") as mcp:
        for number in range(20):
            params = {"name": "a", "arguments": {"n": number}}
            async with mcp.modern("tools/call", params, number) as response:
                found = await response.json()
            assert (found["id"], found["result"]["structuredContent"]) == (number, {"n": number})
        assert gateway.server.connections == 1
