"""Questions between the eras, through the whole gateway: what a legacy server asks is parked for a
modern client, and what a modern server needs is asked of a legacy client.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from mcp import Client, types
from mcp.shared.exceptions import MCPError

from tests.conformance.legs import FIXTURE, gateway
from tests.peers.mcp_http import MODERN, McpHttp
from tests.peers.programs import ROOT
from tests.peers.real_servers import served

LEGACY_SERVERS = ("legacy-http", "legacy-stdio")
MODERN_SERVERS = ("modern-http", "modern-stdio")
ABLE = {"elicitation": {}, "sampling": {}, "roots": {}}
TOOL, QUESTION = "test_elicitation", {"message": "Who?"}
ACCEPTED = {"action": "accept", "content": {"response": "me"}}
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with gateway(tmp_path_factory.mktemp("bridges")) as url:
        yield url


# -- clients of the SDK ---------------------------------------------------------------------------


@dataclass
class Person:
    """Who is asked: agrees with these words, or does as `action` says."""

    action: Any = "accept"
    asked: list[str] = field(default_factory=list)

    async def elicit(
        self, _context: Any, params: types.ElicitRequestFormParams | types.ElicitRequestURLParams
    ) -> types.ElicitResult:
        self.asked.append(params.message)
        if isinstance(params, types.ElicitRequestURLParams) or self.action != "accept":
            return types.ElicitResult(action=self.action)
        fields = params.requested_schema["properties"]
        words = {"name": "Ada", "color": "green", "context": "a garden", "ok": True}
        return types.ElicitResult(action="accept", content={name: words[name] for name in fields})

    async def sample(self, _context: Any, _params: Any) -> types.CreateMessageResult:
        self.asked.append("sampling")
        said = types.TextContent(type="text", text="Paris")
        return types.CreateMessageResult(role="assistant", model="none", content=said)

    async def roots(self, _context: Any) -> types.ListRootsResult:
        self.asked.append("roots")
        return types.ListRootsResult(roots=[types.Root(uri="file:///srv")])  # type: ignore[arg-type]

    def at(self, url: str, mode: Any) -> Client:
        return Client(
            url,
            mode=mode,
            elicitation_callback=self.elicit,
            sampling_callback=self.sample,
            list_roots_callback=self.roots,
        )


@dataclass(frozen=True)
class Way:
    """Which client calls a tool of which server, and how."""

    mode: str
    backend: str
    through_meta: bool

    def __str__(self) -> str:
        return f"{self.mode} to {self.backend}{' by /mcp' if self.through_meta else ''}"

    def client(self, base: str, person: Person) -> Client:
        return person.at(f"{base}/mcp{'' if self.through_meta else f'/{self.backend}'}", self.mode)

    async def call(self, client: Client, tool: str, **arguments: Any) -> types.CallToolResult:
        if not self.through_meta:
            return await client.call_tool(tool, arguments)
        asked = {"server": self.backend, "tool": tool, "arguments": arguments}
        return await client.call_tool("gateway_invoke", asked)


WAYS = [
    Way(mode, backend, through_meta)
    for mode, backends in ((MODERN, LEGACY_SERVERS), ("legacy", MODERN_SERVERS))
    for backend in backends
    for through_meta in (False, True)
]


def text(result: types.CallToolResult) -> str:
    assert isinstance(result.content[0], types.TextContent)
    return result.content[0].text


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_questions_come_one_after_the_other(way: Way, base: str) -> None:
    person = Person()
    async with way.client(base, person) as client:
        answered = await way.call(client, "test_input_required_result_multi_round")
    assert text(answered) == "Ada likes green"
    assert person.asked == ["Step 1: What is your name?", "Step 2: Which color?"]


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_questions_of_every_kind_come_at_once(way: Way, base: str) -> None:
    person = Person()
    async with way.client(base, person) as client:
        answered = await way.call(client, "test_input_required_result_multiple_inputs")
    assert text(answered) == "answered: client_roots greeting user_name"
    assert sorted(person.asked) == ["What is your name?", "roots", "sampling"]


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_person_may_say_no(way: Way, action: str, base: str) -> None:
    async with way.client(base, Person(action)) as client:
        answered = await way.call(client, "test_elicitation", message="Who?")
    assert text(answered) == f"User response: action={action}, content={{}}"


async def lacking(way: Way, base: str) -> tuple[types.CallToolResult | None, MCPError | None]:
    """How a client that can be asked nothing learns that it would have to be."""
    url = f"{base}/mcp{'' if way.through_meta else f'/{way.backend}'}"
    async with Client(url, mode=way.mode) as client:
        try:
            return await way.call(client, TOOL, **QUESTION), None
        except MCPError as error:
            return None, error


@pytest.mark.parametrize("way", [way for way in WAYS if way.mode == MODERN], ids=str)
async def test_a_modern_client_is_told_which_capability_it_lacks(way: Way, base: str) -> None:
    _, error = await lacking(way, base)
    assert error is not None
    assert error.code == types.MISSING_REQUIRED_CLIENT_CAPABILITY
    assert error.error.data == {"requiredCapabilities": {"elicitation": {}}}


@pytest.mark.parametrize("way", [way for way in WAYS if way.mode != MODERN], ids=str)
async def test_a_legacy_client_is_told_what_it_lacks_in_words(way: Way, base: str) -> None:
    answered, error = await lacking(way, base)
    assert (answered is not None and answered.is_error) == way.through_meta
    assert "elicitation" in (text(answered) if answered else str(error))


@pytest.mark.parametrize("way", [way for way in WAYS if not way.through_meta], ids=str)
async def test_a_prompt_asks_as_a_tool_does(way: Way, base: str) -> None:
    person = Person()
    async with way.client(base, person) as client:
        got = await client.get_prompt("test_input_required_result_prompt")
    assert isinstance(got.messages[0].content, types.TextContent)
    assert got.messages[0].content.text == "Use this context: a garden"
    assert person.asked == ["Which context?"]


@pytest.mark.parametrize("way", [way for way in WAYS if way.mode == MODERN], ids=str)
async def test_a_page_that_a_legacy_server_wants_visited_is_asked_for(way: Way, base: str) -> None:
    person = Person()
    async with way.client(base, person) as client:
        answered = await way.call(client, "test_url_elicitation", id=f"{way}".replace(" ", "-"))
    assert text(answered) == "visited: before"
    assert person.asked == ["Please sign in"]


@pytest.mark.parametrize("way", [way for way in WAYS if way.backend != "legacy-stdio"], ids=str)
async def test_many_clients_are_asked_at_once_and_each_gets_its_own(way: Way, base: str) -> None:
    """A legacy server over stdio does not say whom it asks: one at a time there."""

    async def one(number: int) -> str:
        async def elicit(_context: Any, params: Any) -> types.ElicitResult:
            assert params.message == f"Who is {number}?"
            return types.ElicitResult(action="accept", content={"response": f"I am {number}"})

        url = f"{base}/mcp{'' if way.through_meta else f'/{way.backend}'}"
        async with Client(url, mode=way.mode, elicitation_callback=elicit) as client:
            answered = await way.call(client, "test_elicitation", message=f"Who is {number}?")
        return text(answered)

    told = await asyncio.gather(*(one(number) for number in range(8)))
    for number, each in enumerate(told):
        assert f"'I am {number}'" in each


# -- parked calls on the wire ---------------------------------------------------------------------


@dataclass
class Wire:
    """A modern client that does as it likes. `wrap` puts a tool into the call for it."""

    http: McpHttp
    wrap: Callable[[str, dict[str, Any]], dict[str, Any]]

    async def call(self, tool: str, arguments: Any = None, **more: Any) -> dict[str, Any]:
        """The whole message that answers."""
        params = {**self.wrap(tool, arguments or {}), **more, "_meta": {CAPABILITIES: ABLE}}
        async with self.http.modern("tools/call", params) as response:
            body = await response.text()
        told: dict[str, Any] = json.loads(body)
        return told


def direct(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"name": tool, "arguments": arguments}


PLACES = [(backend, meta) for backend in LEGACY_SERVERS for meta in (False, True)]


@pytest.fixture(params=PLACES, ids=lambda place: f"{place[0]}{' by /mcp' if place[1] else ''}")
async def wire(request: pytest.FixtureRequest, base: str) -> AsyncIterator[Wire]:
    backend, through_meta = request.param

    def invoke(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        asked = {"server": backend, "tool": tool, "arguments": arguments}
        return {"name": "gateway_invoke", "arguments": asked}

    path = "/mcp" if through_meta else f"/mcp/{backend}"
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        yield Wire(McpHttp(http, base + path), invoke if through_meta else direct)


async def parked(wire: Wire) -> tuple[str, str]:
    """The state of a call that waits for an answer, and the key of its question."""
    told = (await wire.call(TOOL, QUESTION))["result"]
    assert told["resultType"] == "input_required"
    (key, question), *others = told["inputRequests"].items()
    assert not others
    assert question["method"] == "elicitation/create"
    assert question["params"]["message"] == "Who?"
    return told["requestState"], key


async def test_the_retry_that_answers_gets_the_result(wire: Wire) -> None:
    state, key = await parked(wire)
    answers = {key: ACCEPTED, "unasked": {"action": "cancel"}}
    told = await wire.call(TOOL, QUESTION, requestState=state, inputResponses=answers)
    assert told["result"]["resultType"] == "complete"
    assert told["result"]["content"][0]["text"] == (
        "User response: action=accept, content={'response': 'me'}"
    )


async def test_a_state_is_good_for_one_answer(wire: Wire) -> None:
    state, key = await parked(wire)
    retry = {"requestState": state, "inputResponses": {key: ACCEPTED}}
    assert "result" in await wire.call(TOOL, QUESTION, **retry)
    assert (await wire.call(TOOL, QUESTION, **retry))["error"]["code"] == -32602


async def test_a_state_that_was_touched_is_refused(wire: Wire) -> None:
    state, key = await parked(wire)
    answers = {"inputResponses": {key: ACCEPTED}}
    *kept, round, until, seal = state.split(".")
    later = ".".join([*kept, round, str(int(until) + 1_000), seal])
    another = ".".join([*kept, str(int(round) + 1), until, seal])
    for touched in (f"{state}-TOUCHED", state[:-1], later, another):
        told = await wire.call(TOOL, QUESTION, requestState=touched, **answers)
        assert told["error"]["code"] == -32602
        assert "result" not in told
    assert "result" in await wire.call(TOOL, QUESTION, requestState=state, **answers)


async def test_a_state_is_bound_to_the_tool_and_its_arguments(wire: Wire) -> None:
    state, key = await parked(wire)
    retry = {"requestState": state, "inputResponses": {key: ACCEPTED}}
    for tool, arguments in (
        (TOOL, {"message": "Who else?"}),
        (TOOL, {**QUESTION, "more": 1}),
        ("test_input_required_result_elicitation", {}),
    ):
        told = await wire.call(tool, arguments, **retry)
        assert told["error"]["code"] == -32602
    assert "result" in await wire.call(TOOL, QUESTION, **retry)


async def test_an_answer_that_is_missing_is_asked_for_again(wire: Wire) -> None:
    state, key = await parked(wire)
    told = await wire.call(TOOL, QUESTION, requestState=state, inputResponses={})
    assert told["result"]["resultType"] == "input_required"
    assert list(told["result"]["inputRequests"]) == [key]
    again = {"requestState": told["result"]["requestState"], "inputResponses": {key: ACCEPTED}}
    assert (await wire.call(TOOL, QUESTION, **again))["result"]["resultType"] == "complete"


async def test_a_state_leads_nowhere_at_another_place(wire: Wire, base: str) -> None:
    state, key = await parked(wire)
    elsewhere = Wire(McpHttp(wire.http.http, f"{base}/mcp/modern-http"), direct)
    retry = {"requestState": state, "inputResponses": {key: ACCEPTED}}
    assert (await elsewhere.call(TOOL, QUESTION, **retry))["error"]["code"] == -32602
    assert "result" in await wire.call(TOOL, QUESTION, **retry)


# -- one request at a time ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exclusive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a legacy server over stdio that is sent one request at a time."""
    program = [sys.executable, "-m", FIXTURE, "--view", "legacy"]
    backend = {"command": program, "cwd": str(ROOT), "exclusive": True}
    with served(tmp_path_factory.mktemp("exclusive"), {"alone": backend}) as running:
        yield f"{running.url}/mcp/alone"


@pytest.mark.parametrize("mode", ["legacy", MODERN])
async def test_over_stdio_many_are_asked_where_each_call_is_alone(
    mode: Any, exclusive: str
) -> None:
    async def one(number: int) -> str:
        async def elicit(_context: Any, params: Any) -> types.ElicitResult:
            assert params.message == f"Who is {number}?"
            return types.ElicitResult(action="accept", content={"response": f"I am {number}"})

        async with Client(exclusive, mode=mode, elicitation_callback=elicit) as client:
            return text(await client.call_tool(TOOL, {"message": f"Who is {number}?"}))

    told = await asyncio.gather(*(one(number) for number in range(8)))
    assert all(f"'I am {number}'" in each for number, each in enumerate(told))
