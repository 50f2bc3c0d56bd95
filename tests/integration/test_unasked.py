"""What servers say unasked, through the whole gateway: from either era and transport to clients of
either era, at a server's own URL and at the common one.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from mcp import Client
from mcp.client.subscriptions import PromptsListChanged, ResourceUpdated

from tests.conformance.legs import gateway
from tests.peers.conformance_server_data import WATCHED

pytestmark = pytest.mark.filterwarnings(
    "ignore:resources/:mcp.shared.exceptions.MCPDeprecationWarning"
)

SERVERS = ("legacy-http", "legacy-stdio", "modern-http", "modern-stdio")
PATIENCE = 30.0  # seconds that a test may take
UPDATED, PROMPTS_CHANGED = "notifications/resources/updated", "notifications/prompts/list_changed"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with gateway(tmp_path_factory.mktemp("unasked")) as url:
        yield url


def names(backend: str, place: str) -> tuple[str, str]:
    """Path and URI of the watched resource."""
    common = ("/mcp", f"capgate://{backend}/{WATCHED}")
    return common if place == "common" else (f"/mcp/{backend}", WATCHED)


async def trigger(base: str, backend: str, tool: str) -> None:
    """By another client, which subscribed to nothing."""
    async with Client(f"{base}/mcp/{backend}") as client:
        assert not (await client.call_tool(tool, {})).is_error


@pytest.mark.parametrize("place", ["direct", "common"])
@pytest.mark.parametrize("backend", SERVERS)
async def test_a_modern_client_hears_that_a_resource_changed(
    backend: str, place: str, base: str
) -> None:
    path, uri = names(backend, place)
    async with (
        asyncio.timeout(PATIENCE),
        Client(f"{base}{path}") as client,
        client.listen(resource_subscriptions=[uri]) as events,
    ):
        await trigger(base, backend, "test_trigger_resource_change")
        assert await anext(aiter(events)) == ResourceUpdated(uri=uri)


@pytest.mark.parametrize("place", ["direct", "common"])
@pytest.mark.parametrize("backend", SERVERS)
async def test_a_legacy_client_hears_that_a_resource_changed(
    backend: str, place: str, base: str
) -> None:
    path, uri = names(backend, place)
    told: asyncio.Queue[Any] = asyncio.Queue()
    async with (
        asyncio.timeout(PATIENCE),
        Client(f"{base}{path}", mode="legacy", message_handler=told.put) as client,
    ):
        await client.subscribe_resource(uri)
        await trigger(base, backend, "test_trigger_resource_change")
        message = await told.get()
        assert (message.method, str(message.params.uri)) == (UPDATED, uri)
        await client.unsubscribe_resource(uri)


@pytest.mark.parametrize("path", ["/mcp", None], ids=["common", "direct"])
@pytest.mark.parametrize("backend", SERVERS)
async def test_clients_of_both_eras_hear_that_prompts_changed(
    backend: str, path: str | None, base: str
) -> None:
    url = f"{base}{path or f'/mcp/{backend}'}"
    told: asyncio.Queue[Any] = asyncio.Queue()
    async with (
        asyncio.timeout(PATIENCE),
        Client(url) as modern,
        Client(url, mode="legacy", message_handler=told.put) as legacy,
        modern.listen(prompts_list_changed=True) as events,
    ):
        before = {one.name for one in (await legacy.list_prompts()).prompts}
        await trigger(base, backend, "test_trigger_prompt_change")
        assert await anext(aiter(events)) == PromptsListChanged()
        assert (await told.get()).method == PROMPTS_CHANGED
        after = {one.name for one in (await modern.list_prompts(cache_mode="bypass")).prompts}
        assert len(before ^ after) == 1
