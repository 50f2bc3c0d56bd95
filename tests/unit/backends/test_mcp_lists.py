"""A server's lists are fetched again when they change, and are worth one look each time."""

import asyncio
import gc
import logging
import time
from typing import Any

import pytest

from gateway.backends import refreshing
from gateway.backends.offering import difference
from gateway.domain.listing import Status
from gateway.errors import BackendUnavailable, RemoteError
from gateway.protocol import mcp
from tests.peers.backend_session import Kept, MemoryServer, tool, turns


def events(log: pytest.LogCaptureFixture, name: str) -> list[dict[str, Any]]:
    return [record.__dict__ for record in log.records if record.message == name]


def full() -> MemoryServer:
    server = MemoryServer(tool("read"))
    server.capabilities |= {"prompts": {}, "resources": {}}
    server.lists |= {
        mcp.PROMPTS_LIST: [{"name": "p", "odd": 1}],
        mcp.RESOURCES_LIST: [{"uri": "a:1", "name": "r"}],
        mcp.TEMPLATES_LIST: [{"uriTemplate": "a:{x}", "name": "t"}],
    }
    return server


async def test_all_that_is_declared_is_listed() -> None:
    async with Kept(full()) as kept:
        await kept.up()
        listing = kept.backend.listing
        assert listing.prompts == ({"name": "p", "odd": 1},)
        assert listing.resources == ({"uri": "a:1", "name": "r"},)
        assert listing.templates == ({"uriTemplate": "a:{x}", "name": "t"},)


async def test_a_change_is_fetched_and_what_stayed_is_the_same_object() -> None:
    server = full()
    async with Kept(server) as kept:
        await kept.up()
        before = kept.backend.listing
        server.lists[mcp.TOOLS_LIST] = [tool("read"), tool("write")]
        server.session.events.changed(mcp.TOOLS_CHANGED)
        await kept.until(lambda: len(kept.tools) == 2)
        after = kept.backend.listing
        assert after.tools[0] is before.tools[0]
        assert after.prompts is before.prompts
        assert server.listed.count(mcp.TOOLS_LIST) == 2
        assert server.listed.count(mcp.PROMPTS_LIST) == 1


async def test_a_change_that_changes_nothing_is_no_news() -> None:
    server = full()
    async with Kept(server) as kept:
        await kept.up()
        changes = kept.changes
        server.session.events.changed(mcp.RESOURCES_CHANGED)
        await turns(30)
        assert server.listed.count(mcp.TEMPLATES_LIST) == 2
        assert kept.changes == changes


async def test_a_storm_of_notices_costs_one_refresh_at_a_time() -> None:
    server = full()
    async with Kept(server) as kept:
        await kept.up()
        loop = asyncio.get_running_loop()
        began, storm = loop.time(), 0
        while loop.time() - began < 2.5 * refreshing.APART:
            server.session.events.changed(mcp.TOOLS_CHANGED)
            storm += 1
            await asyncio.sleep(0.001)
        assert storm > 50
        assert 2 <= server.listed.count(mcp.TOOLS_LIST) <= 4


async def test_notices_while_it_is_being_connected_cost_nothing_more() -> None:
    server = full()
    server.listing.clear()
    async with Kept(server) as kept:
        await turns()
        server.session.events.changed(mcp.TOOLS_CHANGED)
        server.listing.set()
        await kept.up()
        await turns(30)
        assert server.listed.count(mcp.TOOLS_LIST) == 2  # it may have changed since it was asked


async def test_lists_whose_changes_nobody_tells_are_looked_at_now_and_then() -> None:
    server = full()
    async with Kept(server) as kept:
        kept.backend._refreshing._relist = 0.01
        await kept.up()
        server.lists[mcp.PROMPTS_LIST] = [{"name": "q"}]
        await kept.until(lambda: kept.backend.listing.prompts == ({"name": "q"},))
        assert server.listed.count(mcp.TOOLS_LIST) == 1


async def test_a_list_that_fails_costs_itself_and_is_asked_for_again() -> None:
    server = full()
    server.lists[mcp.PROMPTS_LIST] = RemoteError(-32603, "boom")
    async with Kept(server) as kept:
        kept.backend._refreshing._relist = 0.01
        await kept.until(lambda: kept.backend.listing.health.status is Status.DEGRADED)
        listing = kept.backend.listing
        assert kept.tools == ["read"]
        assert "prompts/list failed" in str(listing.health.reason)
        assert "boom" in listing.health.issues[0].message
        server.lists[mcp.PROMPTS_LIST] = [{"name": "p"}]
        await kept.up()
        assert kept.backend.listing.health.issues == ()


async def test_a_list_that_fails_later_stays_as_it_was() -> None:
    server = full()
    async with Kept(server) as kept:
        await kept.up()
        server.lists[mcp.TOOLS_LIST] = BackendUnavailable("not now")
        server.session.events.changed(mcp.TOOLS_CHANGED)
        await kept.until(lambda: kept.backend.listing.health.status is Status.DEGRADED)
        assert kept.tools == ["read"]


async def test_what_is_no_longer_declared_is_gone() -> None:
    server = full()
    async with Kept(server) as kept:
        await kept.up()
        kept.now += 5
        del server.capabilities["prompts"]
        server.session.lose("exit code 1")
        await kept.up()
        assert kept.backend.listing.prompts == ()


async def test_an_odd_tool_is_in_the_health_and_once_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = MemoryServer(tool("read"), tool("bad", inputSchema=None))
    with caplog.at_level(logging.WARNING):
        async with Kept(server) as kept:
            await kept.up()
            assert kept.tools == ["read"]
            assert kept.backend.listing.health.issues[0].path == "tool 'bad'"
            server.lists[mcp.TOOLS_LIST] += [tool("more")]
            server.session.events.changed(mcp.TOOLS_CHANGED)
            await kept.until(lambda: len(kept.tools) == 2)
    (line,) = events(caplog, "listing_odd")
    assert (line["backend"], line["what"]) == ("files", "tool 'bad'")
    assert "inputSchema is missing" in line["problem"]


async def test_a_definition_that_changes_is_logged_with_what_changed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = MemoryServer(tool("read"), tool("write"))
    with caplog.at_level(logging.WARNING):
        async with Kept(server) as kept:
            await kept.up()
            kept.now += 5
            server.lists[mcp.TOOLS_LIST] = [
                tool("read", description="Now it does another thing.", title="New"),
                tool("write"),
                tool("more"),
            ]
            server.session.lose("exit code 1")
            await kept.until(lambda: len(kept.tools) == 3)
    (line,) = events(caplog, "definition_changed")
    assert (line["tool"], line["fields"]) == ("read", "description, title")
    assert line["change"] == "~ wording: title; ~ wording: description"


async def test_very_many_changed_definitions_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    server = MemoryServer(*(tool(f"t{number}") for number in range(500)))
    with caplog.at_level(logging.WARNING):
        async with Kept(server) as kept:
            await kept.up()
            server.lists[mcp.TOOLS_LIST] = [tool(f"t{n}", title="x") for n in range(500)]
            server.session.events.changed(mcp.TOOLS_CHANGED)
            await kept.until(lambda: "title" in kept.backend.listing.tools[0].definition)
    assert len(events(caplog, "definition_changed")) == 20
    assert [line["tools"] for line in events(caplog, "definitions_changed")] == [500]


def test_a_difference_names_the_fields() -> None:
    assert difference({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 0, "d": 4}) == ["b", "c", "d"]


async def test_ten_thousand_tools_are_taken_without_stopping_the_loop() -> None:
    schema = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(6)}}
    server = MemoryServer(*(tool(f"t{n}", inputSchema=schema) for n in range(10_000)))
    async with Kept(server) as kept:
        gc.freeze()  # what all other tests hold takes its time to look through
        longest = 0.0
        while len(kept.tools) != 10_000:
            before = time.process_time()  # of threads, too; whatever else the machine does
            await asyncio.sleep(0.001)
            longest = max(longest, time.process_time() - before)
        gc.unfreeze()
        assert longest < 0.1  # it is 0.01
