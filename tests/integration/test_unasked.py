"""What servers say unasked, through the whole gateway: from either era and transport to clients of
either era, at a server's own URL and at the common one.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from mcp import Client
from mcp.client.subscriptions import (
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ToolsListChanged,
)

from tests.conformance.legs import gateway
from tests.peers.conformance_server_data import WATCHED

pytestmark = pytest.mark.filterwarnings(
    "ignore:resources/:mcp.shared.exceptions.MCPDeprecationWarning"
)

SERVERS = ("legacy-http", "legacy-stdio", "modern-http", "modern-stdio")
PATIENCE = 30.0  # seconds that a test may take
UPDATED = "notifications/resources/updated"


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


@dataclass(frozen=True)
class Kind:
    """A list that changes: the tool that makes it, what is told, and how the list is fetched."""

    word: str
    event: type
    common: bool = True  # whether the common URL shows it

    @property
    def method(self) -> str:
        return f"notifications/{self.word}s/list_changed"

    async def names(self, client: Client, **more: Any) -> set[str]:
        found = await getattr(client, f"list_{self.word}s")(**more)
        return {one.name for one in getattr(found, f"{self.word}s")}


KINDS = {
    "test_trigger_tool_change": Kind("tool", ToolsListChanged, common=False),
    "test_trigger_prompt_change": Kind("prompt", PromptsListChanged),
    "test_trigger_resource_list_change": Kind("resource", ResourcesListChanged),
}
CASES = [
    pytest.param(backend, tool, path, id=f"{backend}-{kind.word}s-{place}")
    for backend in SERVERS
    for tool, kind in KINDS.items()
    for place, path in (("common", "/mcp"), ("direct", f"/mcp/{backend}"))
    if kind.common or place == "direct"
]


@pytest.mark.parametrize(("backend", "tool", "path"), CASES)
async def test_clients_of_both_eras_hear_that_a_list_changed(
    backend: str, tool: str, path: str, base: str
) -> None:
    """Over stdio, too: the SDK's server tells modern clients by its bus, and drops what else it is
    given to say of lists.
    """
    url, kind = f"{base}{path}", KINDS[tool]
    told: asyncio.Queue[Any] = asyncio.Queue()
    async with (
        asyncio.timeout(PATIENCE),
        Client(url) as modern,
        Client(url, mode="legacy", message_handler=told.put) as legacy,
        modern.listen(**{f"{kind.word}s_list_changed": True}) as events,
    ):
        before = await kind.names(legacy)
        await trigger(base, backend, tool)
        assert await anext(aiter(events)) == kind.event()
        assert (await told.get()).method == kind.method
        assert len(before ^ await kind.names(modern, cache_mode="bypass")) == 1
