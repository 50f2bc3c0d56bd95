"""Servers that other people wrote behind the whole gateway: listed, searched, and called."""

import contextlib
import http.server
import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, types

from tests.conformance.install import environment
from tests.peers.programs import Program, free_port, running
from tests.peers.real_servers import from_npm, from_pypi, health, served, started

PAGE = b"<html><body><p>A page about lighthouses.</p></body></html>"
SOCKETS = ("mcp[ws]>=1.23,<2", "uvicorn>=0.30", "websockets>=13")
LINE = "the keeper of the light"


@dataclass(frozen=True)
class World:
    """A gateway before all of them, a folder and a repository of theirs, and a page."""

    gateway: Program
    folder: Path
    page: str

    def filled(self, arguments: dict[str, Any]) -> dict[str, Any]:
        text = json.dumps(arguments)
        return json.loads(text.replace("FOLDER", str(self.folder)).replace("PAGE", self.page))


@dataclass(frozen=True)
class Case:
    """A call, a part of what it answers, and words under which search has to find it."""

    backend: str
    tool: str
    arguments: dict[str, Any]
    told: str
    words: str


CASES = [
    Case("everything", "echo", {"message": "hi"}, "Echo: hi", "echo back a message"),
    Case("everything-http", "get-sum", {"a": 2, "b": 40}, "42", "sum of two numbers"),
    Case("everything-sse", "get-sum", {"a": 2, "b": 41}, "43", "sum of two numbers"),
    Case("filesystem", "read_text_file", {"path": "FOLDER/line.txt"}, LINE, "read a text file"),
    Case(
        "memory",
        "create_entities",
        {"entities": [{"name": "Ada", "entityType": "person", "observations": [LINE]}]},
        LINE,
        "create entities in the knowledge graph",
    ),
    Case("time", "get_current_time", {"timezone": "UTC"}, '"timezone": "UTC"', "current time"),
    Case("git", "git_log", {"repo_path": "FOLDER/repository"}, "Add a light", "commit logs"),
    Case("fetch", "fetch", {"url": "PAGE", "raw": True}, "lighthouses", "fetch a URL"),
    Case("shouting", "shout", {"text": "quiet"}, "QUIET", "text in capitals"),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    try:
        commands = {**from_npm(), **from_pypi()}
        sockets = environment("ws", *SOCKETS) / "python"
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"the servers cannot be installed here: {type(error).__name__}")
    folder = tmp_path_factory.mktemp("servers")
    with contextlib.ExitStack() as stack:
        backends = _programs(folder, commands)
        for name, how, key, path in (
            ("everything-http", "streamableHttp", "http_url", "/mcp"),
            ("everything-sse", "sse", "sse_url", "/sse"),
        ):
            port = free_port()
            argv, log = [*commands["everything"], how], folder / f"{name}.log"
            url = stack.enter_context(running(argv, log, port, {"PORT": str(port)})).url
            backends[name] = {key: f"{url}{path}"}
        script = Path(__file__).parents[1] / "peers" / "real_servers_websocket.py"
        port = stack.enter_context(started([str(sockets), str(script)], folder / "sockets.log"))
        backends["shouting"] = {"ws_url": f"ws://127.0.0.1:{port}/ws"}
        page = stack.enter_context(_page())
        yield World(stack.enter_context(served(folder, backends)), folder, page)


def _programs(folder: Path, commands: dict[str, list[str]]) -> dict[str, Any]:
    (folder / "line.txt").write_text(LINE)
    repository = folder / "repository"
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-C", str(repository)]
    repository.mkdir()
    (repository / "light").write_text("on")
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Add a light"]):
        subprocess.run([*git, *words], check=True)
    more = {
        "everything": {"args": ["stdio"]},
        "filesystem": {"args": [str(folder)]},
        "memory": {"env": {"MEMORY_FILE_PATH": str(folder / "memory.json")}},
        "fetch": {"args": ["--ignore-robots-txt", "--allow-private-ips"]},
    }
    return {name: {"command": argv, **more.get(name, {})} for name, argv in commands.items()}


@contextlib.contextmanager
def _page() -> Iterator[str]:
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{site.server_address[1]}/"
        site.shutdown()


def text(result: types.CallToolResult) -> str:
    assert not result.is_error, result
    return "".join(one.text for one in result.content if isinstance(one, types.TextContent))


@pytest.mark.parametrize("mode", ["legacy", "auto"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.backend)
async def test_a_server_is_reached_at_a_url_of_its_own(case: Case, mode: Any, world: World) -> None:
    async with Client(f"{world.gateway.url}/mcp/{case.backend}", mode=mode) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        assert case.tool in tools
        called = await client.call_tool(case.tool, world.filled(case.arguments))
    assert case.told in text(called) or case.backend == "memory"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.backend)
async def test_a_server_is_searched_listed_and_invoked(case: Case, world: World) -> None:
    async with Client(f"{world.gateway.url}/mcp") as client:
        listed = await client.call_tool("gateway_list_tools", {"server": case.backend})
        assert case.tool in text(listed)
        query = {"query": case.words, "limit": 10}
        found = json.loads(text(await client.call_tool("gateway_search_tools", query)))
        assert (case.backend, case.tool) in {
            (match["server"], match["tool"]) for match in found["matches"]
        }
        called = await client.call_tool(
            "gateway_invoke",
            {
                "server": case.backend,
                "tool": case.tool,
                "arguments": world.filled(case.arguments),
            },
        )
    assert case.told in text(called) or case.backend == "memory"


async def test_every_server_is_up_and_keeps_all_its_tools(world: World) -> None:
    told = health(world.gateway.url)["backends"]
    assert {name: one["status"] for name, one in told.items()} == dict.fromkeys(told, "ok")
    assert {name: one["issues"] for name, one in told.items()} == {name: [] for name in told}
    assert all(one["tools_cached"] for one in told.values())


async def test_a_server_remembers_from_one_call_to_the_next(world: World) -> None:
    entity = {"name": "Beacon", "entityType": "thing", "observations": [LINE]}
    async with Client(f"{world.gateway.url}/mcp/memory") as client:
        await client.call_tool("create_entities", {"entities": [entity]})
    async with Client(f"{world.gateway.url}/mcp/memory", mode="legacy") as client:
        found = await client.call_tool("search_nodes", {"query": "Beacon"})
    assert LINE in text(found)


@pytest.mark.parametrize("backend", ["everything", "everything-http", "everything-sse"])
@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_a_server_of_2025_asks_clients_of_either_era(
    backend: str, mode: Any, world: World
) -> None:
    async def sample(_context: Any, _params: Any) -> types.CreateMessageResult:
        said = types.TextContent(type="text", text="a sampled line")
        return types.CreateMessageResult(role="assistant", model="none", content=said)

    url = f"{world.gateway.url}/mcp/{backend}"
    async with Client(url, mode=mode, sampling_callback=sample) as client:
        arguments = {"prompt": "Write a line", "maxTokens": 10}
        called = await client.call_tool("trigger-sampling-request", arguments)
    assert "a sampled line" in text(called)


@pytest.mark.parametrize("backend", ["everything", "everything-http", "everything-sse"])
async def test_progress_of_a_long_operation_comes_as_it_goes(backend: str, world: World) -> None:
    seen: list[float] = []

    async def note(progress: float, _total: float | None, _message: str | None) -> None:
        seen.append(progress)

    async with Client(f"{world.gateway.url}/mcp/{backend}") as client:
        operation = {"duration": 0.2, "steps": 4}
        await client.call_tool("trigger-long-running-operation", operation, progress_callback=note)
    assert seen == [1, 2, 3, 4]


async def test_prompts_and_resources_of_a_server_are_there_too(world: World) -> None:
    async with Client(f"{world.gateway.url}/mcp/everything") as client:
        assert (await client.list_prompts()).prompts
        resources = (await client.list_resources()).resources
        read = await client.read_resource(str(resources[0].uri))
        assert read.contents
        templates = (await client.list_resource_templates()).resource_templates
        assert templates
