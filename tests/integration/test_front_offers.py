"""Prompts and resources of several servers as the official SDK's clients see them, in both eras."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from mcp import Client
from mcp.client.subscriptions import PromptsListChanged, ResourceUpdated
from mcp.shared.exceptions import MCPError
from mcp.types import PromptReference, ResourceTemplateReference

from gateway.domain.events import Notice
from gateway.protocol import mcp as words
from gateway.runtime.notices import Notices
from tests.peers import mcp1, mcp1_offers
from tests.peers.memory_gateway import Gateway, running
from tests.peers.offering import Servers, offering, prompt, resource, template

NEW = offering(
    "new",
    prompts=[prompt("review")],
    resources=[resource("file:///a.txt", "a"), resource("test://shared", "s")],
    templates=[template("file:///docs/{name}")],
)
OLD = offering(
    "old", era="legacy", prompts=[prompt("ask")], resources=[resource("test://shared", "s")]
)
PROMPTS = ["new__review", "old__ask"]
URIS = ["file:///a.txt", "capgate://new/test://shared", "capgate://old/test://shared"]


class Offers(Servers):
    """Reading a resource changes it."""

    def __init__(self, notices: Notices) -> None:
        super().__init__(NEW, OLD)
        self.notices = notices
        self.answers |= {
            "prompts/get": self.text,
            "resources/read": self.read,
            "completion/complete": lambda _: {"completion": {"values": ["python"]}},
        }

    def text(self, params: Mapping[str, Any]) -> dict[str, Any]:
        content = {"type": "text", "text": f"prompt {params['name']}"}
        return {"messages": [{"role": "user", "content": content}]}

    def read(self, params: Mapping[str, Any]) -> dict[str, Any]:
        backend, uri = self.asked[-1].backend, params["uri"]
        self.notices.publish(Notice(backend, words.RESOURCE_UPDATED, {"uri": uri}))
        found: dict[str, Any] = {"contents": [{"uri": uri, "text": f"{backend} has {uri}"}]}
        return {**found, "ttlMs": 0, "cacheScope": "private"} if self.modern(backend) else found


@pytest.fixture
async def gateway() -> AsyncIterator[tuple[Gateway, Offers]]:
    notices = Notices()
    servers = Offers(notices)
    async with running(servers.snapshot(), notices=notices) as found:
        yield found, servers


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_2x_client_reaches_what_all_servers_offer(
    mode: str, gateway: tuple[Gateway, Offers]
) -> None:
    url = f"{gateway[0].base}/mcp"
    async with asyncio.timeout(20), Client(url, mode=mode) as client:
        assert [one.name for one in (await client.list_prompts()).prompts] == PROMPTS
        got = await client.get_prompt("old__ask", {})
        assert got.messages[0].content.text == "prompt ask"
        assert [str(one.uri) for one in (await client.list_resources()).resources] == URIS
        texts = [(await client.read_resource(uri)).contents[0].text for uri in URIS]
        assert texts == ["new has file:///a.txt", "new has test://shared", "old has test://shared"]
        (found,) = (await client.list_resource_templates()).resource_templates
        read = await client.read_resource(found.uri_template.replace("{name}", "x"))
        assert read.contents[0].text == "new has file:///docs/x"
        for ref in (
            PromptReference(name="new__review"),
            ResourceTemplateReference(uri=found.uri_template),
        ):
            completed = await client.complete(ref, {"name": "language", "value": "p"})
            assert completed.completion.values == ["python"]
        with pytest.raises(MCPError) as raised:
            await client.read_resource("test://shared")
        assert "capgate://new/test://shared" in raised.value.error.message


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_2x_client_reaches_what_one_server_offers(
    mode: str, gateway: tuple[Gateway, Offers]
) -> None:
    async with asyncio.timeout(20):
        for name, url in (("review", "new"), ("ask", "old")):
            async with Client(f"{gateway[0].base}/mcp/{url}", mode=mode) as client:
                assert [one.name for one in (await client.list_prompts()).prompts] == [name]
                assert (await client.get_prompt(name, {})).messages[0].content.text
                read = await client.read_resource("test://shared")
                assert read.contents[0].text == f"{url} has test://shared"


async def test_a_modern_client_hears_of_what_it_subscribed_to(
    gateway: tuple[Gateway, Offers],
) -> None:
    found, servers = gateway
    async with asyncio.timeout(20), Client(f"{found.base}/mcp") as client:
        async with client.listen(resource_subscriptions=[URIS[2]]) as events:
            await client.read_resource(URIS[1])  # the other server's
            await client.read_resource(URIS[2])
            assert await anext(aiter(events)) == ResourceUpdated(uri=URIS[2])
        async with client.listen(prompts_list_changed=True) as events:
            changed = offering("new", prompts=[prompt("other")])
            found.current.swap(servers.snapshot(2, changed, OLD))
            assert await anext(aiter(events)) == PromptsListChanged()
        assert [one.name for one in (await client.list_prompts()).prompts] == [
            "new__other",
            "old__ask",
        ]
    while servers.asked[-1].method != words.UNSUBSCRIBE:  # it goes out beside everything else
        await asyncio.sleep(0)


@pytest.mark.filterwarnings("ignore:resources/:mcp.shared.exceptions.MCPDeprecationWarning")
async def test_a_legacy_client_hears_of_what_it_subscribed_to(
    gateway: tuple[Gateway, Offers],
) -> None:
    told: asyncio.Queue[object] = asyncio.Queue()

    async def hear(message: object) -> None:
        await told.put(message)

    url = f"{gateway[0].base}/mcp/old"
    async with (
        asyncio.timeout(20),
        Client(url, mode="legacy", message_handler=hear) as client,
    ):
        await client.subscribe_resource("test://shared")
        await client.read_resource("test://shared")
        message: Any = await told.get()
        assert (message.method, str(message.params.uri)) == (
            words.RESOURCE_UPDATED,
            "test://shared",
        )
        await client.unsubscribe_resource("test://shared")
        await client.read_resource("test://shared")
        assert told.empty()


async def test_the_1x_client_reaches_what_all_servers_offer(
    gateway: tuple[Gateway, Offers],
) -> None:
    try:
        python = str(mcp1.install())
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"mcp 1.x cannot be installed here: {type(error).__name__}")
    process = await asyncio.create_subprocess_exec(
        python,
        mcp1_offers.__file__,
        f"{gateway[0].base}/mcp",
        stdout=asyncio.subprocess.PIPE,
        cwd=mcp1.ROOT,
    )
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    assert process.returncode == 0
    assert json.loads(out) == {
        "subscribe": True,
        "prompts": PROMPTS,
        "texts": ["prompt review", "prompt ask"],
        "resources": URIS,
        "templates": ["file:///docs/{name}"],
        "read": ["new has file:///a.txt", "new has test://shared", "old has test://shared"],
        "completed": ["python"],
        "updated": "file:///a.txt",
    }
