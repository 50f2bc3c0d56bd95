import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.call import Call, Handler
from gateway.domain.events import Event, RequestAnswered
from gateway.domain.identity import Identity, Level
from gateway.domain.policies import Policies
from gateway.domain.rules import Assigned, Rule
from gateway.domain.tool import ToolResult
from gateway.errors import BackendUnavailable, CapabilityMissing, InvalidArguments
from gateway.meta import META_TOOLS
from gateway.protocol.eras import LATEST_LEGACY, MODERN, Revision
from gateway.protocol.jsonrpc import Request
from gateway.runtime.snapshot import Current
from gateway.server.asked import Asked
from gateway.server.endpoint import Answer, Endpoint
from gateway.server.surface import BackendSurface, MetaSurface, Surface
from tests.peers.memory_gateway import echo, snapshot, tool

META: Surface = MetaSurface(META_TOOLS)
DIRECT: Surface = BackendSurface("weather")
MIRRORED = {"type": "object", "properties": {"r": {"type": "string", "x-mcp-header": "R"}}}


class Fixture:
    def __init__(self, handler: Handler = echo) -> None:
        self.events: list[Event] = []
        tools = [tool("weather", "now"), tool("weather", "mirrored", inputSchema=MIRRORED)]
        current = Current(snapshot(1, {"weather": tools}, {"weather": handler}))
        self.endpoint = Endpoint(current, self.events.append)

    async def ask(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        revision: Revision = MODERN,
        surface: Surface = DIRECT,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        request = Request(1, method, params or {})
        return await self.endpoint.answer(Asked(surface, request, revision, headers=headers))

    async def result(self, method: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        answer = await self.ask(method, *args, **kwargs)
        assert answer.code is None, answer.body
        return dict(json.loads(answer.body)["result"])

    async def error(self, method: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        answer = await self.ask(method, *args, **kwargs)
        found = dict(json.loads(answer.body)["error"])
        assert answer.code == found["code"]
        return found


def failing(error: BaseException) -> Handler:
    async def fail(_: Call) -> ToolResult:
        raise error

    return fail


async def test_initialize_tells_capabilities_and_how_to_use_the_meta_tools() -> None:
    found = await Fixture().result("initialize", {}, LATEST_LEGACY, META)
    assert found["protocolVersion"] == LATEST_LEGACY.version
    assert found["capabilities"]["tools"] == {"listChanged": True}
    assert "gateway_search_tools" in found["instructions"]


async def test_discover_is_modern_and_ping_is_legacy() -> None:
    fixture = Fixture()
    assert "supportedVersions" in await fixture.result("server/discover")
    assert await fixture.result("ping", {}, LATEST_LEGACY) == {}
    assert (await fixture.error("ping"))["code"] == -32601
    assert (await fixture.error("server/discover", {}, LATEST_LEGACY))["code"] == -32601


@pytest.mark.parametrize(
    "method", ["logging/setLevel", "completion/complete", "resources/subscribe", "__class__", ""]
)
async def test_what_we_do_not_offer_is_not_found(method: str) -> None:
    """I17."""
    assert (await Fixture().error(method, {}, LATEST_LEGACY))["code"] == -32601


@pytest.mark.parametrize(
    ("method", "key"),
    [
        ("prompts/list", "prompts"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
    ],
)
async def test_lists_of_what_rest_apis_have_not_are_empty(method: str, key: str) -> None:
    assert (await Fixture().result(method, {}, LATEST_LEGACY)) == {key: []}
    assert (await Fixture().result(method))["ttlMs"] == 0


async def test_a_missing_resource_has_the_code_of_its_revision() -> None:
    fixture = Fixture()
    assert (await fixture.error("resources/read", {"uri": "x:y"}))["code"] == -32602
    legacy = await fixture.error("resources/read", {"uri": "x:y"}, LATEST_LEGACY)
    assert (legacy["code"], legacy["data"]) == (-32002, {"uri": "x:y"})
    assert (await fixture.error("prompts/get", {"name": "p"}))["code"] == -32602


async def test_tools_are_listed_by_surface() -> None:
    fixture = Fixture()
    direct = await fixture.result("tools/list")
    assert [found["name"] for found in direct["tools"]] == ["now", "mirrored"]
    meta = await fixture.result("tools/list", {}, MODERN, META)
    assert len(meta["tools"]) == 4


@pytest.mark.parametrize("cursor", ["nonsense", 7, {}])
async def test_a_wrong_cursor_is_invalid(cursor: object) -> None:
    assert (await Fixture().error("tools/list", {"cursor": cursor}))["code"] == -32602


async def test_a_call_gives_the_tools_own_result() -> None:
    found = await Fixture().result("tools/call", {"name": "now", "arguments": {"text": "hi"}})
    assert found["structuredContent"] == {"text": "hi"}
    assert "isError" not in found


async def test_a_call_through_the_meta_tools_gives_the_same_result() -> None:
    fixture = Fixture()
    arguments = {"server": "weather", "tool": "now", "arguments": {"text": "hi"}}
    params = {"name": "gateway_invoke", "arguments": arguments}
    meta = await fixture.result("tools/call", params, MODERN, META)
    direct = await fixture.result("tools/call", {"name": "now", "arguments": {"text": "hi"}})
    assert meta == direct


async def test_arguments_may_be_left_out() -> None:
    assert (await Fixture().result("tools/call", {"name": "now"}))["structuredContent"] == {}


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"name": 7},
        {"name": "now", "arguments": None},
        {"name": "now", "arguments": "x"},
        {"name": "now", "arguments": []},
    ],
)
async def test_malformed_params_are_a_protocol_fault(params: dict[str, Any]) -> None:
    """I18."""
    assert (await Fixture().error("tools/call", params))["code"] == -32602


async def test_an_unknown_tool_is_a_protocol_fault_that_names_the_nearest() -> None:
    fixture = Fixture()
    found = await fixture.error("tools/call", {"name": "nwo"})
    assert found["code"] == -32602
    assert "now" in found["message"]
    meta = await fixture.error("tools/call", {"name": "now"}, MODERN, META)
    assert "gateway_invoke" in meta["message"]


async def test_an_unknown_tools_name_is_not_echoed_raw() -> None:
    """I26."""
    found = await Fixture().error("tools/call", {"name": "\x1b[31m" + "x" * 1_000_000})
    assert "\x1b" not in found["message"]
    assert len(found["message"]) < 300


@pytest.mark.parametrize("error", [BackendUnavailable("it is gone"), InvalidArguments("no city")])
async def test_a_tools_fault_is_a_result_that_the_model_can_read(error: Exception) -> None:
    found = await Fixture(failing(error)).result("tools/call", {"name": "now"})
    assert found["isError"] is True
    assert str(error) in found["content"][0]["text"]
    assert "not_sent" in found["content"][0]["text"]


async def test_any_other_fault_tells_nothing() -> None:
    secret = RuntimeError("token=hunter2")
    answer = await Fixture(failing(secret)).ask("tools/call", {"name": "now"})
    assert json.loads(answer.body)["error"] == {"code": -32603, "message": "internal error"}


async def test_a_missing_capability_is_told_as_each_era_can() -> None:
    fixture = Fixture(failing(CapabilityMissing("it samples", {"sampling": {}})))
    modern = await fixture.error("tools/call", {"name": "now"})
    assert (modern["code"], modern["data"]) == (-32021, {"requiredCapabilities": {"sampling": {}}})
    legacy = await fixture.result("tools/call", {"name": "now"}, LATEST_LEGACY)
    assert legacy["isError"] is True


async def test_a_mirrored_argument_must_agree_with_its_header() -> None:
    fixture = Fixture()
    params = {"name": "mirrored", "arguments": {"r": "eu"}}
    good = await fixture.result("tools/call", params, headers={"mcp-param-r": "eu"})
    assert good["structuredContent"] == {"r": "eu"}
    bad = await fixture.error("tools/call", params, headers={"mcp-param-r": "us"})
    assert bad["code"] == -32020
    assert (await fixture.error("tools/call", params, headers={}))["code"] == -32020
    await fixture.result("tools/call", params)  # stdio has no headers


async def test_a_cancelled_request_is_told_to_observers_too() -> None:
    fixture = Fixture(failing(asyncio.CancelledError()))
    with pytest.raises(asyncio.CancelledError):
        await fixture.ask("tools/call", {"name": "now"})
    told = [event for event in fixture.events if isinstance(event, RequestAnswered)]
    assert [(event.method, event.outcome) for event in told] == [("tools/call", "cancelled")]


async def test_every_request_is_told_to_observers() -> None:
    fixture = Fixture()
    await fixture.ask("tools/list")
    await fixture.ask("no/such")
    told = [event for event in fixture.events if isinstance(event, RequestAnswered)]
    assert [(event.method, event.era, event.outcome) for event in told] == [
        ("tools/list", "modern", "ok"),
        ("no/such", "modern", "-32601"),
    ]


async def test_of_many_who_come_at_once_one_in_a_turn_has_worked_out_what_it_sees() -> None:
    allowing = Assigned("p", everyone=True, rules=(Rule("r", Level.EXECUTE, tools=("now",)),))
    held = snapshot(1, {"weather": [tool("weather", "now"), tool("weather", "later")]})
    current = Current(replace(held, policy=Policies([allowing])))
    endpoint = Endpoint(current, lambda _event: None)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def listed(name: str) -> int:
        asked = Asked(META, Request(1, "tools/call", LIST), MODERN, Identity(name))
        assert b"now" in (await endpoint.answer(asked)).body
        return turns

    counting = asyncio.create_task(count())
    seen = await asyncio.gather(*(listed(str(number)) for number in range(5)))
    assert len(set(seen)) == 5
    assert len(set(await asyncio.gather(*(listed(str(number)) for number in range(5))))) == 1
    counting.cancel()


LIST = {"name": "gateway_list_tools", "arguments": {"server": "weather"}}
