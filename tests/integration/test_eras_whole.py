"""What servers tell and clients call off, through the whole gateway.

A client of either era is before a server of either era, which is reached by HTTP and by stdio.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from mcp import Client, types
from mcp.shared.exceptions import MCPError

from tests.conformance.legs import backends, gateway
from tests.peers.mcp_http import MODERN, McpHttp

PATIENCE = 10.0  # seconds for what comes by itself
WATCHED = "test://watched-resource"
ERAS = ("legacy", MODERN)
SERVERS = [backend for backend in backends() if not backend.startswith("dual")]
LOG_LEVEL = "io.modelcontextprotocol/logLevel"

# The SDK warns of all that is deprecated in 2026, and legacy clients still need it.
pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with gateway(tmp_path_factory.mktemp("eras")) as url:
        yield url


@dataclass
class Hearing:
    """A client, and the notifications it is sent unasked."""

    client: Client
    notes: asyncio.Queue[str]

    async def heard(self, method: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while await self.notes.get() != method:
                pass


@contextlib.asynccontextmanager
async def listening(base: str, era: str, server: str) -> AsyncIterator[Hearing]:
    """A client that wants to hear of everything that changes, whatever that takes in its era."""
    notes: asyncio.Queue[str] = asyncio.Queue()

    async def hear(message: Any) -> None:
        if isinstance(message, types.Notification):
            notes.put_nowait(message.method)

    names = {
        "ToolsListChanged": "notifications/tools/list_changed",
        "PromptsListChanged": "notifications/prompts/list_changed",
        "ResourceUpdated": "notifications/resources/updated",
    }

    async def follow(subscription: Any) -> None:
        async for event in subscription:
            notes.put_nowait(names[type(event).__name__])

    async with Client(f"{base}/mcp/{server}", mode=era, message_handler=hear) as client:
        if era == "legacy":
            await client.subscribe_resource(WATCHED)
            yield Hearing(client, notes)
            await client.unsubscribe_resource(WATCHED)
            return
        wanted = {"tools_list_changed": True, "prompts_list_changed": True}
        async with client.listen(**wanted, resource_subscriptions=[WATCHED]) as subscription:
            assert subscription.honored.resource_subscriptions == [WATCHED]
            following = asyncio.create_task(follow(subscription))
            try:
                yield Hearing(client, notes)
            finally:
                following.cancel()
                await asyncio.wait((following,))


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("server", SERVERS)
async def test_a_list_that_changes_is_told_and_shown(era: str, server: str, base: str) -> None:
    async with listening(base, era, server) as hearing:
        client = hearing.client
        for trigger, method in (
            ("test_trigger_tool_change", "notifications/tools/list_changed"),
            ("test_trigger_prompt_change", "notifications/prompts/list_changed"),
        ):
            before = await offered(client)
            await client.call_tool(trigger)
            await hearing.heard(method)
            changed = before ^ await offered(client)
            assert len(changed) == 1
            assert "extra" in changed.pop()


async def offered(client: Client) -> set[str]:
    tools = (await client.list_tools(cache_mode="refresh")).tools
    prompts = (await client.list_prompts(cache_mode="refresh")).prompts
    return {tool.name for tool in tools} | {prompt.name for prompt in prompts}


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("server", SERVERS)
async def test_a_watched_resource_is_told_of(era: str, server: str, base: str) -> None:
    async with listening(base, era, server) as hearing:
        for _ in range(2):
            await hearing.client.call_tool("test_trigger_resource_change")
            await hearing.heard("notifications/resources/updated")


@pytest.mark.parametrize("server", SERVERS)
async def test_everybody_who_watches_is_told(server: str, base: str) -> None:
    async with (
        listening(base, "legacy", server) as legacy,
        listening(base, MODERN, server) as modern,
    ):
        await legacy.client.call_tool("test_trigger_resource_change")
        await legacy.heard("notifications/resources/updated")
        await modern.heard("notifications/resources/updated")
        await modern.client.call_tool("test_trigger_tool_change")
        await legacy.heard("notifications/tools/list_changed")
        await modern.heard("notifications/tools/list_changed")


@pytest.mark.parametrize("server", SERVERS)
async def test_a_legacy_client_gets_the_logs_of_its_level(server: str, base: str) -> None:
    logged: list[Any] = []

    async def log(params: types.LoggingMessageNotificationParams) -> None:
        logged.append(params.data)

    async with Client(f"{base}/mcp/{server}", mode="legacy", logging_callback=log) as client:
        await client.set_logging_level("error")
        await client.call_tool("test_tool_with_logging")
        assert logged == []
        await client.set_logging_level("info")
        await client.call_tool("test_tool_with_logging")
        assert logged == ["started", "working", "finished"]


@pytest.mark.parametrize("server", SERVERS)
async def test_a_modern_client_gets_the_logs_that_each_request_asks_for(
    server: str, base: str
) -> None:
    logged: list[Any] = []

    async def log(params: types.LoggingMessageNotificationParams) -> None:
        logged.append(params.data)

    async with Client(f"{base}/mcp/{server}", mode=MODERN, logging_callback=log) as client:
        for level, expected in ((None, 0), ("error", 0), ("info", 3), (None, 3)):
            meta: Any = {LOG_LEVEL: level} if level else None
            await client.call_tool("test_tool_with_logging", meta=meta)
            assert len(logged) == expected


# -- calls that are called off --------------------------------------------------------------------


async def count(client: Client, of: str) -> int:
    answered = await client.call_tool("test_count", {"of": of})
    assert isinstance(answered.content[0], types.TextContent)
    return int(answered.content[0].text)


async def until(client: Client, of: str, wanted: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while await count(client, of) != wanted:
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def calling(base: str, server: str, era: str) -> AsyncIterator[McpHttp]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as http:
        client = McpHttp(http, f"{base}/mcp/{server}")
        if era == "legacy":
            await client.initialize()
        yield client


@pytest.mark.parametrize("server", SERVERS)
async def test_a_modern_client_that_hangs_up_cancels_its_call(server: str, base: str) -> None:
    async with Client(f"{base}/mcp/{server}") as observer:
        cancelled = await count(observer, "cancelled")
        async with calling(base, server, MODERN) as caller:
            params = {"name": "test_wait", "arguments": {}, "_meta": {"progressToken": "t"}}
            async with caller.modern("tools/call", params) as response:
                await response.content.readany()  # its progress: it runs
                assert await count(observer, "waiting") == 1
        await until(observer, "cancelled", cancelled + 1)
        assert await count(observer, "waiting") == 0


@pytest.mark.parametrize("server", SERVERS)
async def test_a_legacy_client_that_hangs_up_leaves_its_call_alone_until_it_cancels(
    server: str, base: str
) -> None:
    async with Client(f"{base}/mcp/{server}") as observer:
        cancelled = await count(observer, "cancelled")
        async with calling(base, server, "legacy") as caller:
            params = {"name": "test_wait", "arguments": {}, "_meta": {"progressToken": "t"}}
            async with caller.legacy("tools/call", params, id=77) as response:
                await response.content.readany()
                assert await count(observer, "waiting") == 1
            assert await count(observer, "waiting") == 1
            told = {"requestId": 77, "reason": "enough"}
            async with caller.legacy("notifications/cancelled", told, id=None) as response:
                assert response.status == 202
        await until(observer, "cancelled", cancelled + 1)
        assert await count(observer, "waiting") == 0


# -- what is called ------------------------------------------------------------------------------


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("server", SERVERS)
async def test_an_argument_reaches_a_server_that_wants_it_in_a_header(
    era: str, server: str, base: str
) -> None:
    async with Client(f"{base}/mcp/{server}", mode=era) as client:
        await client.list_tools()
        for region in ("north", "Übersee", " padded "):
            answered = await client.call_tool("test_x_mcp_header", {"region": region})
            assert isinstance(answered.content[0], types.TextContent)
            assert answered.content[0].text == f"region={region}"


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("server", SERVERS)
async def test_what_there_is_not_is_an_error_of_the_clients_era(
    era: str, server: str, base: str
) -> None:
    async with Client(f"{base}/mcp/{server}", mode=era) as client:
        with pytest.raises(MCPError) as missing:
            await client.read_resource("test://nowhere")
        assert missing.value.code == (-32002 if era == "legacy" else types.INVALID_PARAMS)
        with pytest.raises(MCPError) as unknown:
            await client.call_tool("test_nowhere")
        assert unknown.value.code == types.INVALID_PARAMS
        with pytest.raises(MCPError):
            await client.get_prompt("test_nowhere")


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("server", SERVERS)
async def test_arguments_and_results_pass_untouched(era: str, server: str, base: str) -> None:
    odd = {
        "big": 2**53 - 1,
        "deep": [{"a": [None, True, 1.5]}],
        "text": "\u2028 \U0001f600 \\u0000",
    }
    async with Client(f"{base}/mcp/{server}", mode=era) as client:
        answered = await client.call_tool("test_echo", odd)
        assert answered.structured_content == odd
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        schema = tools["json_schema_2020_12_tool"].input_schema
        assert schema["$defs"]["address"]["$anchor"] == "addressDef"
        assert json.dumps(schema).count("$ref") == 1
