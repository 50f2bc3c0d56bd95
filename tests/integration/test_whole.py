"""What a newcomer does, with a real MCP client of either era before a real HTTP API."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from mcp import Client

from tests.integration.conftest import Start, Whole
from tests.peers.web import serving

SHOP = """\
capability: 1
name: shop
description: Items of a shop
base_url: {base}
tools:
  get_item:
    description: One item of the shop by its number.
    args:
      id: {{type: integer, required: true}}
    get: /items/{{{{ args.id }}}}
    response: {{map: {{id: $.id, name: $.name}}}}
  add_item:
    description: Add an item to the shop.
    args:
      name: {{type: string, required: true}}
    post: /items
    json: {{name: "{{{{ args.name }}}}"}}
"""

ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])


async def shop(request: web.Request) -> web.Response:
    if request.method == "POST":
        return web.json_response({"added": (await request.json())["name"]}, status=201)
    number = request.path.rpartition("/")[2]
    if number == "404":
        return web.json_response({"message": "no such item"}, status=404)
    return web.json_response({"id": int(number), "name": f"Item {number}", "cost": 3})


@contextlib.asynccontextmanager
async def selling(start: Start) -> AsyncIterator[Whole]:
    """The gateway before the shop."""
    async with serving(shop) as port:
        text = SHOP.format(base=f"http://127.0.0.1:{port}")
        async with start({"shop": text}) as gateway:
            yield gateway


def edit(gateway: Whole, old: str, new: str) -> None:
    path = gateway.folder / "shop.yaml"
    path.write_text(path.read_text().replace(old, new))


async def ask(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result
    found: dict[str, Any] = json.loads(result.content[0].text)  # type: ignore[union-attr]
    return found


@ERAS
async def test_a_client_of_either_era_finds_and_calls_a_tool(start: Start, mode: str) -> None:
    async with (
        selling(start) as gateway,
        Client(gateway.url, mode=mode) as client,
    ):
        listed = await client.list_tools()
        assert [tool.name for tool in listed.tools] == [
            "gateway_list_servers",
            "gateway_list_tools",
            "gateway_search_tools",
            "gateway_invoke",
        ]
        found = await ask(client, "gateway_search_tools", query="item by number")
        best = found["matches"][0]
        assert (best["server"], best["tool"], best["args"]) == ("shop", "get_item", "id: integer")
        result = await client.call_tool(
            "gateway_invoke", {"server": "shop", "tool": "get_item", "arguments": {"id": 7}}
        )
        assert result.structured_content == {"id": 7, "name": "Item 7"}
        assert json.loads(result.content[0].text) == {"id": 7, "name": "Item 7"}  # type: ignore[union-attr]


@ERAS
async def test_direct_mode_lists_and_calls_a_backends_own_tools(start: Start, mode: str) -> None:
    async with (
        selling(start) as gateway,
        Client(f"{gateway.url}/shop", mode=mode) as client,
    ):
        assert [tool.name for tool in (await client.list_tools()).tools] == ["get_item", "add_item"]
        result = await client.call_tool("add_item", {"name": "Lamp"})
        assert result.structured_content == {"added": "Lamp"}


@ERAS
async def test_a_failed_call_says_what_happened_and_what_to_do(start: Start, mode: str) -> None:
    async with (
        selling(start) as gateway,
        Client(gateway.url, mode=mode) as client,
    ):
        for arguments, expected in (
            ({"id": 404}, ("HTTP 404 from shop.get_item: no such item", "completed")),
            ({"id": "x"}, ("id", "not_sent")),
            ({"ids": 1}, ("'id'", "not_sent")),
        ):
            result = await client.call_tool(
                "gateway_invoke", {"server": "shop", "tool": "get_item", "arguments": arguments}
            )
            assert result.is_error
            assert result.structured_content is None
            text = result.content[0].text  # type: ignore[union-attr]
            assert all(part in text for part in expected), text


async def test_an_edited_file_counts_in_the_same_conversation(start: Start) -> None:
    async with (
        selling(start) as gateway,
        Client(gateway.url) as client,
        Client(f"{gateway.url}/shop") as direct,
        direct.listen(tools_list_changed=True) as changes,
    ):
        edit(gateway, "get_item", "find_item")
        async with asyncio.timeout(5):
            await anext(aiter(changes))
        assert "find_item" in [tool.name for tool in (await direct.list_tools()).tools]
        call = {"server": "shop", "tool": "find_item", "arguments": {"id": 1}}
        result = await client.call_tool("gateway_invoke", call)
        assert result.structured_content == {"id": 1, "name": "Item 1"}


async def test_a_broken_edit_leaves_the_last_good_version_serving(start: Start) -> None:
    async with (
        selling(start) as gateway,
        Client(gateway.url) as client,
    ):
        edit(gateway, "  add_item", "  broken: [")
        (server,) = await until_stale(client)
        assert server["status"].startswith("degraded (stale: ")
        assert "shop.yaml:" in server["status"]
        health = await fetched(gateway, "/health")
        assert health["status"] == "degraded"
        assert "shop.yaml:" in health["reload"]["issues"][0]["where"]
        call = {"server": "shop", "tool": "get_item", "arguments": {"id": 1}}
        assert not (await client.call_tool("gateway_invoke", call)).is_error


async def until_stale(client: Client) -> list[dict[str, Any]]:
    async with asyncio.timeout(5):
        while True:
            servers: list[dict[str, Any]] = (await ask(client, "gateway_list_servers"))["servers"]
            if servers[0]["status"] != "ok":
                return servers
            await asyncio.sleep(0.02)


async def fetched(gateway: Whole, path: str) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session, session.get(gateway.base + path) as response:
        found: dict[str, Any] = await response.json()
        return found


async def test_mock_mode_answers_from_the_examples(start: Start) -> None:
    text = SHOP.format(base="https://shop.example") + (
        "    examples:\n      - args: {name: Lamp}\n        reply: {json: {added: Lamp}}\n"
    )
    async with start({"shop": text}, mock=True) as gateway, Client(gateway.url) as client:
        call = {"server": "shop", "tool": "add_item", "arguments": {"name": "Lamp"}}
        result = await client.call_tool("gateway_invoke", call)
        assert result.structured_content == {"added": "Lamp"}


async def test_metrics_count_calls_searches_and_requests(start: Start) -> None:
    async with (
        selling(start) as gateway,
        Client(gateway.url) as client,
    ):
        call = {"server": "shop", "tool": "get_item", "arguments": {"id": 1}}
        await client.call_tool("gateway_invoke", call)
        await ask(client, "gateway_search_tools", query="item")
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{gateway.base}/metrics") as response,
        ):
            text = await response.text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert any('backend="shop"' in line and line.endswith(" 1.0") for line in lines)
    assert any("search" in line and line.endswith(" 1.0") for line in lines)


@pytest.mark.parametrize(
    ("settings", "gone", "there"),
    [
        ({"meta_mcp__enabled": False}, "/mcp", "/mcp/shop"),
        ({"metrics__enabled": False}, "/metrics", "/health"),
    ],
)
async def test_what_gateway_yaml_switches_off_is_not_there(
    start: Start, settings: dict[str, bool], gone: str, there: str
) -> None:
    text = SHOP.format(base="https://shop.example")
    async with (
        start({"shop": text}, **settings) as gateway,
        aiohttp.ClientSession(gateway.base) as session,
    ):
        for path, expected in ((gone, True), (there, False)):
            async with session.get(path) as response:
                assert (response.status == 404) is expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, 300_000),
        ({"meta_mcp__cache_ttl": "90s"}, 90_000),
        ({"meta_mcp__cache_tools": False}, 0),
    ],
)
async def test_clients_may_keep_the_meta_tools_as_long_as_gateway_yaml_says(
    start: Start, settings: dict[str, Any], expected: int
) -> None:
    text = SHOP.format(base="https://shop.example")
    async with (
        start({"shop": text}, **settings) as gateway,
        Client(gateway.url) as client,
        Client(f"{gateway.url}/shop") as direct,
    ):
        assert (await client.list_tools()).ttl_ms == expected
        assert (await direct.list_tools()).ttl_ms == 0  # the next saved file may change it


async def test_a_pinned_tool_that_is_misspelled_is_told_until_it_is_there(start: Start) -> None:
    text = SHOP.format(base="https://shop.example")
    pinned = {"meta_mcp__surfaced_tools": ("shop:find_item",)}
    async with start({"shop": text}, **pinned) as gateway, Client(gateway.url) as client:
        [issue] = (await fetched(gateway, "/health"))["reload"]["issues"]
        assert issue["message"] == "no tool 'shop:find_item' is on offer"
        assert "'shop:get_item'" in issue["hint"]
        async with client.listen(tools_list_changed=True) as changes, asyncio.timeout(5):
            edit(gateway, "get_item", "find_item")
            await anext(aiter(changes))
        assert (await client.list_tools()).tools[-1].name == "find_item"
        assert (await fetched(gateway, "/health"))["reload"]["issues"] == []
