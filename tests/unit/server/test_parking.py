import asyncio
import json
from typing import Any

import pytest

from gateway.domain.client import Client
from gateway.domain.identity import ANONYMOUS, Identity
from gateway.errors import RemoteError
from gateway.meta import META_TOOLS
from gateway.protocol import jsonrpc
from gateway.protocol.eras import MODERN
from gateway.runtime.snapshot import Current, Snapshot
from gateway.server.asked import Asked
from gateway.server.clients import ModernClient
from gateway.server.endpoint import Endpoint
from gateway.server.parking import Bounds
from gateway.server.surface import BackendSurface, MetaSurface, Surface
from tests.peers.talking import ELICIT, NAME, ROOTS, SAMPLING, talking

ABLE = {"elicitation": {}, "sampling": {}, "roots": {}}
ACCEPTED = {"action": "accept", "content": {"name": "Ada"}}
SAID = {"role": "assistant", "content": {"type": "text", "text": "hi"}, "model": "m"}
DIRECT: Surface = BackendSurface("talker")
META: Surface = MetaSurface(META_TOOLS)
MALLORY = Identity("mallory")


class Line:
    """What a client reads before its answer."""

    def __init__(self) -> None:
        self.said: list[Any] = []

    def say(self, message: bytes) -> None:
        self.said.append(json.loads(message))

    send = say


class Fixture:
    def __init__(self, snapshot: Snapshot | None = None, **bounds: Any) -> None:
        self.current = Current(snapshot or talking())
        self.endpoint = Endpoint(self.current, lambda _: None, Bounds(**bounds))
        self.line = Line()
        self.capabilities: dict[str, Any] = ABLE

    def request(self, tool: str, params: dict[str, Any], id: int = 1) -> jsonrpc.Request:
        return jsonrpc.Request(id, "tools/call", {"name": tool, **params})

    async def call(
        self,
        tool: str,
        *,
        caller: Identity = ANONYMOUS,
        surface: Surface = DIRECT,
        **params: Any,
    ) -> dict[str, Any]:
        request = self.request(tool, params)
        client = ModernClient(self.capabilities, request.params, self.line)
        asked = Asked(surface, request, MODERN, caller, client=client)
        answer = await self.endpoint.answer(asked)
        found = json.loads(answer.body)
        assert found["id"] == 1
        return dict(found)


def text(answer: dict[str, Any]) -> str:
    assert answer["result"]["resultType"] == "complete", answer
    return str(answer["result"]["content"][0]["text"])


def asked(answer: dict[str, Any]) -> tuple[dict[str, Any], str]:
    result = answer["result"]
    assert result["resultType"] == "input_required"
    return result["inputRequests"], result["requestState"]


async def test_a_question_parks_the_call_and_its_answer_resumes_it() -> None:
    fixture = Fixture()
    questions, state = asked(await fixture.call("greet"))
    assert list(questions.values()) == [{"method": ELICIT, "params": NAME}]
    (key,) = questions
    answers = {key: ACCEPTED, "something else": 5}
    found = await fixture.call("greet", inputResponses=answers, requestState=state)
    assert text(found) == f"hello {json.dumps(ACCEPTED)}"
    assert len(fixture.endpoint.parking) == 0


async def test_questions_asked_together_go_out_together() -> None:
    fixture = Fixture()
    questions, state = asked(await fixture.call("survey"))
    assert [one["method"] for one in questions.values()] == [ELICIT, SAMPLING, ROOTS]
    answers = dict(zip(questions, (ACCEPTED, SAID, {"roots": []}), strict=True))
    found = await fixture.call("survey", inputResponses=answers, requestState=state)
    assert json.loads(text(found)) == [ACCEPTED, SAID, {"roots": []}]


async def test_what_was_not_answered_is_asked_again_under_a_new_state() -> None:
    fixture = Fixture()
    questions, first = asked(await fixture.call("survey"))
    elicited, sampled, listed = questions
    answers: dict[str, Any] = {elicited: ACCEPTED}
    questions, second = asked(
        await fixture.call("survey", inputResponses=answers, requestState=first)
    )
    assert list(questions) == [sampled, listed]
    assert first != second
    answers = {sampled: SAID, listed: {"roots": []}}
    assert text(await fixture.call("survey", inputResponses=answers, requestState=second))


@pytest.mark.parametrize(
    "invalid",
    [
        None,
        5,
        [],
        {},
        {"action": "maybe"},
        {"action": "accept", "content": []},
        {"roots": []},
    ],
)
async def test_what_cannot_be_an_answer_is_asked_again(invalid: Any) -> None:
    fixture = Fixture()
    questions, state = asked(await fixture.call("greet"))
    (key,) = questions
    again, state = asked(
        await fixture.call("greet", inputResponses={key: invalid}, requestState=state)
    )
    assert again == questions
    declined = {"action": "decline"}
    found = await fixture.call("greet", inputResponses={key: declined}, requestState=state)
    assert text(found) == f"hello {json.dumps(declined)}"


async def test_a_retry_without_answers_leaves_the_question_open() -> None:
    fixture = Fixture()
    questions, state = asked(await fixture.call("greet"))
    again, _ = asked(await fixture.call("greet", requestState=state))
    assert again == questions


async def test_answers_that_are_no_object_are_refused_and_cost_nothing() -> None:
    fixture = Fixture()
    questions, state = asked(await fixture.call("greet"))
    refused = await fixture.call("greet", inputResponses=[1], requestState=state)
    assert refused["error"]["code"] == -32602
    answers = dict.fromkeys(questions, ACCEPTED)
    assert text(await fixture.call("greet", inputResponses=answers, requestState=state))


async def test_one_question_after_the_other_takes_one_round_each() -> None:
    fixture = Fixture()
    questions, state = asked(await fixture.call("interview"))
    answers = dict.fromkeys(questions, ACCEPTED)
    more, state = asked(await fixture.call("interview", inputResponses=answers, requestState=state))
    assert next(iter(more.values()))["params"]["message"] == "And your age?"
    assert not more.keys() & questions.keys()
    answers = {key: {"action": "cancel"} for key in more}
    found = await fixture.call("interview", inputResponses=answers, requestState=state)
    assert json.loads(text(found)) == [ACCEPTED, {"action": "cancel"}]


async def test_a_state_is_good_once() -> None:
    """I40."""
    fixture = Fixture()
    questions, state = asked(await fixture.call("interview"))
    answers = dict.fromkeys(questions, ACCEPTED)
    asked(await fixture.call("interview", inputResponses=answers, requestState=state))
    replayed = await fixture.call("interview", inputResponses=answers, requestState=state)
    assert replayed["error"]["code"] == -32602
    assert "taken up already" in replayed["error"]["message"]


@pytest.mark.parametrize(
    "other",
    [
        {"caller": MALLORY},
        {"surface": META},
        {"tool": "survey"},
        {"arguments": {"text": "other"}},
        {"name": "survey"},
    ],
    ids=lambda other: next(iter(other)),
)
async def test_a_state_is_nobody_else_s_and_for_nothing_else(other: dict[str, Any]) -> None:
    """I40."""
    fixture = Fixture()
    questions, state = asked(await fixture.call("greet", arguments={"text": "a"}))
    params = {"inputResponses": dict.fromkeys(questions, ACCEPTED), "requestState": state}
    whole = {"tool": "greet", "arguments": {"text": "a"}, **params}
    refused = await fixture.call(**{**whole, **other})
    assert refused["error"]["code"] == -32602
    assert text(await fixture.call(**whole)), "and the call still waits for its own client"


@pytest.mark.parametrize("tamper", ["x", ".", "é"])
async def test_a_tampered_state_is_refused(tamper: str) -> None:
    fixture = Fixture()
    _, state = asked(await fixture.call("greet"))
    for broken in (
        state + tamper,
        state[:-1],
        state.replace(".0.", ".1."),
        state[: len(state) // 2],
    ):
        refused = await fixture.call("greet", requestState=broken)
        assert refused["error"]["code"] == -32602, broken


async def test_a_state_that_is_not_ours_reaches_the_server_with_the_answers() -> None:
    seen: list[Any] = []

    async def look(call: Any) -> Any:
        seen.append(call.context.params)
        raise RemoteError(-32602, "bad state", {"why": 1})

    fixture = Fixture(talking(handle=look, era="modern"))
    params = {"requestState": "theirs", "inputResponses": {"a": 1}}
    found = await fixture.call("greet", arguments={}, **params)
    assert seen == [params]
    assert found["error"] == {"code": -32602, "message": "bad state", "data": {"why": 1}}


async def test_what_lapses_is_cancelled_and_its_state_worthless() -> None:
    cancelled = asyncio.Event()

    async def patient(client: Client) -> str:
        try:
            await client.ask(ELICIT, NAME)
        finally:
            cancelled.set()
        return ""

    fixture = Fixture(talking({"patient": patient}), ttl=0.01)
    _, state = asked(await fixture.call("patient"))
    async with asyncio.timeout(5):
        await cancelled.wait()
    assert len(fixture.endpoint.parking) == 0
    refused = await fixture.call("patient", requestState=state)
    assert refused["error"]["code"] == -32602


async def test_what_ends_while_its_client_is_away_waits_for_it() -> None:
    gone_on = asyncio.Event()

    async def impatient(client: Client) -> str:
        asking = asyncio.create_task(client.ask(ELICIT, NAME))
        await gone_on.wait()
        asking.cancel()
        return "went on without"

    fixture = Fixture(talking({"impatient": impatient}))
    questions, state = asked(await fixture.call("impatient"))
    gone_on.set()
    for _ in range(5):
        await asyncio.sleep(0)
    answers = dict.fromkeys(questions, ACCEPTED)
    found = await fixture.call("impatient", inputResponses=answers, requestState=state)
    assert text(found) == "went on without"
    assert len(fixture.endpoint.parking) == 0


async def test_too_many_parked_calls_are_refused_and_others_go_on() -> None:
    fixture = Fixture(most=3, most_each=2)
    states = [asked(await fixture.call("greet")) for _ in range(2)]
    full = await fixture.call("greet")
    assert full["result"]["isError"]
    assert "too many calls wait" in full["result"]["content"][0]["text"]
    asked(await fixture.call("greet", caller=MALLORY))
    assert (
        "too many" in (await fixture.call("greet", caller=MALLORY))["result"]["content"][0]["text"]
    )
    questions, state = states[0]
    answers = dict.fromkeys(questions, ACCEPTED)
    assert text(await fixture.call("greet", inputResponses=answers, requestState=state))
    asked(await fixture.call("greet"))


async def test_a_client_is_asked_nothing_that_it_did_not_declare() -> None:
    fixture = Fixture()
    fixture.capabilities = {"sampling": {}}
    refused = await fixture.call("greet")
    assert refused["error"]["code"] == -32021
    assert refused["error"]["data"] == {"requiredCapabilities": {"elicitation": {}}}
    fixture.capabilities = {}
    assert (await fixture.call("greet"))["error"]["code"] == -32021


async def test_a_retry_that_declares_less_is_not_asked_again() -> None:
    fixture = Fixture()
    _, state = asked(await fixture.call("greet"))
    fixture.capabilities = {"roots": {}}
    assert (await fixture.call("greet", requestState=state))["error"]["code"] == -32021


async def test_a_cancelled_request_cancels_its_call_also_after_a_resumption() -> None:
    """I21."""
    entered, cancelled = asyncio.Event(), asyncio.Event()

    async def endless(client: Client) -> str:
        await client.ask(ELICIT, NAME)
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return ""

    fixture = Fixture(talking({"endless": endless}))
    questions, state = asked(await fixture.call("endless"))
    answers = dict.fromkeys(questions, ACCEPTED)
    retry = asyncio.create_task(fixture.call("endless", inputResponses=answers, requestState=state))
    async with asyncio.timeout(5):
        await entered.wait()
        retry.cancel()
        await cancelled.wait()
    with pytest.raises(asyncio.CancelledError):
        await retry
    await asyncio.sleep(0)
    assert len(fixture.endpoint.parking) == 0


async def test_the_end_of_the_gateway_cancels_what_is_parked() -> None:
    fixture = Fixture()
    _, state = asked(await fixture.call("greet"))
    fixture.endpoint.close()
    assert len(fixture.endpoint.parking) == 0
    assert (await fixture.call("greet", requestState=state))["error"]["code"] == -32602


async def test_gateway_invoke_parks_and_resumes_as_the_tool_itself() -> None:
    fixture = Fixture()
    params: dict[str, Any] = {"arguments": {"server": "talker", "tool": "greet"}}
    questions, state = asked(await fixture.call("gateway_invoke", surface=META, **params))
    params |= {"inputResponses": dict.fromkeys(questions, ACCEPTED), "requestState": state}
    found = await fixture.call("gateway_invoke", surface=META, **params)
    assert text(found) == f"hello {json.dumps(ACCEPTED)}"


async def test_notifications_go_to_the_request_that_is_open() -> None:
    async def chatty(client: Client) -> str:
        for step in (1, 2):
            client.notify("notifications/progress", {"progressToken": 0, "progress": step})
            await client.ask(ELICIT, NAME)
        return "done"

    fixture = Fixture(talking({"chatty": chatty}))
    meta = {"progressToken": "mine"}
    questions, state = asked(await fixture.call("chatty", _meta=meta))
    assert [one["params"]["progress"] for one in fixture.line.said] == [1]
    assert fixture.line.said[0]["params"]["progressToken"] == "mine"
    fixture.line = Line()
    answers = dict.fromkeys(questions, ACCEPTED)
    await fixture.call(
        "chatty", inputResponses=answers, requestState=state, _meta={"progressToken": 9}
    )
    assert [one["params"] for one in fixture.line.said] == [{"progressToken": 9, "progress": 2}]


async def test_no_task_is_made_where_nothing_can_be_asked() -> None:
    tasks: list[Any] = []

    async def whose(_: Client) -> str:
        tasks.append(asyncio.current_task())
        return "done"

    for era, capabilities, alone in (
        ("legacy", {}, True),
        ("modern", ABLE, True),
        ("legacy", ABLE, False),
    ):
        fixture = Fixture(talking({"whose": whose}, era=era))
        fixture.capabilities = capabilities
        await fixture.call("whose")
        assert (tasks.pop() is asyncio.current_task()) == alone
