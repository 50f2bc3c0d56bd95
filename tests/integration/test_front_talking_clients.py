"""The SDK's client, of either era and over either transport, in talk with a server behind us."""

import asyncio
import json
import sys
from typing import Any

import pytest
from mcp import Client, StdioServerParameters, types
from mcp.client.stdio import stdio_client

from gateway.server.compose import Options
from tests.peers import mcp1
from tests.peers.memory_gateway import running
from tests.peers.talking import talking

TALKING_GATEWAY = [sys.executable, "-m", "tests.peers.talking_gateway"]


class Person:
    """Answers what it is asked, and remembers what it is told."""

    def __init__(self) -> None:
        self.logged: list[Any] = []
        self.progress: list[float] = []

    async def elicit(self, _context: Any, params: Any) -> types.ElicitResult:
        return types.ElicitResult(action="accept", content={"to": params.message})

    async def sample(self, _context: Any, _params: Any) -> types.CreateMessageResult:
        said = types.TextContent(type="text", text="hi")
        return types.CreateMessageResult(role="assistant", model="none", content=said)

    async def roots(self, _context: Any) -> types.ListRootsResult:
        return types.ListRootsResult(roots=[])

    async def log(self, params: Any) -> None:
        self.logged.append(params.level)

    async def progressed(self, progress: float, *_: Any) -> None:
        self.progress.append(progress)

    def client(self, server: Any, mode: str) -> Client:
        return Client(
            server,
            mode=mode,
            elicitation_callback=self.elicit,
            sampling_callback=self.sample,
            list_roots_callback=self.roots,
            logging_callback=self.log,
        )


async def talk(client: Client, person: Person) -> None:
    async def call(tool: str, **options: Any) -> str:
        arguments = {"server": "talker", "tool": tool}
        result = await client.call_tool("gateway_invoke", arguments, **options)
        assert not result.is_error, result
        return str(result.content[0].text)

    accepted = {"action": "accept", "content": {"to": "Your name?"}}
    greeted = (await call("greet")).removeprefix("hello ")
    assert json.loads(greeted).items() >= accepted.items()
    elicited, sampled, roots = json.loads(await call("survey"))
    assert elicited.items() >= accepted.items()
    assert sampled["content"]["text"] == "hi"
    assert roots["roots"] == []
    first, second = json.loads(await call("interview"))
    assert [first["content"]["to"], second["content"]["to"]] == ["Your name?", "And your age?"]
    assert await call("report", progress_callback=person.progressed) == "done"
    assert person.progress == [1, 2]


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_sdk_s_client_talks_over_http(mode: str) -> None:
    person = Person()
    async with (
        asyncio.timeout(20),
        running(talking(), Options(port=0)) as gateway,
        person.client(f"{gateway.base}/mcp", mode) as client,
    ):
        await talk(client, person)
    assert person.logged == ([] if mode == "auto" else ["debug", "error"])


@pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_sdk_s_client_talks_over_stdio(mode: str) -> None:
    person = Person()
    command, *arguments = TALKING_GATEWAY
    server = StdioServerParameters(command=command, args=arguments, cwd=mcp1.ROOT)
    async with asyncio.timeout(30), person.client(stdio_client(server), mode) as client:
        await talk(client, person)
    assert person.logged == ([] if mode == "auto" else ["debug", "error"])
