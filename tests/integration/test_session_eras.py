"""Sessions with the SDK's own server, which speaks both eras, or one of them alone."""

import asyncio
from collections.abc import Iterator

import pytest

from gateway.errors import CapabilityMissing, RemoteError
from tests.peers.mcp_server_fixture import asked, at, called, opened, piped, serving, text
from tests.peers.mcp_server_scripted import LEGACY, MODERN, Events, Front

CAN = {"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}}
ANSWERS = {
    "elicitation/create": {"action": "accept", "content": {"name": "Ann", "response": "yes"}},
    "sampling/createMessage": {
        "role": "assistant",
        "content": {"type": "text", "text": "Paris"},
        "model": "m",
    },
    "roots/list": {"roots": [{"uri": "file:///home"}]},
}
VIEWS = ("legacy", "modern")


@pytest.fixture(scope="module", params=VIEWS)
def view(request) -> Iterator[tuple[str, str]]:
    with serving(request.param) as url:
        yield request.param, url


def a_front(*, modern: bool = False, **more) -> Front:
    return Front(CAN, modern=modern, answers=ANSWERS, **more)


@pytest.mark.parametrize(
    ("view", "version"), [("dual", MODERN), ("legacy", LEGACY), ("modern", MODERN)]
)
async def test_the_era_of_a_server_is_found_out_over_both_transports(
    view: str, version: str
) -> None:
    with serving(view) as url:
        for kind in (at(url), piped(view)):
            async with opened(kind) as session:
                assert session.revision.version == version
                assert session.server_info["name"] == "fixture"
                assert session.instructions == "Tools for the conformance suite."
                assert "tools" in session.capabilities
                assert text(await called(session, "test_simple_text")).startswith("This is")
                await session.ping()


async def test_lists_prompts_resources_and_completions_come_from_either_era(view) -> None:
    _, url = view
    async with opened(at(url)) as session:
        tools = await session.list_all("tools/list")
        assert {"name": "test_echo"}.items() <= next(
            tool for tool in tools if tool["name"] == "test_echo"
        ).items()
        assert len(await session.list_all("resources/templates/list")) == 1
        read = await asked(session, "resources/read", {"uri": "test://static-text"})
        assert read["contents"][0]["uri"] == "test://static-text"
        prompt = await asked(session, "prompts/get", {"name": "test_simple_prompt"})
        assert prompt["messages"]
        with pytest.raises(RemoteError):
            await asked(session, "resources/read", {"uri": "test://nowhere"})


@pytest.mark.parametrize("modern", [False, True])
async def test_progress_reaches_whoever_called(view, *, modern: bool) -> None:
    _, url = view
    front = a_front(modern=modern)
    async with opened(at(url)) as session:
        params = {"_meta": {"progressToken": "mine"}}
        await called(session, "test_tool_with_progress", client=front, params=params)
    assert [params["progress"] for _, params in front.told] == [0, 50, 100]


async def test_log_messages_come_at_the_level_that_a_client_wants(view) -> None:
    _, url = view
    loud, silent = a_front(log_level="debug"), a_front()
    async with opened(at(url)) as session:
        await called(session, "test_tool_with_logging", client=loud)
        await called(session, "test_simple_text", client=silent)
    assert [method for method, _ in loud.told] == ["notifications/message"] * 3
    assert silent.told == []


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("test_elicitation", {"message": "well?"}, "User response: action=accept"),
        ("test_sampling", {"prompt": "?"}, "LLM response: Paris"),
        ("test_input_required_result_list_roots", {}, "roots: file:///home"),
        ("test_input_required_result_multiple_inputs", {}, "answered: "),
        ("test_input_required_result_request_state", {}, "state-ok"),
        ("test_url_elicitation", {"id": "x"}, None),
    ],
)
async def test_what_a_server_asks_is_answered_by_a_legacy_client(
    view, tool, arguments, said
) -> None:
    name, url = view
    front = a_front()
    async with opened(at(url)) as session:
        if said is None and name == "legacy":
            with pytest.raises(RemoteError) as told:  # it knows what to do with this one
                await called(session, tool, arguments, front)
            assert told.value.number == -32042
            return
        answer = text(await called(session, tool, arguments, front))
    assert answer.startswith(said or "visited: accept")


async def test_several_rounds_are_driven_to_the_end(view) -> None:
    _, url = view
    answers = iter([{"name": "Ann"}, {"color": "red"}])

    async def answer(_):
        return {"action": "accept", "content": next(answers)}

    front = Front(CAN, answers={"elicitation/create": answer})
    async with opened(at(url)) as session:
        result = await called(session, "test_input_required_result_multi_round", client=front)
    assert text(result) == "Ann likes red"


async def test_a_modern_client_gets_a_modern_servers_questions_as_they_are(view) -> None:
    name, url = view
    front = a_front(modern=True)
    async with opened(at(url)) as session:
        result = await called(session, "test_streaming_elicitation", client=front)
    if name == "modern":
        assert result.kind == "input_required"
        assert front.asked == []
    else:
        assert text(result) == "Hello, Ann!"


async def test_a_modern_client_visits_the_urls_of_either_era(view) -> None:
    name, url = view
    front = a_front(modern=True)
    async with opened(at(url)) as session:
        result = await called(session, "test_url_elicitation", {"id": name}, front)
    if name == "modern":
        assert result.kind == "input_required"
    else:
        assert text(result) == "visited: before"
        [(_, params)] = front.asked
        assert "elicitationId" not in params


async def test_what_a_modern_client_cannot_do_is_named_when_it_was_needed(view) -> None:
    name, url = view
    async with opened(at(url)) as session:
        with pytest.raises((CapabilityMissing, RemoteError)) as told:
            await called(session, "test_sampling", {"prompt": "?"}, Front(modern=True))
    if name == "legacy":
        assert isinstance(told.value, CapabilityMissing)
        assert told.value.required == {"sampling": {}}
    else:
        assert isinstance(told.value, RemoteError)
        assert told.value.number == -32021


async def test_a_cancelled_call_is_cancelled_at_the_server(view) -> None:
    _, url = view
    front = a_front()
    async with opened(at(url)) as session:
        before = text(await called(session, "test_count", {"of": "cancelled"}))
        params = {"_meta": {"progressToken": 1}}
        task = asyncio.create_task(called(session, "test_wait", client=front, params=params))
        while not front.told:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while text(await called(session, "test_count", {"of": "cancelled"})) == before:
            await asyncio.sleep(0.02)


async def test_changes_are_told_to_whoever_keeps_the_session(view) -> None:
    _, url = view
    events = Events()
    async with opened(at(url), events) as session:
        await session.watch(frozenset({"test://watched-resource"}))
        await called(session, "test_trigger_tool_change")
        await called(session, "test_trigger_resource_change")
        while not (events.changes and events.sayings):
            events.heard.clear()
            await events.heard.wait()
    assert "notifications/tools/list_changed" in events.changes
    assert ("notifications/resources/updated", {"uri": "test://watched-resource"}) in events.sayings


@pytest.mark.parametrize("view", VIEWS)
async def test_everything_works_over_pipes_as_well(view: str) -> None:
    front, events = a_front(log_level="info"), Events()
    async with opened(piped(view), events) as session:
        params = {"_meta": {"progressToken": "mine"}}
        await called(session, "test_tool_with_progress", client=front, params=params)
        await called(session, "test_tool_with_logging", client=front)
        assert len(front.told) == 6
        result = await called(session, "test_elicitation", {"message": "?"}, front)
        assert "action=accept" in text(result)
        await session.watch(frozenset({"test://watched-resource"}))
        await called(session, "test_trigger_resource_change")
        while not events.sayings:
            events.heard.clear()
            await events.heard.wait()
        params = {"_meta": {"progressToken": 1}}
        del front.told[:]
        task = asyncio.create_task(called(session, "test_wait", client=front, params=params))
        while not front.told:
            await asyncio.sleep(0.01)
        task.cancel()
        while text(await called(session, "test_count", {"of": "cancelled"})) != "1":
            await asyncio.sleep(0.02)
