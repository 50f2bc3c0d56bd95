"""Names, paths and queries that callers make up: I25, I26, I27, on the wire."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from gateway.server.compose import Options
from gateway.server.http import NOT_FOUND
from gateway.server.limits import Limits
from tests.peers.hostile import ask, called, posted, request, spent
from tests.peers.memory_gateway import Gateway, running, snapshot, tool

SERVERS = 2_000
QUICK = 0.25  # seconds of processor time; each of these took seconds before


@contextlib.asynccontextmanager
async def front(servers: int = 1) -> AsyncIterator[Gateway]:
    """`shop` with its tool `now`, and others."""
    names = [f"service_with_name_{number}" for number in range(servers)]
    tools = {**{name: [tool(name, "get_thing")] for name in names}, "shop": [tool("shop", "now")]}
    bare = snapshot(1, tools)
    full = replace(
        bare, index=bare.index.updated((), [each for its in tools.values() for each in its])
    )
    limits = Limits(largest_body=10 << 20)
    async with running(full, Options(port=0, limits=limits)) as gateway:
        yield gateway


@pytest.mark.parametrize(
    "path",
    [
        *("/mcp//", "/mcp//shop", "/mcp/shop/", "/mcp/shop/x", "//mcp", "/./mcp", "/mcp/./shop"),
        *("/mcp/../mcp", "/mcp/%2e%2e/admin", "/mcp/%2e%2e/mcp", "/mcp/a%2Fb", "/mcp%2fshop"),
        *("/mcp/shop.", "/mcp/Shop", "/MCP", "/Mcp/shop", "/mcp/shop;a", "/mcp/;shop"),
        *("/mcp/sh%6Fp", "/mcp/%73hop", "/mcp/shop%00", "/mcp/shop%20", "/mcp/+shop", "/mcp/*"),
        *("/mcp/shop#a", "/mcp#a", "/mcp\\shop", "/mcp/%ff", "/health/../mcp", "/admin", "/"),
    ],
)  # fmt: skip
async def test_a_path_leads_to_its_own_backend_or_nowhere(path: str) -> None:
    """I25."""
    async with front() as gateway:
        reply = await ask(gateway.server.port, posted(request("tools/list"), path=path))
        assert (reply.status, reply.body) == (404, NOT_FOUND.body)
        assert (await ask(gateway.server.port, posted(request("tools/list")))).status == 200


@pytest.mark.parametrize("path", ["/mcp?x=/mcp/shop", "/mcp/?..", "/mcp?%2e%2e/admin"])
async def test_a_query_leads_nowhere_else(path: str) -> None:
    """I25."""
    async with front() as gateway:
        listed = (await ask(gateway.server.port, posted(request("tools/list"), path=path))).json
        assert listed["result"]["tools"][0]["name"] == "gateway_list_servers"


@pytest.mark.parametrize(
    "server",
    ["", "*", "sh\u043ep", "Shop", "shop ", "shop\0", "../shop", "\x1b[31mshop\n\u202e", "s" * 300],
)
async def test_an_unknown_server_is_an_error_that_can_be_printed(server: str) -> None:
    """I26."""
    async with front() as gateway:
        sent = called("gateway_invoke", {"server": server, "tool": "now"})
        reply = await ask(gateway.server.port, sent)
        assert reply.json["result"]["isError"]
        assert "(server_not_found; not_sent)" in reply.text
        assert reply.text.replace("\n", "").isascii()
        assert reply.text.replace("\n", "").isprintable()
        assert len(reply.text) < 300
        assert reply.text.count("'") <= 8  # the name itself and three others at most


@pytest.mark.parametrize(
    "server", ["service_with_n\u0430me_1", "srvice_name_1", "service_with_name_" * 14, "x" * 256]
)
async def test_finding_the_nearest_of_many_names_is_quick(server: str) -> None:
    """I26: the more servers there are, the longer this held everybody up."""
    async with front(SERVERS) as gateway:
        sent = called("gateway_invoke", {"server": server, "tool": "x"})
        with spent() as taken:
            assert "server_not_found" in (await ask(gateway.server.port, sent)).text
        assert taken.seconds < QUICK


@pytest.mark.parametrize(
    "query",
    [
        "",
        "the of a an",
        '"a" NEAR * OR (b)',
        ".*+?^${}()|[]\\",
        "\0",
        "servixe_qith_bame " * 10,
        "x" * 1_000_000,
        "now " * 250_000,
        " ".join(f"w{number}" for number in range(120_000)),
        "aB_" * 333_000,
        "a" + "\u0301" * 300_000,
        "ﷺ" * 300_000,
    ],
    ids=lambda query: f"{len(query)} of {query[:12]!r}",
)
async def test_any_query_is_answered_quickly(query: str) -> None:
    """I27."""
    async with front(SERVERS) as gateway:
        with spent() as taken:
            reply = await ask(gateway.server.port, called("gateway_search_tools", {"query": query}))
        assert "matches" in reply.text
        assert len(reply.text) < 3_000
        assert taken.seconds < QUICK


@pytest.mark.parametrize("pattern", ["*a" * 500_000, "[a-z]?" * 100_000, "[" * 1_000])
async def test_a_long_pattern_is_refused(pattern: str) -> None:
    """I27: compiling a megabyte of it took eight seconds, and its outcome was kept."""
    async with front() as gateway:
        sent = called("gateway_list_tools", {"server": "shop", "pattern": pattern})
        with spent() as taken:
            assert "may have 128 characters" in (await ask(gateway.server.port, sent)).text
        assert taken.seconds < QUICK


@pytest.mark.parametrize(
    "pattern", ["*a" * 20 + "b", "[z-a]", "[[:alpha:]", "]", "\\", "(?P<x", "{a,b}"]
)
async def test_a_strange_pattern_fits_nothing(pattern: str) -> None:
    async with front() as gateway:
        sent = called("gateway_list_tools", {"server": "shop", "pattern": pattern})
        assert "tool_not_found" in (await ask(gateway.server.port, sent)).text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"a":1,"a":2}', "a key occurs twice"),
        ("[" * 70 + "]" * 70, "nested deeper"),
        ('{"a":NaN}', "not text"),
        ('{"a":' * 5_000, "not text"),
        ("[" + "{}," * 120_000 + "{}]", "more than 100000 values"),
        ('["a"]', "not text"),
    ],
    ids=lambda text: text[:20],
)
async def test_arguments_sent_as_text_are_read_as_strictly_as_others(text: str, why: str) -> None:
    """T12, I14."""
    async with front() as gateway:
        sent = called("gateway_invoke", {"server": "shop", "tool": "now", "arguments": text})
        reply = await ask(gateway.server.port, sent)
        assert reply.json["result"]["isError"]
        assert why in reply.text
