import json
from typing import Any

import pytest

from gateway.domain.events import Notice
from gateway.domain.identity import ANONYMOUS
from gateway.domain.tool import ToolRef
from gateway.errors import RemoteError
from gateway.meta import META_TOOLS
from gateway.protocol import mcp
from gateway.protocol.eras import LATEST_LEGACY, MODERN, Revision
from gateway.protocol.jsonrpc import Request
from gateway.runtime.snapshot import Current
from gateway.server.asked import Asked
from gateway.server.changes import Changes
from gateway.server.clients import ModernClient
from gateway.server.endpoint import Endpoint
from gateway.server.hearing import Hub
from gateway.server.surface import BackendSurface, MetaSurface, Surface
from gateway.server.views import Views
from tests.peers.offering import Servers, offering

EXTENSION = {"extensions": {mcp.TASKS_EXTENSION: {}}}
NEW = offering("new", tools=["slow"], capabilities={"tools": {}, **EXTENSION})
OLD = offering(
    "old",
    era="legacy",
    tools=["slow"],
    capabilities={"tools": {}, "tasks": {"list": {}, "cancel": {}}},
)
OWN: Surface = BackendSurface("old")
META: Surface = MetaSurface(META_TOOLS, [ToolRef("new", "slow")])


class Line:
    def say(self, message: bytes) -> None:
        raise AssertionError(message)

    send = say


class Fixture:
    def __init__(self) -> None:
        self.servers = Servers(NEW, OLD)
        task = {"taskId": "7", "status": "working"}
        self.servers.answers |= dict.fromkeys(("tasks/get", "tasks/result"), lambda _: task)
        self.current = Current(self.servers.snapshot())
        self.endpoint = Endpoint(self.current, lambda _: None)
        self.capabilities: dict[str, Any] = EXTENSION

    async def ask(
        self, method: str, params: dict[str, Any], surface: Surface, revision: Revision = MODERN
    ) -> dict[str, Any]:
        client = ModernClient(self.capabilities, params, Line())
        asked = Asked(surface, Request(1, method, params), revision, client=client)
        return dict(json.loads((await self.endpoint.answer(asked)).body))

    async def result(self, *args: Any) -> dict[str, Any]:
        return dict((await self.ask(*args))["result"])

    async def error(self, *args: Any) -> dict[str, Any]:
        return dict((await self.ask(*args))["error"])


async def test_at_its_own_url_a_task_has_its_servers_id() -> None:
    fixture = Fixture()
    found = await fixture.result("tasks/get", {"taskId": "7"}, BackendSurface("new"))
    assert found["taskId"] == "7"
    update = {"taskId": "7", "inputResponses": {"k": {}}}
    await fixture.result("tasks/update", update, BackendSurface("new"))
    assert fixture.servers.said[-1] == ("new", "tasks/update", update)


async def test_at_the_common_url_an_id_says_whose_task_it_is() -> None:
    fixture = Fixture()
    found = await fixture.result("tasks/get", {"taskId": "new:7"}, META)
    assert found["taskId"] == "new:7"
    assert fixture.servers.said == [("new", "tasks/get", {"taskId": "7"})]


@pytest.mark.parametrize(
    "params",
    [
        {"name": "gateway_invoke", "arguments": {"server": "new", "tool": "slow"}},
        {"name": "slow"},
    ],
)
async def test_a_task_begun_at_the_common_url_gets_such_an_id(params: dict[str, Any]) -> None:
    found = await Fixture().result("tools/call", params, META)
    assert (found["resultType"], found["taskId"]) == ("task", "new:slow")


@pytest.mark.parametrize("id", ["7", "nobody:7", ":7", "new"])
async def test_an_id_of_nobody_is_invalid(id: str) -> None:
    assert (await Fixture().error("tasks/get", {"taskId": id}, META))["code"] == -32602


async def test_a_client_that_does_not_know_tasks_is_told_what_it_lacks() -> None:
    fixture = Fixture()
    fixture.capabilities = {}
    for method in ("tasks/get", "tasks/update", "tasks/cancel"):
        found = await fixture.error(method, {"taskId": "7"}, BackendSurface("new"))
        assert (found["code"], found["data"]) == (-32021, {"requiredCapabilities": EXTENSION})
    assert fixture.servers.said == []


@pytest.mark.parametrize(
    ("method", "surface", "revision"),
    [
        ("tasks/get", BackendSurface("old"), MODERN),
        ("tasks/get", BackendSurface("new"), LATEST_LEGACY),
        ("tasks/result", BackendSurface("new"), MODERN),
        ("tasks/list", BackendSurface("new"), LATEST_LEGACY),
        ("tasks/list", META, LATEST_LEGACY),
        ("tasks/get", META, LATEST_LEGACY),
    ],
)
async def test_no_task_crosses_from_one_era_to_the_other(
    method: str, surface: Surface, revision: Revision
) -> None:
    fixture = Fixture()
    assert (await fixture.error(method, {"taskId": "7"}, surface, revision))["code"] == -32601
    assert fixture.servers.said == []


@pytest.mark.parametrize("method", ["tasks/get", "tasks/result", "tasks/cancel", "tasks/list"])
async def test_tasks_of_2025_pass_in_their_own_revision(method: str) -> None:
    fixture = Fixture()
    params = {"taskId": "7"} if method != "tasks/list" else {"cursor": "c"}
    await fixture.result(method, params, BackendSurface("old"), LATEST_LEGACY)
    assert fixture.servers.said == [("old", method, params)]


@pytest.mark.parametrize(
    ("method", "params"),
    [("tasks/get", {"taskId": "slow"}), ("tools/call", {"name": "slow", "task": {"ttl": 1}})],
)
async def test_who_began_a_task_or_asked_for_it_hears_how_it_fares(
    method: str, params: dict[str, Any]
) -> None:
    fixture, told = Fixture(), []
    current = fixture.current
    hub = Hub(Views(current, lambda _: None), current, Changes(current, lambda _: None))
    hearing = hub.open(OWN, ANONYMOUS, lambda method, _: told.append(method))
    request = Request(1, method, params)
    asked = Asked(OWN, request, LATEST_LEGACY, hearing=hearing)
    assert (await fixture.endpoint.answer(asked)).code is None
    status = {"taskId": "slow", "status": "completed"}
    hub.hear(Notice("new", mcp.TASK_STATUS, status))
    assert told == []
    hub.hear(Notice("old", mcp.TASK_STATUS, status))
    assert told == [mcp.TASK_STATUS]


async def test_a_client_sent_elsewhere_by_an_error_hears_when_it_may_come_back() -> None:
    fixture, told = Fixture(), []
    current = fixture.current
    hub = Hub(Views(current, lambda _: None), current, Changes(current, lambda _: None))
    hearing = hub.open(OWN, ANONYMOUS, lambda _, params: told.append(params))
    visit = {"mode": "url", "elicitationId": "e1", "url": "https://example.org", "message": "m"}
    fixture.servers.answers["tasks/get"] = RemoteError(-32042, "go", {"elicitations": [visit]})
    request = Request(1, "tasks/get", {"taskId": "7"})
    answer = await fixture.endpoint.answer(Asked(OWN, request, LATEST_LEGACY, hearing=hearing))
    assert answer.code == -32042
    for id in ("e1", "e2"):
        hub.hear(Notice("old", mcp.ELICITED, {"elicitationId": id}))
    assert told == [{"elicitationId": "e1"}]
