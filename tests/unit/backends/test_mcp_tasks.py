"""Of which tasks a server tells, and to whom."""

import pytest

from gateway.backends.owners import LONGEST, Owners
from gateway.domain.call import Relayed
from gateway.domain.client import NOBODY, Context
from gateway.domain.identity import Identity
from gateway.errors import BackendUnavailable, RemoteError, Unsupported
from gateway.protocol.jsonrpc import INVALID_PARAMS, loads
from tests.peers.backend_session import Kept, MemoryServer

ALICE, BOB = Identity("alice"), Identity("bob")
STATUSES = ("notifications/tasks", "notifications/tasks/status")


async def begun(kept: Kept, id: str = "t1", caller: Identity = ALICE) -> None:
    kept.server.answers["read"] = b'{"resultType":"task","taskId":"%b"}' % id.encode()
    kept.server.kind = "task"
    await kept.call(caller=caller, context=Context(NOBODY, {}))


async def test_a_task_is_watched_for_its_owner_alone() -> None:
    """I40: that of another reads like one that does not exist."""
    server = MemoryServer()
    async with Kept(server) as kept:
        await kept.up()
        await begun(kept)
        for caller, id in ((BOB, "t1"), (ALICE, "t2")):
            with pytest.raises(RemoteError, match="no task") as refused:
                await kept.query("resources/subscribe", caller, taskId=id)
            assert refused.value.number == INVALID_PARAMS
        assert server.session.watched_tasks == set()
        await kept.query("resources/subscribe", ALICE, taskId="t1")
        assert server.session.watched_tasks == {"t1"}
        await kept.query("resources/unsubscribe", BOB, taskId="t1")
        assert server.session.watched_tasks == {"t1"}
        await kept.query("resources/unsubscribe", ALICE, taskId="t1")
        assert server.session.watched_tasks == set()


@pytest.mark.parametrize("method", STATUSES)
async def test_what_is_told_of_a_task_is_for_its_owner(method: str) -> None:
    """I40."""
    server = MemoryServer()
    async with Kept(server) as kept:
        await kept.up()
        await begun(kept)
        for params in ({"taskId": "t1"}, {"taskId": "t2"}, {"taskId": ["t1"]}, {}):
            server.session.events.said(method, params)
        (notice,) = kept.notices
        assert (notice.params, notice.caller) == ({"taskId": "t1"}, "alice")


async def test_tasks_are_watched_again_after_a_loss_and_looked_at() -> None:
    server = MemoryServer()
    async with Kept(server) as kept:
        await kept.up()
        await begun(kept)
        await kept.query("resources/subscribe", ALICE, taskId="t1")
        await kept.query("resources/subscribe", ALICE, uri="a:1")
        assert server.session.missed == 0
        kept.now += 5
        server.session.lose("exit code 1")
        await kept.up()
        assert server.session.watched_tasks == {"t1"}
        assert server.session.watched == {"a:1"}
        assert server.session.missed == 1


async def test_a_task_that_is_not_told_of_stands_in_no_others_way() -> None:
    server = MemoryServer()
    server.refusing["t1"] = Unsupported("it does not tell")
    async with Kept(server) as kept:
        await kept.up()
        for id in ("t1", "t2"):
            await begun(kept, id)
        with pytest.raises(Unsupported):
            await kept.query("resources/subscribe", ALICE, taskId="t1")
        await kept.query("resources/subscribe", ALICE, taskId="t2")
        assert server.session.watched_tasks == {"t2"}


async def test_a_server_that_minds_tasks_still_tells_of_resources() -> None:
    server = MemoryServer()
    async with Kept(server) as kept:
        await kept.up()
        await begun(kept)
        await kept.query("resources/subscribe", ALICE, taskId="t1")
        server.unwatchable = BackendUnavailable("not now")
        with pytest.raises(BackendUnavailable):
            await kept.query("resources/unsubscribe", ALICE, taskId="t1")
        server.unwatchable = None
        await kept.query("resources/subscribe", ALICE, uri="a:1")
        assert server.session.watched == {"a:1"}


@pytest.mark.parametrize(
    "end",
    [
        ("tasks/get", b'{"taskId":"t1","status":"completed"}'),
        ("tasks/result", b"{}"),
        ("tasks/cancel", b"{}"),
        ("notifications/tasks", b'{"taskId":"t1","status":"failed"}'),
        ("", b""),
    ],
    ids=lambda end: end[0] or "its time is over",
)
async def test_a_server_with_a_task_at_work_does_not_sleep(end: tuple[str, bytes]) -> None:
    server = MemoryServer()
    method, answer = end
    async with Kept(server, idle_timeout=60) as kept:
        await kept.up()
        await begun(kept)
        kept.now += 1000
        assert kept.backend.needed
        if method.startswith("tasks/"):
            server.answers[method] = answer
            await kept.query(method, ALICE, taskId="t1")
        elif method:
            server.session.events.said(method, loads(answer))
        else:
            kept.now += LONGEST
        assert not kept.backend.needed


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (b'{"resultType":"task","taskId":"t1","ttlMs":5000}', 5),
        (b'{"task":{"taskId":"t1","ttl":7000}}', 7),
        (b'{"taskId":"t1","ttlMs":null}', LONGEST),
        (b'{"taskId":"t1","ttlMs":"x"}', LONGEST),
    ],
)
def test_a_task_counts_as_at_work_as_long_as_it_is_kept(told: bytes, seconds: float) -> None:
    owners = Owners()
    owners.made(Relayed(told, kind="task"), "alice", 100.0)
    assert owners.at_work(99.9 + seconds)
    assert not owners.at_work(100.1 + seconds)


async def test_a_task_of_one_agent_is_not_another_agents_of_the_same_key() -> None:
    """I40: else whoever may use little would read what whoever may use much had done."""
    coder, writer = Identity("alice", agent="coder"), Identity("alice", agent="writer")
    server = MemoryServer()
    async with Kept(server) as kept:
        await kept.up()
        await begun(kept, caller=coder)
        for stranger in (writer, ALICE):
            for method in ("tasks/get", "tasks/result", "tasks/cancel"):
                with pytest.raises(RemoteError, match="no task"):
                    await kept.query(method, stranger, taskId="t1")
        await kept.query("tasks/get", coder, taskId="t1")
        server.session.events.said(STATUSES[0], {"taskId": "t1"})
        assert kept.notices[0].caller == coder.owner
