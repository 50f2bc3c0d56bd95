import asyncio
import json
from typing import Any

import pytest

from gateway.errors import Busy, CapabilityMissing, ClientGone, ClientRefused
from gateway.protocol.jsonrpc import Response
from gateway.server.dialogue import MOST_OPEN, Dialogue, capabilities_of

ELICIT = "elicitation/create"
ABLE = {"elicitation": {"form": {}, "url": {}}}


class Talk:
    """A dialogue, and what was sent in it."""

    def __init__(self, **options: Any) -> None:
        self.dialogue = Dialogue(ABLE, **options)
        self.sent: list[Any] = []

    def send(self, message: bytes) -> None:
        self.sent.append(json.loads(message))

    async def asking(self, params: Any = None) -> "asyncio.Task[Any]":
        """A question that has just gone out."""
        task = asyncio.create_task(self.dialogue.ask(ELICIT, params or {}, self.send))
        await asyncio.sleep(0)
        return task


async def test_an_answer_reaches_its_question_and_no_other() -> None:
    talk = Talk()
    first, second = await talk.asking({"message": "a"}), await talk.asking({"message": "b"})
    ids = [sent["id"] for sent in talk.sent]
    assert len(set(ids)) == 2
    assert talk.sent[0]["method"] == ELICIT
    talk.dialogue.answered(Response(ids[1], {"action": "decline"}))
    talk.dialogue.answered(Response(ids[0], {"action": "cancel"}))
    assert await first == {"action": "cancel"}
    assert await second == {"action": "decline"}


async def test_answers_to_nothing_that_was_asked_are_ignored() -> None:
    """I22."""
    talk = Talk()
    task = await talk.asking()
    (id,) = [sent["id"] for sent in talk.sent]
    for response in (Response(None, {}), Response("other", {}), Response(1, error={})):
        talk.dialogue.answered(response)
    Dialogue(ABLE).answered(Response(id, {}))
    assert not task.done()
    talk.dialogue.answered(Response(id, {"action": "accept"}))
    talk.dialogue.answered(Response(id, {"action": "cancel"}))
    assert await task == {"action": "accept"}


@pytest.mark.parametrize(
    ("response", "number", "said"),
    [
        ({"error": {"code": -1, "message": "no", "data": 5}}, -1, "no"),
        ({"error": "x"}, -32603, "no reason given"),
        ({"error": {"code": "x"}}, -32603, "no reason given"),
        ({"result": 5}, -32600, "its answer is no object"),
    ],
)
async def test_an_error_is_a_refusal(response: Any, number: int, said: str) -> None:
    talk = Talk()
    task = await talk.asking()
    talk.dialogue.answered(Response(talk.sent[0]["id"], **response))
    with pytest.raises(ClientRefused) as raised:
        await task
    assert (raised.value.number, raised.value.said) == (number, said)


async def test_a_client_that_takes_too_long_is_told_that_nobody_waits() -> None:
    talk = Talk(patience=0.01)
    with pytest.raises(ClientGone, match="did not answer"):
        await talk.dialogue.ask(ELICIT, {}, talk.send)
    asked, withdrawn = talk.sent
    assert withdrawn["method"] == "notifications/cancelled"
    assert withdrawn["params"]["requestId"] == asked["id"]


async def test_a_cancelled_question_is_withdrawn() -> None:
    talk = Talk()
    task = await talk.asking()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [sent["method"] for sent in talk.sent] == [ELICIT, "notifications/cancelled"]


async def test_the_end_of_the_dialogue_ends_its_questions() -> None:
    talk = Talk()
    task = await talk.asking()
    talk.dialogue.end()
    with pytest.raises(ClientGone):
        await task
    with pytest.raises(ClientGone):
        await talk.dialogue.ask(ELICIT, {}, talk.send)
    assert len(talk.sent) == 1


async def test_a_client_has_a_bounded_number_of_questions() -> None:
    talk = Talk()
    tasks = [await talk.asking() for _ in range(MOST_OPEN)]
    with pytest.raises(Busy):
        await talk.dialogue.ask(ELICIT, {}, talk.send)
    talk.dialogue.end()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_what_was_not_declared_is_not_sent() -> None:
    talk = Talk()
    with pytest.raises(CapabilityMissing):
        await talk.dialogue.ask("roots/list", {}, talk.send)
    assert talk.sent == []


async def test_a_url_that_has_no_name_gets_one() -> None:
    """Revision 2025-11-25 wants an elicitationId; a modern server has none to give."""
    talk = Talk()
    unnamed = await talk.asking({"mode": "url", "url": "https://x.test"})
    named = await talk.asking({"mode": "url", "elicitationId": "e1"})
    assert talk.sent[0]["params"]["elicitationId"]
    assert talk.sent[1]["params"]["elicitationId"] == "e1"
    talk.dialogue.end()
    await asyncio.gather(unnamed, named, return_exceptions=True)


def test_capabilities_that_are_no_object_are_none() -> None:
    assert capabilities_of({"capabilities": ABLE}) == ABLE
    assert capabilities_of({"capabilities": [1]}) == {}
    assert capabilities_of({}) == {}
