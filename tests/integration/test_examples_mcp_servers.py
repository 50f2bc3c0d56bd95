"""examples/mcp-servers: a changed MCP server and a REST API behind the whole gateway."""

import json
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web
from mcp import Client

from tests.peers.programs import ROOT, capgate, console, gateway
from tests.peers.real_servers import from_pypi
from tests.peers.web import serving

EXAMPLE = ROOT / "examples" / "mcp-servers"
CONFIG = EXAMPLE / "gateway.yaml"

both_eras = pytest.mark.parametrize("mode", ["auto", "legacy"])


@pytest.fixture(scope="module")
def time_server() -> str:
    try:
        return " ".join(from_pypi()["time"])
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"the server cannot be installed here: {type(error).__name__}")


@pytest.fixture(scope="module")
def url(time_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    output = tmp_path_factory.mktemp("gateway") / "log"
    environ = {"TIME_SERVER": time_server, "MCP_GATEWAY_CONFIG": str(CONFIG)}
    with gateway(output, environ=environ) as program:
        yield f"{program.url}/mcp"


@pytest.fixture
async def holidays() -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        year = request.path.split("/")[4]
        return web.json_response([{"date": f"{year}-06-01", "name": "Madaraka Day"}])

    async with serving(answer) as port:
        yield f"http://127.0.0.1:{port}"


@both_eras
async def test_an_agent_finds_the_renamed_tool_and_calls_it(url: str, mode: str) -> None:
    meeting = {"time": "10:30", "target_timezone": "Asia/Tokyo"}
    async with Client(f"{url}/clock") as client:
        await client.list_tools()  # which waits until the server is up
    async with Client(url, mode=mode) as client:
        found = await client.call_tool(
            "gateway_search_tools", {"query": "what time is the meeting elsewhere"}
        )
        best = json.loads(found.content[0].text)["matches"][0]
        called = {"server": best["server"], "tool": best["tool"], "arguments": meeting}
        result = await client.call_tool("gateway_invoke", called)
    assert (best["server"], best["tool"]) == ("clock", "meeting_in")
    assert json.loads(result.content[0].text)["time_difference"] == "+6.0h"


@both_eras
async def test_nobody_sees_or_sets_what_is_pinned(url: str, mode: str) -> None:
    moved = {"time": "10:30", "target_timezone": "Asia/Tokyo", "source_timezone": "Asia/Tokyo"}
    async with Client(f"{url}/time", mode=mode) as client:
        tools = {tool.name: tool.input_schema for tool in (await client.list_tools()).tools}
        result = await client.call_tool("meeting_in", moved)
        now = await client.call_tool("get_current_time", {})
    assert set(tools) == {"meeting_in", "get_current_time"}
    assert set(tools["meeting_in"]["properties"]) == {"time", "target_timezone"}
    assert result.is_error or '"Africa/Nairobi"' in result.content[0].text
    assert '"Africa/Nairobi"' in now.content[0].text


async def test_the_rest_api_stands_beside_it(
    time_server: str, holidays: str, tmp_path: Path
) -> None:
    environ = {
        "TIME_SERVER": time_server,
        "HOLIDAYS_URL": holidays,
        "MCP_GATEWAY_CONFIG": str(CONFIG),
    }
    with gateway(tmp_path / "log", environ=environ) as program:
        async with Client(f"{program.url}/mcp/office") as client:
            result = await client.call_tool("closed_on", {"year": 2027})
    assert json.loads(result.content[0].text) == [{"date": "2027-06-01", "why": "Madaraka Day"}]


def test_the_readme_says_what_happens(time_server: str) -> None:
    commands = console(EXAMPLE / "README.md")
    assert commands
    for words, answer in commands:
        assert _any_day(capgate(words, {"TIME_SERVER": time_server})) == _any_day(answer)


def _any_day(text: str) -> str:
    text = re.sub(r"\d{4}-\d\d-\d\dT", "T", text)
    return re.sub(r'"day_of_week": "\w+"', "", text)
