"""Tasks of both kinds through the whole gateway, before a server that runs them by hand.

Modern clients have the tasks of modern servers, legacy clients those of legacy ones; across the
eras a task is no more than a call that takes its time.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from tests.peers.mcp_http import Events, McpHttp
from tests.peers.programs import ROOT
from tests.peers.real_servers import served, started

SERVER = [sys.executable, "-m", "tests.peers.tasks_server"]
EXTENSION = "io.modelcontextprotocol/tasks"
KNOWING = {"io.modelcontextprotocol/clientCapabilities": {"extensions": {EXTENSION: {}}}}
SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"
PATIENCE = 20.0  # seconds that a test may take
TRANSPORTS = ("http", "stdio")
TOLD = "notifications/tasks"
Json = dict[str, Any]


@dataclass(frozen=True)
class Served:
    """`url` is the gateway's, `servers` those of the servers that have one."""

    url: str
    servers: dict[str, str]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("tasks")
    with contextlib.ExitStack() as stack:
        settings: dict[str, object] = {}
        servers: dict[str, str] = {}
        for view in ("modern", "legacy"):
            program = [*SERVER, "--view", view]
            port = stack.enter_context(started([*program, "--http", "0"], folder / f"{view}.log"))
            servers[f"{view}-http"] = f"http://127.0.0.1:{port}/mcp"
            settings[f"{view}-http"] = {"http_url": servers[f"{view}-http"]}
            settings[f"{view}-stdio"] = {"command": program, "cwd": str(ROOT)}
        running = stack.enter_context(served(folder, settings))
        yield Served(running.url, servers)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with (
        asyncio.timeout(PATIENCE),
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as session,
    ):
        yield session


# -- modern to modern -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Modern:
    """A client at a server's own URL, or one that reaches its tools by the common one."""

    http: McpHttp
    backend: str
    common: bool

    async def ask(self, method: str, **params: Any) -> Json:
        """The whole message that answers."""
        async with self.http.modern(method, {**params, "_meta": KNOWING}) as response:
            told: Json = await response.json()
        return told

    async def begin(self, tool: str, **arguments: Any) -> str:
        """The id of the task."""
        call = {"name": tool, "arguments": arguments}
        if self.common:
            asked = {"server": self.backend, "tool": tool, "arguments": arguments}
            call = {"name": "gateway_invoke", "arguments": asked}
        begun = (await self.ask("tools/call", **call))["result"]
        assert begun["resultType"] == "task"
        id: str = begun["taskId"]
        assert id.startswith(f"{self.backend}:") == self.common
        return id

    async def get(self, id: str) -> Json:
        found: Json = (await self.ask("tasks/get", taskId=id))["result"]
        return found

    @contextlib.asynccontextmanager
    async def listening(self, *ids: str) -> AsyncIterator[tuple[Events, Json]]:
        """The stream, and what was acknowledged."""
        async with self.http.listen("l1", KNOWING, taskIds=list(ids)) as events:
            first = await events.message()
            assert first["method"] == "notifications/subscriptions/acknowledged"
            yield events, first["params"]["notifications"]


PLACES = [(f"modern-{transport}", common) for transport in TRANSPORTS for common in (False, True)]


@pytest.fixture(params=PLACES, ids=lambda place: f"{place[0]}{' by /mcp' if place[1] else ''}")
def modern(request: pytest.FixtureRequest, gateway: Served, http: aiohttp.ClientSession) -> Modern:
    backend, common = request.param
    path = "/mcp" if common else f"/mcp/{backend}"
    return Modern(McpHttp(http, gateway.url + path), backend, common)


async def test_who_listens_to_a_task_hears_how_it_ends(modern: Modern) -> None:
    id = await modern.begin("slow_compute", seconds=0.5, label="a")
    other = await modern.begin("slow_compute", seconds=0.1)
    unknown = "nobodys" if not modern.common else f"{modern.backend}:nobodys"
    async with modern.listening(id, unknown) as (events, honoured):
        assert honoured == {"taskIds": [id]}
        told = await events.message()
    assert told["method"] == TOLD
    task = told["params"]
    assert (task["taskId"], task["status"]) == (id, "completed")
    assert task["result"]["content"][0]["text"] == "computed a"
    assert task.pop("_meta") == {SUBSCRIPTION: "l1"}
    found = await modern.get(id)
    assert found.pop("resultType") == "complete"
    found.pop("_meta")
    assert found == task
    assert (await modern.get(other))["status"] == "completed"


async def test_many_listen_to_their_own_task_each(modern: Modern) -> None:
    async def one(number: int) -> tuple[str, list[Json]]:
        id = await modern.begin("slow_compute", seconds=0.5 + number / 10)
        async with modern.listening(id) as (events, honoured):
            assert honoured == {"taskIds": [id]}
            return id, [(await events.message())["params"]]

    for id, told in await asyncio.gather(*map(one, range(4))):
        assert [(task["taskId"], task["status"]) for task in told] == [(id, "completed")]


async def test_a_task_that_needs_input_gets_it(modern: Modern) -> None:
    id = await modern.begin("confirm_delete", filename="a.txt")
    async with modern.listening(id) as (events, _):
        task = await modern.get(id)
        assert task["status"] == "input_required"
        ((key, question),) = task["inputRequests"].items()
        assert question["method"] == "elicitation/create"
        answers = {key: {"action": "accept", "content": {"confirm": True}}}
        updated = await modern.ask("tasks/update", taskId=id, inputResponses=answers)
        assert updated["result"]["resultType"] == "complete"
        told = [(await events.message())["params"] for _ in range(2)]
    assert [each["status"] for each in told] == ["working", "completed"]
    assert told[1]["result"]["content"][0]["text"] == "deleted a.txt"


async def test_a_task_can_be_cancelled(modern: Modern) -> None:
    id = await modern.begin("slow_compute", seconds=60)
    async with modern.listening(id) as (events, _):
        assert "error" not in await modern.ask("tasks/cancel", taskId=id)
        assert (await events.message())["params"]["status"] == "cancelled"


async def test_a_task_that_breaks_says_why(modern: Modern) -> None:
    id = await modern.begin("protocol_error_job")
    while (task := await modern.get(id))["status"] == "working":
        await asyncio.sleep(0.05)
    assert (task["status"], task["error"]) == (
        "failed",
        {"code": -32603, "message": "the job broke"},
    )


async def test_who_knows_no_tasks_is_told_so(modern: Modern) -> None:
    params = {"notifications": {"taskIds": ["x"]}, "_meta": {}}
    for method, asked in (("subscriptions/listen", params), ("tasks/get", {"taskId": "x"})):
        async with modern.http.modern(method, asked) as response:
            error = (await response.json())["error"]
        assert (error["code"], response.status) == (-32021, 400)


# -- legacy to legacy -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Legacy:
    http: McpHttp

    async def ask(self, method: str, **params: Any) -> Json:
        async with self.http.legacy(method, params) as response:
            told: Json = await response.json()
        return told

    async def begin(self, tool: str, told_as: str | None = None, **arguments: Any) -> str:
        meta = {"_meta": {"progressToken": told_as}} if told_as else {}
        params = {"name": tool, "arguments": arguments, "task": {"ttl": 5_000}, **meta}
        task = (await self.ask("tools/call", **params))["result"]["task"]
        assert (task["status"], task["ttl"]) == ("working", 5_000)
        id: str = task["taskId"]
        return id


@pytest.fixture(params=TRANSPORTS)
async def legacy(
    request: pytest.FixtureRequest, gateway: Served, http: aiohttp.ClientSession
) -> Legacy:
    client = McpHttp(http, f"{gateway.url}/mcp/legacy-{request.param}")
    await client.initialize(elicitation={})
    return Legacy(client)


async def test_a_legacy_client_has_the_tasks_of_a_legacy_server(legacy: Legacy) -> None:
    async with legacy.http.stream() as events:
        id = await legacy.begin("steady", "mine")
        told = [await events.message() for _ in range(4)]
        assert (await legacy.ask("tasks/get", taskId=id))["result"]["status"] == "completed"
        result = (await legacy.ask("tasks/result", taskId=id))["result"]
        listed = (await legacy.ask("tasks/list"))["result"]["tasks"]
    *progress, status = told
    expected = [{"progressToken": "mine", "progress": step} for step in (1, 2, 3)]
    assert [each["params"] for each in progress] == expected
    assert status["method"] == "notifications/tasks/status"
    assert (status["params"]["taskId"], status["params"]["status"]) == (id, "completed")
    assert result["content"][0]["text"] == "steady"
    assert id in [task["taskId"] for task in listed]


async def test_a_legacy_task_asks_within_its_result(legacy: Legacy) -> None:
    id = await legacy.begin("confirm_delete", filename="b.txt")
    async with legacy.http.legacy("tasks/result", {"taskId": id}) as response:
        events = Events(response)
        asked = await events.message()
        assert asked["method"] == "elicitation/create"
        agreed = {"action": "accept", "content": {"confirm": True}}
        body = {"jsonrpc": "2.0", "id": asked["id"], "result": agreed}
        async with legacy.http.http.post(
            legacy.http.url, json=body, headers=legacy.http.session
        ) as taken:
            assert taken.status == 202
        result = (await events.message())["result"]
    assert result["content"][0]["text"] == "deleted b.txt"


async def test_a_legacy_task_can_be_cancelled_once(legacy: Legacy) -> None:
    id = await legacy.begin("slow_compute", seconds=60)
    cancelled = await legacy.ask("tasks/cancel", taskId=id)
    assert cancelled["result"]["status"] == "cancelled"
    for method, name in (("tasks/cancel", id), ("tasks/get", "nobodys")):
        assert (await legacy.ask(method, taskId=name))["error"]["code"] == -32602


async def test_a_tool_that_runs_as_a_task_only_is_run_for_who_calls_it_without(
    legacy: Legacy,
) -> None:
    """It could have asked for a task, but need not know how."""
    found = await legacy.ask("tools/call", name="failing_job", arguments={})
    assert found["result"]["isError"] is True


# -- across the eras ------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_neither_era_hears_of_the_tasks_of_the_other(
    transport: str, gateway: Served, http: aiohttp.ClientSession
) -> None:
    to_legacy = McpHttp(http, f"{gateway.url}/mcp/legacy-{transport}")
    async with to_legacy.modern("server/discover") as response:
        capabilities = (await response.json())["result"]["capabilities"]
    assert capabilities.keys() & {"tasks", "extensions"} == set()
    async with to_legacy.modern("tools/list") as response:
        tools = (await response.json())["result"]["tools"]
    assert [tool for tool in tools if "execution" in tool] == []
    to_modern = McpHttp(http, f"{gateway.url}/mcp/modern-{transport}")
    async with to_modern.legacy("initialize", {"protocolVersion": "2025-11-25"}) as response:
        capabilities = (await response.json())["result"]["capabilities"]
    assert capabilities.keys() & {"tasks", "extensions"} == set()


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_modern_client_calls_a_required_task_like_any_tool(
    transport: str, gateway: Served, http: aiohttp.ClientSession
) -> None:
    client = McpHttp(http, f"{gateway.url}/mcp/legacy-{transport}")
    params = {"name": "steady", "arguments": {}, "_meta": {**KNOWING, "progressToken": 7}}
    async with client.modern("tools/call", params) as response:
        events = Events(response)
        *progress, answer = [await events.message() for _ in range(4)]
    expected = [{"progressToken": 7, "progress": step} for step in (1, 2, 3)]
    assert [each["params"] for each in progress] == expected
    assert answer["result"]["resultType"] == "complete"
    assert answer["result"]["content"][0]["text"] == "steady"
    async with client.modern("tools/call", {"name": "failing_job", "arguments": {}}) as response:
        assert (await response.json())["result"]["isError"] is True
    broken = {"name": "protocol_error_job", "arguments": {}}
    async with client.modern("tools/call", broken) as response:
        assert (await response.json())["error"]["message"] == "the job broke"


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_required_task_asks_a_modern_client(
    transport: str, gateway: Served, http: aiohttp.ClientSession
) -> None:
    client = McpHttp(http, f"{gateway.url}/mcp/legacy-{transport}")
    meta = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}
    call = {"name": "confirm_delete", "arguments": {"filename": "c.txt"}, "_meta": meta}
    async with client.modern("tools/call", call) as response:
        asked = (await response.json())["result"]
    assert asked["resultType"] == "input_required"
    answer = {"action": "accept", "content": {"confirm": True}}
    answers = dict.fromkeys(asked["inputRequests"], answer)
    retry = {**call, "requestState": asked["requestState"], "inputResponses": answers}
    async with client.modern("tools/call", retry) as response:
        result = (await response.json())["result"]
    assert result["content"][0]["text"] == "deleted c.txt"


async def test_a_modern_client_that_hangs_up_cancels_the_task(
    gateway: Served, http: aiohttp.ClientSession
) -> None:
    client = McpHttp(http, f"{gateway.url}/mcp/legacy-http")
    params = {"name": "steady", "arguments": {}, "_meta": {"progressToken": 7}}
    async with client.modern("tools/call", params) as response:
        await Events(response).message()
    server = McpHttp(http, gateway.servers["legacy-http"])
    statuses: list[str] = []
    while "cancelled" not in statuses[-1:]:
        await asyncio.sleep(0.02)
        async with server.legacy("tasks/list") as response:
            statuses = [task["status"] for task in (await response.json())["result"]["tasks"]]
        assert statuses[-1:] != ["completed"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_modern_server_answers_a_legacy_client_at_once_or_says_what_it_would_need(
    transport: str, gateway: Served, http: aiohttp.ClientSession
) -> None:
    client = Legacy(McpHttp(http, f"{gateway.url}/mcp/modern-{transport}"))
    await client.http.initialize()
    found = await client.ask("tools/call", name="slow_compute", arguments={}, task={"ttl": 1})
    assert found["result"]["content"][0]["text"] == "computed at once"
    refused = await client.ask("tools/call", name="failing_job", arguments={})
    assert EXTENSION in json.dumps(refused)
    assert refused["error"]["code"] == -32603
