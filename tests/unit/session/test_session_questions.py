"""What a server says and asks beside its responses, and whom it reaches."""

import asyncio

import pytest

from gateway.errors import (
    BackendUnavailable,
    CapabilityMissing,
    ClientGone,
    ClientRefused,
    GatewayError,
    Reached,
    RemoteError,
)
from gateway.session.questions import MOST_EACH as MOST
from gateway.session.session import Session
from tests.peers.mcp_server_fixture import called, text
from tests.peers.mcp_server_scripted import NOWHERE, Err, Events, Front, Wire, legacy, modern

ELICIT = "elicitation/create"
CAN = {"elicitation": {}, "sampling": {}, "roots": {}}
FORM = {"message": "name?", "requestedSchema": {"type": "object"}}


def said(words):
    return {"content": [{"type": "text", "text": words}]}


def asking(method, params=None, *, on_stream=True, id="q1"):
    """A tool that asks, and tells what it was answered; over one stream unless `on_stream`."""

    async def tool(wire, message):
        if message["method"] == "logging/setLevel":
            return {}
        wire.ask(id, method, params, on=message["id"] if wire.apart and on_stream else None)
        answer = await wire.answered(id)
        if "error" in answer:
            raise Err(-32603, f"asked in vain: {answer['error']['code']}")
        return said(str(answer["result"]))

    return tool


async def opened(tool, *, apart=False, script=legacy, **settings):
    wire, events = Wire(script(tool, **settings), apart=apart), Events()
    return await Session.open(wire, NOWHERE, events), wire, events


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("on_stream", [True, False])
async def test_a_question_goes_to_whose_call_it_concerns(*, apart, on_stream) -> None:
    session, *_ = await opened(asking(ELICIT, FORM, on_stream=on_stream), apart=apart)
    front = Front(CAN, answers={ELICIT: {"action": "accept", "content": {"name": "Ann"}}})
    async with asyncio.timeout(5):
        assert "Ann" in text(await called(session, "ask", client=front))
    assert front.asked == [(ELICIT, FORM)]


async def test_a_question_on_a_stream_goes_to_that_call_among_several() -> None:
    together = asyncio.Barrier(10)

    async def tool(wire, message):
        await together.wait()
        wire.ask(message["id"], ELICIT, FORM, on=message["id"])
        return said((await wire.answered(message["id"]))["result"]["action"])

    session, *_ = await opened(tool, apart=True)
    names = [f"name{number}" for number in range(10)]
    fronts = [Front(CAN, answers={ELICIT: {"action": name}}) for name in names]
    async with asyncio.timeout(5):
        found = await asyncio.gather(*(called(session, "ask", client=front) for front in fronts))
    assert [text(each) for each in found] == names


async def test_among_several_calls_on_one_pipe_a_question_belongs_to_none() -> None:
    release = asyncio.Event()

    async def tool(wire, message):
        if message["params"]["name"] == "wait":
            await release.wait()
            return said("waited")
        return await asking(ELICIT, FORM)(wire, message)

    session, *_ = await opened(tool)
    fronts = [Front(CAN, answers={ELICIT: {"action": "accept"}}) for _ in range(2)]
    waiting = asyncio.create_task(called(session, "wait", client=fronts[0]))
    await asyncio.sleep(0)
    with pytest.raises(RemoteError, match="-32601"):
        await called(session, "ask", client=fronts[1])
    release.set()
    await waiting
    assert fronts[0].asked == fronts[1].asked == []


@pytest.mark.parametrize(
    ("method", "params", "can"),
    [
        (ELICIT, FORM, {}),
        (ELICIT, FORM, {"elicitation": {"url": {}}}),
        (ELICIT, {"mode": "url", "url": "https://x"}, {"elicitation": {}}),
        ("sampling/createMessage", {"tools": []}, {"sampling": {}}),
        ("sampling/createMessage", {}, {"elicitation": {}}),
    ],
)
@pytest.mark.parametrize("is_modern", [True, False])
async def test_what_a_client_cannot_be_asked_is_declined(method, params, can, is_modern) -> None:
    session, *_ = await opened(asking(method, params))
    front = Front(can, modern=is_modern)
    with pytest.raises(CapabilityMissing if is_modern else RemoteError) as told:
        await called(session, "ask", client=front)
    assert front.asked == []
    if is_modern:
        assert told.value.required.keys() == {method.split("/")[0]}


async def test_a_decline_that_does_not_make_the_call_fail_is_not_held_against_it() -> None:
    async def tool(wire, _message):
        wire.ask(1, ELICIT, FORM)
        await wire.answered(1)
        return said("never mind")

    session, *_ = await opened(tool)
    assert text(await called(session, "ask", client=Front(modern=True))) == "never mind"


async def test_roots_of_a_client_without_any_are_none() -> None:
    session, wire, _ = await opened(asking("roots/list"))
    assert text(await called(session, "ask", client=Front())) == "{'roots': []}"
    wire.ask("later", "roots/list")
    assert (await wire.answered("later"))["result"] == {"roots": []}


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (ClientRefused(-1, "the user left", {"x": 1}), -1),
        (ClientGone("it hung up"), -32603),
        (CapabilityMissing("cannot", {"elicitation": {}}), -32601),
    ],
)
async def test_what_the_client_fails_with_is_the_servers_answer(failure, code) -> None:
    session, *_ = await opened(asking(ELICIT, FORM))
    with pytest.raises(RemoteError, match=str(code)):
        await called(session, "ask", client=Front(CAN, answers={ELICIT: failure}))


async def test_pings_and_unknown_questions_are_answered_at_any_time() -> None:
    _, wire, _ = await opened(None)
    wire.ask(0, "ping")
    assert (await wire.answered(0))["result"] == {}
    wire.ask("x", "evil/method", {"a": "b" * 100_000})
    assert (await wire.answered("x"))["error"]["code"] == -32601
    wire.ask("y", ELICIT, FORM)
    assert (await wire.answered("y"))["error"]["code"] == -32601


async def test_a_question_ends_with_its_call_and_when_it_is_withdrawn() -> None:
    asked, ended = asyncio.Event(), asyncio.Event()

    async def person(_params):
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def tool(wire, message):
        wire.ask("q", ELICIT, FORM)
        await asked.wait()
        if message["params"]["name"] == "withdraw":
            wire.say("notifications/cancelled", {"requestId": "q"})
            await ended.wait()
        return said("done")

    session, wire, _ = await opened(tool)
    for name in ("end", "withdraw"):
        async with asyncio.timeout(5):
            await called(session, name, client=Front(CAN, answers={ELICIT: person}))
            await ended.wait()
        asked.clear()
        ended.clear()
    assert wire.answers == []


async def test_an_id_that_is_being_answered_is_not_asked_again() -> None:
    """I57"""
    release = asyncio.Event()

    async def person(_params):
        await release.wait()
        return {"action": "accept"}

    async def tool(wire, _message):
        for _ in range(3):
            wire.ask("same", ELICIT, FORM)
        wire.ask("other", ELICIT, FORM)
        await asyncio.sleep(0)
        release.set()
        await wire.answered("same")
        await wire.answered("other")
        return said("done")

    front = Front(CAN, answers={ELICIT: person})
    session, wire, _ = await opened(tool)
    async with asyncio.timeout(5):
        await called(session, "x", client=front)
    assert len(front.asked) == 2
    assert len(wire.answers) == 2


async def test_ids_are_not_answered_twice_and_floods_not_at_all() -> None:
    """I57"""
    release = asyncio.Event()

    async def person(_params):
        await release.wait()
        return {"action": "accept"}

    async def tool(wire, _message):
        for number in (*range(MOST + 40), 1, 2, 3):
            wire.ask(number, ELICIT, FORM)
        await asyncio.sleep(0)
        release.set()
        answers = [await wire.answered(number) for number in range(MOST)]
        return said(str(len(answers)))

    front = Front(CAN, answers={ELICIT: person})
    session, wire, _ = await opened(tool)
    async with asyncio.timeout(5):
        assert text(await called(session, "flood", client=front)) == str(MOST)
    assert len(front.asked) == MOST
    assert len(wire.answers) == MOST


async def test_a_modern_server_has_no_questions_of_this_kind() -> None:
    async def tool(wire, message):
        wire.ask(1, "ping", on=message["id"])
        await asyncio.sleep(0)
        return {**said("x"), "resultType": "complete"}

    session, wire, _ = await opened(tool, script=modern)
    await called(session, "x", client=Front(CAN))
    assert wire.told.empty()


async def test_the_servers_bookkeeping_is_not_shown_to_the_client() -> None:
    params = {
        "mode": "url",
        "url": "https://x",
        "elicitationId": "e",
        "_meta": {"progressToken": 1},
        "task": {},
    }
    can = {"elicitation": {"url": {}}}
    session, *_ = await opened(asking(ELICIT, params))
    for is_modern in (True, False):
        front = Front(can, modern=is_modern, answers={ELICIT: {"action": "accept"}})
        await called(session, "ask", client=front)
        [(_, shown)] = front.asked
        assert shown.keys() == {"mode", "url"} | (set() if is_modern else {"elicitationId"})


# -- what is told ---------------------------------------------------------------------------------


async def test_progress_reaches_the_call_of_its_token_alone() -> None:
    async def tool(wire, message):
        token = message["params"]["_meta"]["progressToken"]
        for wrong in (0, -1, "x", None, [], token + 1000, True):
            wire.say("notifications/progress", {"progressToken": wrong, "progress": 9})
        wire.say("notifications/progress", {"progressToken": token, "progress": 1})
        return said("x")

    session, *_ = await opened(tool)
    front = Front()
    await called(session, "x", client=front, params={"_meta": {"progressToken": "mine"}})
    assert [params["progress"] for _, params in front.told] == [1]


async def test_log_messages_reach_the_call_of_their_stream_or_of_no_stream_everybody() -> None:
    """What is said of a call that has ended is nobody else's."""

    async def tool(wire, message):
        wire.say("notifications/message", {"data": 1}, on=message["id"])
        wire.say("notifications/message", {"data": 2})
        wire.say("notifications/message", {"data": 3}, on=10**9)
        return said("x")

    session, _, events = await opened(tool, apart=True)
    front = Front()
    await called(session, "x", client=front)
    assert front.told == [("notifications/message", {"data": 1})]
    assert events.sayings == [("notifications/message", {"data": 2})]


async def test_log_messages_of_one_pipe_reach_the_only_call() -> None:
    async def tool(wire, _message):
        wire.say("notifications/message", {"data": 1})
        return said("x")

    session, wire, events = await opened(tool)
    front = Front()
    await called(session, "x", client=front)
    assert front.told == [("notifications/message", {"data": 1})]
    wire.say("notifications/message", {"data": 2})
    assert events.sayings == [("notifications/message", {"data": 2})]


async def test_changes_and_unknown_notifications_are_passed_on() -> None:
    _, wire, events = await opened(None)
    for kind in ("tools", "prompts", "resources"):
        wire.say(f"notifications/{kind}/list_changed")
    wire.say("notifications/resources/updated", {"uri": "a"})
    wire.say("evil" * 1000, {"x": [1]})
    wire.say("notifications/cancelled", {"requestId": {}})
    wire.say("notifications/subscriptions/acknowledged", {"_meta": 7})
    assert events.changes == [
        f"notifications/{kind}/list_changed" for kind in ("tools", "prompts", "resources")
    ]
    assert events.sayings[0] == ("notifications/resources/updated", {"uri": "a"})


# -- input_required -------------------------------------------------------------------------------


def requiring(*rounds):
    """A modern tool that answers with these results, one after the other."""
    left = list(rounds)

    async def tool(_wire, _message):
        return left.pop(0)

    return tool


def more(state=None, **questions):
    asked = {key: {"method": method, "params": {}} for key, method in questions.items()}
    result = {"resultType": "input_required"}
    return (
        result
        | ({"inputRequests": asked} if asked else {})
        | ({"requestState": state} if state else {})
    )


async def test_a_modern_servers_questions_are_asked_of_a_legacy_client_all_at_once() -> None:
    both = asyncio.Barrier(2)

    async def answer(_params):
        await both.wait()
        return {"ok": 1}

    rounds = [more("s1", a=ELICIT, b="roots/list"), more(c=ELICIT), more("s3"), said("done")]
    session, wire, _ = await opened(requiring(*rounds), script=modern)
    front = Front(CAN, answers={ELICIT: answer, "roots/list": answer})

    async def answered(_params):
        return {"ok": 1}

    async with asyncio.timeout(5):
        task = asyncio.create_task(called(session, "x", {"a": 1}, front))
        while len(front.asked) < 2:
            await asyncio.sleep(0)
        front.answers = {ELICIT: answered}
        assert text(await task) == "done"
    calls = [m for m in wire.heard if m["method"] == "tools/call"]
    assert len({m["id"] for m in calls}) == 4
    assert all(m["params"]["arguments"] == {"a": 1} for m in calls)
    given = [
        {k: v for k, v in m["params"].items() if k in ("inputResponses", "requestState")}
        for m in calls
    ]
    assert given == [
        {},
        {"requestState": "s1", "inputResponses": {"a": {"ok": 1}, "b": {"ok": 1}}},
        {"inputResponses": {"c": {"ok": 1}}},
        {"requestState": "s3"},
    ]


@pytest.mark.parametrize(
    "odd",
    [
        {"resultType": "input_required"},
        {"resultType": "input_required", "inputRequests": []},
        {"resultType": "input_required", "inputRequests": {"a": {"method": "evil"}}},
        {"resultType": "input_required", "inputRequests": {"a": 7}},
        {"resultType": "input_required", "inputRequests": {str(n): {} for n in range(1000)}},
    ],
)
async def test_questions_in_no_known_shape_are_refused(odd) -> None:
    session, *_ = await opened(requiring(odd), script=modern)
    with pytest.raises(Exception, match="asks for input"):
        await called(session, "x", client=Front(CAN))


async def test_a_round_that_was_not_sent_is_not_the_whole_call_not_sent() -> None:
    rounds = [more("s1"), BackendUnavailable("gone")]

    async def tool(_wire, _message):
        found = rounds.pop(0)
        if isinstance(found, GatewayError):
            raise found
        return found

    session, *_ = await opened(tool, script=modern)
    with pytest.raises(BackendUnavailable) as caught:
        await called(session, "x", client=Front(CAN))
    assert caught.value.reached is Reached.SENT_UNKNOWN


async def test_a_server_that_asks_for_ever_is_left() -> None:
    session, wire, _ = await opened(requiring(*[more("s")] * 50), script=modern)
    with pytest.raises(Exception, match="more than 10 times"):
        await called(session, "x", client=Front(CAN))
    assert wire.methods().count("tools/call") == 11


async def test_when_one_of_several_questions_fails_the_others_are_withdrawn() -> None:
    withdrawn = asyncio.Event()

    async def person(_params):
        try:
            await asyncio.Event().wait()
        finally:
            withdrawn.set()

    session, *_ = await opened(requiring(more(a=ELICIT, b="roots/list")), script=modern)
    answers = {ELICIT: person, "roots/list": ClientRefused(-1, "no")}
    with pytest.raises(ClientRefused):
        await called(session, "x", client=Front(CAN, answers=answers))
    async with asyncio.timeout(5):
        await withdrawn.wait()


@pytest.mark.parametrize("action", ["accept", "decline"])
async def test_urls_that_a_legacy_server_wants_visited_are_visited_first(action) -> None:
    wanted = {"elicitations": [{"mode": "url", "url": "https://x", "elicitationId": "e"}]}
    visited = []

    async def tool(_wire, _message):
        if not visited:
            raise Err(-32042, "visit first", data=wanted)
        return said("done")

    async def person(params):
        visited.append(params["url"])
        return {"action": action}

    session, *_ = await opened(tool)
    front = Front({"elicitation": {"url": {}}}, modern=True, answers={ELICIT: person})
    if action == "accept":
        assert text(await called(session, "x", client=front)) == "done"
    else:
        with pytest.raises(ClientRefused):
            await called(session, "x", client=front)
    assert visited == ["https://x"]
    visited.clear()
    with pytest.raises(RemoteError) as told:
        await called(session, "x", client=Front(CAN))
    assert (told.value.number, visited) == (-32042, [])


async def test_a_url_to_visit_has_the_id_that_legacy_clients_know_it_by() -> None:
    visit = {"a": {"method": ELICIT, "params": {"mode": "url", "url": "https://x"}}}
    required = {"resultType": "input_required", "inputRequests": visit}
    session, *_ = await opened(requiring(required, said("done")), script=modern)
    front = Front({"elicitation": {"url": {}}}, answers={ELICIT: {"action": "accept"}})
    await called(session, "x", client=front)
    [(_, params)] = front.asked
    assert params["elicitationId"]


async def test_a_round_that_the_server_refused_by_mistake_is_sent_again() -> None:
    answers = [more("s"), Err(-32022, data={"supported": ["2026-07-28"]}), said("done")]

    async def tool(_wire, _message):
        answer = answers.pop(0)
        if isinstance(answer, Err):
            raise answer
        return answer

    session, wire, _ = await opened(tool, script=modern)
    assert text(await called(session, "x", client=Front(CAN))) == "done"
    states = [m["params"].get("requestState") for m in wire.heard if m["method"] == "tools/call"]
    assert states == [None, "s", "s"]


async def test_an_error_that_names_no_urls_is_passed_on() -> None:
    async def tool(_wire, _message):
        raise Err(-32042, "visit", data={"elicitations": 7})

    session, *_ = await opened(tool)
    with pytest.raises(RemoteError, match="visit"):
        await called(session, "x", client=Front(CAN, modern=True))


async def test_params_that_nobody_can_read_do_no_harm() -> None:
    deep: list = []
    for _ in range(100):
        deep = [deep]

    async def tool(wire, _message):
        wire.say("notifications/message", {"data": deep})
        wire.ask("q", ELICIT, {"x": deep})
        return said(str((await wire.answered("q"))["error"]["code"]))

    session, _, events = await opened(tool)
    front = Front(CAN)
    assert text(await called(session, "x", client=front)) == "-32602"
    assert (front.told, front.asked, events.sayings) == ([], [], [])


async def test_a_question_whose_asker_is_gone_is_dropped() -> None:
    session, wire, events = await opened(None)

    async def gone(_body, _headers=()):
        sent.set()
        raise BackendUnavailable("gone")

    sent = asyncio.Event()
    wire.send = gone
    wire.ask(1, "ping")
    async with asyncio.timeout(5):
        await sent.wait()
        while len(session._questions):
            await asyncio.sleep(0)
    assert events.losses == []
