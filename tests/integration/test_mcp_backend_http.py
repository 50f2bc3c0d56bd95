"""The SDK's servers at a URL, of either transport."""

import asyncio

from gateway.backends.mcp import McpBackend
from gateway.backends.settings import McpSettings
from gateway.domain.call import Call, Relayed
from gateway.domain.identity import ANONYMOUS
from gateway.domain.listing import Status
from gateway.http.direct import Direct
from gateway.protocol.jsonrpc import loads
from gateway.transports import Http
from gateway.transports.base import Means
from tests.peers.mcp_wire_sdk import served, sse, streamable

PATIENCE = 20.0


async def listed(backend: McpBackend, turned: asyncio.Event) -> None:
    async with asyncio.timeout(PATIENCE):
        while backend.listing.health.status is not Status.OK:
            turned.clear()
            await turned.wait()


async def echoed(backend: McpBackend) -> str:
    tool = next(each for each in backend.listing.tools if each.ref.name == "echo")
    deadline = asyncio.get_running_loop().time() + PATIENCE
    result = await backend.call(Call("1", tool, {"text": "hi"}, ANONYMOUS, deadline))
    assert isinstance(result, Relayed)
    return str(loads(result.raw)["content"][0]["text"])


async def reached(url: str) -> None:
    http = Direct(public_only=False)
    backend = McpBackend(McpSettings("peer"), Http(url), Means("peer", http))
    turned = asyncio.Event()
    await backend.start(turned.set, lambda _: None)
    try:
        await listed(backend, turned)
        assert await echoed(backend) == "hi"
    finally:
        await backend.aclose()
        await http.aclose()


async def test_a_url_of_streamable_http_is_reached() -> None:
    async with served(streamable()) as origin:
        await reached(f"{origin}/mcp")


async def test_a_url_of_the_old_transport_is_reached_although_nobody_said_so() -> None:
    async with served(sse()) as origin:
        await reached(f"{origin}/sse")
