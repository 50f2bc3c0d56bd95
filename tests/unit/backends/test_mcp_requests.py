"""What goes to a server, in whose name, and how many at once."""

import asyncio

import pytest

from gateway.backends.owners import Owners
from gateway.backends.settings import ToolOverride
from gateway.domain.call import Call, Relayed
from gateway.domain.client import NOBODY, Context
from gateway.domain.identity import Identity
from gateway.domain.tool import Tool, ToolRef
from gateway.errors import (
    BackendUnavailable,
    BadResponse,
    Busy,
    RemoteError,
    ToolNotFound,
    Unsupported,
)
from gateway.protocol.jsonrpc import INVALID_PARAMS, loads
from tests.peers.backend_session import Kept, MemoryServer, tool, turns

ALICE, BOB = Identity("alice"), Identity("bob")


async def test_a_tool_that_nobody_overrides_is_called_as_it_came() -> None:
    server = MemoryServer(tool("read"))
    async with Kept(server) as kept:
        await kept.up()
        await kept.call("read", path="x")
        assert server.called == [("read", {"path": "x"}, {"type": "object"})]


async def test_an_overridden_tool_is_called_by_its_own_name_with_what_is_pinned() -> None:
    schema = {
        "type": "object",
        "properties": {"path": {}, "key": {"type": "string", "x-mcp-header": "Key"}},
    }
    server = MemoryServer({"name": "read", "inputSchema": schema}, tool("drop"))
    change = {
        "read": ToolOverride(name="open", pinned={"key": "k"}),
        "drop": ToolOverride(hidden=True),
    }
    async with Kept(server, tools=change) as kept:
        await kept.up()
        assert kept.tools == ["open"]
        await kept.call("open", path="x")
        assert server.called == [("read", {"path": "x", "key": "k"}, schema)]


async def test_an_override_of_no_tool_is_an_issue() -> None:
    async with Kept(MemoryServer(), tools={"raed": ToolOverride(hidden=True)}) as kept:
        await kept.up()
        (issue,) = kept.backend.listing.health.issues
        assert issue.hint == "did you mean 'read'?"


async def test_an_error_of_the_server_is_its_own() -> None:
    server = MemoryServer()
    server.answers["read"] = RemoteError(-32050, "odd", {"a": 1})
    async with Kept(server) as kept:
        await kept.up()
        with pytest.raises(RemoteError) as failed:
            await kept.call()
        assert (failed.value.number, failed.value.data) == (-32050, {"a": 1})


async def test_beyond_cap_and_queue_callers_are_told_that_it_is_busy() -> None:
    server = MemoryServer()
    server.answers["read"] = server.answers["prompts/get"] = None
    async with Kept(server, concurrency=2, queue=1) as kept:
        await kept.up()
        at_work = [asyncio.create_task(kept.call()), asyncio.create_task(kept.query("prompts/get"))]
        waiting = asyncio.create_task(kept.call())
        await turns()
        assert len(server.called) == 2
        for request in (kept.call(), kept.query("prompts/get")):
            with pytest.raises(Busy, match="'files' is busy: 2 requests at work, 1 waiting"):
                await request
        at_work[0].cancel()
        await turns()
        assert len(server.called) == 3
        for task in (at_work[1], waiting):
            task.cancel()


async def test_an_exclusive_server_sees_one_request_at_a_time() -> None:
    server = MemoryServer()
    server.answers["read"] = None
    async with Kept(server, exclusive=True) as kept:
        await kept.up()
        calls = [asyncio.create_task(kept.call()) for _ in range(3)]
        for number in (1, 2, 3):
            await turns()
            assert len(server.called) == number
            server.session.flying.pop().set_exception(BadResponse("odd"))
        assert len(await asyncio.gather(*calls, return_exceptions=True)) == 3


async def test_other_requests_go_as_they_are() -> None:
    server = MemoryServer()
    server.answers["prompts/get"] = b'{"messages":[]}'
    async with Kept(server) as kept:
        await kept.up()
        assert (await kept.query("prompts/get", name="p")).raw == b'{"messages":[]}'
        assert server.called == [("prompts/get", {"name": "p"}, None)]


async def test_a_query_to_a_server_that_never_comes_fails_in_the_end() -> None:
    server = MemoryServer()
    server.opening.clear()
    async with Kept(server, timeout=0.02) as kept:
        with pytest.raises(Exception, match="was not connected in time"):
            await kept.query("prompts/get")


# -- subscriptions ------------------------------------------------------------------------------


async def test_a_resource_is_watched_as_long_as_anybody_wants_it() -> None:
    server = MemoryServer()
    async with Kept(server) as kept:
        await kept.up()
        for caller in (ALICE, ALICE, BOB):
            assert (await kept.query("resources/subscribe", caller, uri="a:1")).raw == b"{}"
        await kept.query("resources/subscribe", BOB, uri="a:2")
        assert server.session.watched == {"a:1", "a:2"}
        for caller in (ALICE, BOB):
            await kept.query("resources/unsubscribe", caller, uri="a:1")
            assert server.session.watched == {"a:1", "a:2"}
        await kept.query("resources/unsubscribe", ALICE, uri="a:1")
        assert server.session.watched == {"a:2"}


async def test_nobody_ends_what_another_subscribed_to() -> None:
    server = MemoryServer()
    async with Kept(server) as kept:
        await kept.up()
        await kept.query("resources/subscribe", ALICE, uri="a:1")
        await kept.query("resources/unsubscribe", BOB, uri="a:1")
        assert server.session.watched == {"a:1"}


async def test_what_is_watched_is_watched_again_after_a_loss_and_can_be_let_go_meanwhile() -> None:
    server = MemoryServer()
    async with Kept(server) as kept:
        await kept.up()
        await kept.query("resources/subscribe", uri="a:1")
        await kept.query("resources/subscribe", uri="a:2")
        kept.now += 5
        server.opening.clear()
        server.session.lose("exit code 1")
        await kept.query("resources/unsubscribe", uri="a:1")
        await kept.query("resources/subscribe", uri="a:3")
        server.opening.set()
        await kept.up()
        assert server.session.watched == {"a:2", "a:3"}


async def test_a_subscription_that_the_server_refuses_does_not_count() -> None:
    server = MemoryServer()
    server.unwatchable = Unsupported("nobody is told")
    async with Kept(server) as kept:
        await kept.up()
        with pytest.raises(Unsupported):
            await kept.query("resources/subscribe", uri="a:1")
        server.unwatchable = None
        await kept.query("resources/subscribe", uri="a:2")
        assert server.session.watched == {"a:2"}


async def test_subscriptions_that_cannot_be_renewed_do_not_keep_a_server_down() -> None:
    server = MemoryServer()
    async with Kept(server) as kept:
        await kept.up()
        await kept.query("resources/subscribe", uri="a:1")
        kept.now += 5
        server.unwatchable = BackendUnavailable("not now")
        server.session.lose("exit code 1")
        await kept.up()
        assert (await kept.call()).raw == b"{}"


async def test_a_server_that_does_not_answer_subscriptions_is_up_all_the_same() -> None:
    server = MemoryServer()
    async with Kept(server, connect_timeout=0.1) as kept:
        await kept.up()
        await kept.query("resources/subscribe", uri="a:1")
        kept.now += 5
        server.watching.clear()
        server.session.lose("exit code 1")
        await kept.up()
        assert (await kept.call()).raw == b"{}"


async def test_what_is_subscribed_to_before_the_first_connection_fails_counts_when_it_is_up() -> (
    None
):
    server = MemoryServer()
    server.refuses = BackendUnavailable("not yet")
    server.opening.clear()
    async with Kept(server) as kept:
        early = asyncio.create_task(kept.query("resources/subscribe", uri="a:1"))
        await turns()
        server.opening.set()
        assert (await early).raw == b"{}"
        server.refuses = None
        kept.backend.retry()
        await kept.up()
        assert server.session.watched == {"a:1"}


async def test_what_the_server_says_to_all_is_passed_on() -> None:
    server = MemoryServer()
    async with Kept(server) as kept:
        await kept.up()
        server.session.events.said("notifications/resources/updated", {"uri": "a:1"})
        (notice,) = kept.notices
        assert (notice.backend, notice.params) == ("files", {"uri": "a:1"})


# -- tasks (I40) --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "kind", "params"),
    [
        (b'{"resultType":"task","taskId":"t1","status":"working"}', "task", {}),
        (b'{"task":{"taskId":"t1","status":"working"}}', "complete", {"task": {"ttl": 1}}),
    ],
)
async def test_a_task_is_that_of_the_caller_whose_call_made_it(
    answer: bytes, kind: str, params: dict[str, object]
) -> None:
    server = MemoryServer()
    server.answers["read"], server.kind = answer, kind
    async with Kept(server) as kept:
        await kept.up()
        await kept.call(caller=ALICE, context=Context(NOBODY, params))
        server.called.clear()
        methods = ("tasks/get", "tasks/result", "tasks/cancel", "tasks/update")
        for method in methods:
            await kept.query(method, ALICE, taskId="t1")
            for caller, id in ((BOB, "t1"), (ALICE, "t2"), (ALICE, None)):
                with pytest.raises(RemoteError) as refused:
                    await kept.query(method, caller, taskId=id)
                assert refused.value.number == INVALID_PARAMS
        assert [name for name, _, _ in server.called] == list(methods)


async def test_a_list_of_tasks_holds_the_callers_own() -> None:
    server = MemoryServer()
    server.kind = "task"
    async with Kept(server) as kept:
        await kept.up()
        for caller, id in ((ALICE, "t1"), (BOB, "t2")):
            server.answers["read"] = b'{"taskId":"%b"}' % id.encode()
            await kept.call(caller=caller)
        server.answers["tasks/list"] = b'{"tasks":[{"taskId":"t1"},{"taskId":"t2"},{}],"x":1}'
        found = loads((await kept.query("tasks/list", BOB)).raw)
        assert found == {"tasks": [{"taskId": "t2"}], "x": 1}
        server.answers["tasks/list"] = b"[[["
        with pytest.raises(BadResponse):
            await kept.query("tasks/list", BOB)


def test_of_very_many_tasks_the_newest_are_known() -> None:
    owners = Owners(most=2)
    for number in range(3):
        owners.made(Relayed(b'{"taskId":"t%d"}' % number, kind="task"), "alice", 0.0)
    owners.made(Relayed(b'{"odd":1}', kind="task"), "alice", 0.0)
    owners.made(Relayed(b'{"taskId":7}', kind="task"), "alice", 0.0)
    owners.check({"taskId": "t2"}, "alice")
    with pytest.raises(RemoteError):
        owners.check({"taskId": "t0"}, "alice")


async def test_a_name_that_is_asked_for_too_early_is_told_of_no_other() -> None:
    """I39: the server does not know which of its tools the caller may see."""
    async with Kept(MemoryServer(tool("drop_all"), tool("drop_one"))) as kept:
        early = Tool(ToolRef("files", "drop_al"), {"name": "drop_al"})
        deadline = asyncio.get_running_loop().time() + 5
        with pytest.raises(ToolNotFound) as refused:
            await kept.backend.call(Call("1", early, {}, ALICE, deadline))
        assert "drop_all" not in refused.value.explain()
