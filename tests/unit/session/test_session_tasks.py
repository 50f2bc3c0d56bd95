"""Tools that a legacy server runs as tasks only, called by who knows no tasks."""

import asyncio

import pytest

from gateway.errors import BackendUnavailable, BadResponse, Reached, RemoteError
from gateway.session.session import Session
from tests.peers.mcp_server_fixture import called, text
from tests.peers.mcp_server_scripted import NOWHERE, Err, Events, Front, Wire, legacy

REQUIRED = {"execution": {"taskSupport": "required"}}
DONE = {"content": [{"type": "text", "text": "done"}]}


class Tasks:
    """`statuses` are those that tasks/get tells, one after the other."""

    def __init__(self, *statuses, result=None):
        self.statuses = list(statuses)
        self.result = result or DONE

    def task(self, status):
        return {"taskId": "t1", "status": status, "pollInterval": 1}

    async def __call__(self, wire, message):
        method, params = message["method"], message["params"]
        if method == "tools/call":
            if "task" not in params:
                raise Err(-32601, "it has to be run as a task")
            self.token = params.get("_meta", {}).get("progressToken")
            return {"task": self.task("working")}
        assert params["taskId"] == "t1"
        if method == "tasks/get":
            wire.say("notifications/progress", {"progressToken": self.token, "progress": 1})
            return self.task(self.statuses.pop(0) if self.statuses else "working")
        if method == "tasks/cancel":
            return self.task("cancelled")
        if isinstance(self.result, Err):
            raise self.result
        return self.result


async def opened(script):
    wire = Wire(legacy(script))
    return await Session.open(wire, NOWHERE, Events()), wire


async def test_a_required_task_is_run_to_its_result() -> None:
    session, wire = await opened(Tasks("working", "completed"))
    front = Front(modern=True)
    params = {"_meta": {"progressToken": 1}}
    async with asyncio.timeout(5):
        result = await called(session, "slow", {"a": 1}, front, params=params, **REQUIRED)
    assert text(result) == "done"
    assert wire.methods()[2:] == ["tools/call", "tasks/get", "tasks/get", "tasks/result"]
    assert wire.heard[2]["params"]["task"] == {"ttl": 3_600_000}
    assert len(front.told) == 2
    assert len(session._flights) == 0


@pytest.mark.parametrize(
    ("front", "params", "definition"),
    [
        (Front(), {"task": {"ttl": 5}}, REQUIRED),
        (Front(modern=True), {}, {"execution": {"taskSupport": "optional"}}),
        (Front(modern=True), {}, {"execution": 7}),
    ],
)
async def test_any_other_call_goes_out_as_it_came(front, params, definition) -> None:
    async def script(_wire, _message):
        return DONE

    session, wire = await opened(script)
    await called(session, "slow", client=front, params=params, **definition)
    assert wire.methods()[2:] == ["tools/call"]
    assert wire.heard[2]["params"].get("task") == params.get("task")


async def test_a_server_that_goes_away_meanwhile_may_have_carried_it_out() -> None:
    """Who reads that nothing was sent calls again, and makes a second task."""

    class Leaving(Tasks):
        async def __call__(self, wire, message):
            if message["method"] == "tasks/get":
                raise BackendUnavailable("gone")
            return await super().__call__(wire, message)

    session, _ = await opened(Leaving())
    with pytest.raises(BackendUnavailable) as caught:
        await called(session, "slow", **REQUIRED)
    assert caught.value.reached is Reached.SENT_UNKNOWN


async def test_a_task_that_fails_fails_as_its_result_does() -> None:
    session, _ = await opened(Tasks("failed", result=Err(-32603, "it broke")))
    with pytest.raises(RemoteError, match="it broke"):
        await called(session, "slow", **REQUIRED)


async def test_a_task_that_wants_to_ask_asks_within_its_result() -> None:
    class Asking(Tasks):
        async def __call__(self, wire, message):
            if message["method"] == "tasks/result":
                wire.ask("q", "elicitation/create", {"message": "?"})
                assert (await wire.answered("q"))["result"] == {"action": "accept"}
            return await super().__call__(wire, message)

    session, _ = await opened(Asking("input_required"))
    front = Front({"elicitation": {}}, answers={"elicitation/create": {"action": "accept"}})
    async with asyncio.timeout(5):
        assert text(await called(session, "slow", client=front, **REQUIRED)) == "done"


async def test_a_cancelled_call_cancels_its_task() -> None:
    session, wire = await opened(Tasks())
    task = asyncio.create_task(called(session, "slow", **REQUIRED))
    while "tasks/get" not in wire.methods():
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        while "tasks/cancel" not in wire.methods():
            await asyncio.sleep(0)
    assert len(session._flights) == 0


@pytest.mark.parametrize("odd", [{"task": 7}, {"task": {"taskId": 7}}, DONE])
async def test_an_answer_that_is_no_task_is_refused(odd) -> None:
    async def script(_wire, _message):
        return odd

    session, _ = await opened(script)
    with pytest.raises(BadResponse, match="no task"):
        await called(session, "slow", **REQUIRED)
