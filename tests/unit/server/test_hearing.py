import asyncio
import time
from collections.abc import Mapping
from typing import Any

import pytest

from gateway.domain.events import Notice
from gateway.domain.identity import ANONYMOUS
from gateway.domain.naming import Owned
from gateway.domain.tool import JsonObject
from gateway.errors import Busy, RemoteError
from gateway.meta import META_TOOLS
from gateway.protocol import mcp
from gateway.runtime.notices import Notices
from gateway.runtime.snapshot import Current
from gateway.server.changes import Changes
from gateway.server.hearing import MOST, Hearing, Hub
from gateway.server.surface import BackendSurface, MetaSurface
from gateway.server.views import Views
from tests.peers.offering import Servers, offering, prompt

FS = BackendSurface("fs")
META = MetaSurface(META_TOOLS)
A = Owned("fs", "file:///a")
UPDATED = mcp.RESOURCE_UPDATED


class Client:
    """A hearing that keeps what it was told."""

    def __init__(self, hub: Hub, surface: Any = FS, level: str | None = "") -> None:
        self.told: list[tuple[str, JsonObject]] = []
        wanted = None if level == "" else lambda: level
        self.hearing: Hearing = hub.open(surface, ANONYMOUS, self.tell, wanted)

    def tell(self, method: str, params: JsonObject) -> None:
        self.told.append((method, params))

    @property
    def subjects(self) -> list[object]:
        return [params.get("uri") or params.get("taskId") for _, params in self.told]


class Fixture:
    def __init__(self) -> None:
        self.servers = Servers(offering("fs"), offering("db"))
        self.current = Current(self.servers.snapshot())
        self.notices = Notices()
        changes = Changes(self.current, lambda _: None)
        self.hub = Hub(Views(self.current, lambda _: None), self.current, changes, self.notices)

    def say(self, method: str, params: Mapping[str, Any], backend: str = "fs") -> None:
        self.notices.publish(Notice(backend, method, params))

    def update(self, uri: str, backend: str = "fs") -> None:
        self.say(UPDATED, {"uri": uri}, backend)

    @property
    def asked(self) -> list[tuple[str, str, str]]:
        return [(backend, method, params["uri"]) for backend, method, params in self.servers.said]

    async def settle(self) -> None:
        """Let what goes on beside come to its end."""
        while self.hub._tasks:
            await asyncio.gather(*self.hub._tasks)


async def test_only_who_subscribed_hears_that_a_resource_changed() -> None:
    fixture = Fixture()
    one, other = Client(fixture.hub), Client(fixture.hub)
    await one.hearing.subscribe(A, "file:///a")
    fixture.update("file:///a")
    fixture.update("file:///b")
    fixture.update("file:///a", backend="db")
    assert one.told == [(UPDATED, {"uri": "file:///a"})]
    assert other.told == []
    assert fixture.asked == [("fs", mcp.SUBSCRIBE, "file:///a")]


async def test_a_resource_is_called_as_it_was_when_subscribed_to() -> None:
    fixture = Fixture()
    client = Client(fixture.hub, META)
    await client.hearing.subscribe(A, "capgate://fs/file:///a")
    fixture.update("file:///a")
    fixture.update("file:///a/below")
    assert client.subjects == ["capgate://fs/file:///a", "capgate://fs/file:///a/below"]


async def test_what_lies_below_a_resource_is_told_and_what_resembles_it_is_not() -> None:
    fixture = Fixture()
    client = Client(fixture.hub)
    await client.hearing.subscribe(A, "file:///a")
    await client.hearing.subscribe(Owned("fs", "dir:/d/"), "dir:/d/")
    for uri in ("file:///a/b/c", "file:///ab", "file:///", "dir:/d/x", "dir:/d"):
        fixture.update(uri)
    assert client.subjects == ["file:///a/b/c", "dir:/d/x"]


async def test_a_uri_of_very_many_levels_costs_little() -> None:
    fixture = Fixture()
    client = Client(fixture.hub)
    await client.hearing.subscribe(A, "file:///a")
    started = time.perf_counter()
    fixture.update("file:///a" + "/" * 500_000)
    assert time.perf_counter() - started < 0.5
    assert client.told == []


async def test_the_tag_of_our_own_subscription_is_not_passed_on() -> None:
    fixture = Fixture()
    client = Client(fixture.hub)
    await client.hearing.subscribe(A, "file:///a")
    fixture.say(UPDATED, {"uri": "file:///a", "_meta": {mcp.SUBSCRIPTION_ID: 9, "x/y": 1}})
    fixture.say(UPDATED, {"uri": "file:///a", "_meta": {mcp.SUBSCRIPTION_ID: 9}})
    assert [params.get("_meta") for _, params in client.told] == [{"x/y": 1}, None]


async def test_unsubscribing_ends_it_and_is_told_to_the_server() -> None:
    fixture = Fixture()
    client = Client(fixture.hub)
    await client.hearing.subscribe(A, "file:///a")
    client.hearing.unsubscribe("file:///a")
    client.hearing.unsubscribe("never:subscribed")
    await fixture.settle()
    fixture.update("file:///a")
    assert client.told == []
    assert fixture.asked[1:] == [("fs", mcp.UNSUBSCRIBE, "file:///a")]


async def test_the_end_of_a_client_releases_each_of_its_subscriptions_once() -> None:
    fixture = Fixture()
    client = Client(fixture.hub)
    for name in "ab":
        await client.hearing.subscribe(Owned("fs", f"x:{name}"), f"x:{name}")
    await client.hearing.subscribe(Owned("fs", "x:a"), "x:a")  # twice is once
    client.hearing.close()
    client.hearing.close()
    await fixture.settle()
    assert fixture.asked == [
        ("fs", mcp.SUBSCRIBE, "x:a"),
        ("fs", mcp.SUBSCRIBE, "x:b"),
        ("fs", mcp.UNSUBSCRIBE, "x:a"),
        ("fs", mcp.UNSUBSCRIBE, "x:b"),
    ]
    assert not fixture.hub._about


async def test_a_subscription_that_its_server_refuses_is_none() -> None:
    fixture = Fixture()
    client = Client(fixture.hub)
    fixture.servers.answers[mcp.SUBSCRIBE] = RemoteError(-32602, "no such resource")
    with pytest.raises(RemoteError):
        await client.hearing.subscribe(A, "file:///a")
    assert await client.hearing.subscribed(A, "file:///a", UPDATED) is False
    fixture.update("file:///a")
    client.hearing.close()
    await fixture.settle()
    assert client.told == []
    assert {method for _, method, _ in fixture.asked} == {mcp.SUBSCRIBE}


async def test_a_client_that_leaves_while_it_subscribes_leaves_nothing_behind() -> None:
    fixture = Fixture()
    client, gate = Client(fixture.hub), asyncio.Event()
    answer = fixture.servers.query

    async def slow(query: Any) -> Any:
        await gate.wait()
        return await answer(query)

    fixture.servers.query = slow  # type: ignore[method-assign]
    fixture.current.swap(fixture.servers.snapshot(2))
    subscribing = asyncio.create_task(client.hearing.subscribe(A, "file:///a"))
    await asyncio.sleep(0)
    client.hearing.close()
    gate.set()
    await subscribing
    await fixture.settle()
    assert [method for _, method, _ in fixture.asked] == [mcp.SUBSCRIBE, mcp.UNSUBSCRIBE]


async def test_a_backend_made_anew_is_asked_anew() -> None:
    fixture = Fixture()
    client = Client(fixture.hub)
    await client.hearing.subscribe(A, "file:///a")
    fixture.current.swap(fixture.servers.snapshot(2))  # the same backends
    await fixture.settle()
    assert len(fixture.asked) == 1
    anew = Servers(*fixture.servers.listings)
    fixture.current.swap(anew.snapshot(3))
    await fixture.settle()
    assert anew.said == [("fs", mcp.SUBSCRIBE, {"uri": "file:///a"})]


async def test_a_backend_that_comes_back_is_asked_anew() -> None:
    fixture = Fixture()
    client = Client(fixture.hub)
    await client.hearing.subscribe(A, "file:///a")
    fixture.current.swap(fixture.servers.snapshot(2, offering("db")))
    fixture.current.swap(fixture.servers.snapshot(3))
    await fixture.settle()
    assert [method for _, method, _ in fixture.asked] == [mcp.SUBSCRIBE] * 2


async def test_one_client_cannot_subscribe_without_end() -> None:
    """I23."""
    fixture = Fixture()
    client = Client(fixture.hub)
    for number in range(MOST):
        await client.hearing.subscribe(Owned("fs", f"x:{number}"), f"x:{number}")
    with pytest.raises(Busy):
        await client.hearing.subscribe(A, "file:///a")


async def test_logs_beside_any_call_go_to_those_who_want_them_at_that_url() -> None:
    fixture = Fixture()
    clients = {level: Client(fixture.hub, level=level) for level in ("debug", "error", None, "")}
    elsewhere = Client(fixture.hub, BackendSurface("db"), level="debug")
    common = Client(fixture.hub, META, level="debug")
    fixture.say(mcp.MESSAGE, {"level": "warning", "data": "disk"})
    heard = [level for level, client in clients.items() if client.told]
    assert heard == ["debug", None]  # None: it never set one, and gets all
    assert elsewhere.told == common.told == []
    clients["debug"].hearing.close()
    fixture.say(mcp.MESSAGE, {"level": "warning", "data": "disk"})
    assert len(clients["debug"].told) == 1


async def test_a_task_is_told_of_to_who_asked_for_it_under_its_id_there() -> None:
    fixture = Fixture()
    mine, other = Client(fixture.hub), Client(fixture.hub)
    mine.hearing.follow(mcp.TASK_STATUS, Owned("fs", "7"), "7")
    fixture.say(mcp.TASK_STATUS, {"taskId": "7", "status": "completed"})
    fixture.say(mcp.TASK_STATUS, {"taskId": "8", "status": "completed"})
    assert mine.told == [(mcp.TASK_STATUS, {"taskId": "7", "status": "completed"})]
    assert other.told == []


async def test_who_was_sent_elsewhere_hears_when_that_is_done() -> None:
    fixture = Fixture()
    sent, other = Client(fixture.hub, META), Client(fixture.hub)
    sent.hearing.expect("e1")
    for id in ("e1", "e2"):
        fixture.say(mcp.ELICITED, {"elicitationId": id})
    assert sent.told == [(mcp.ELICITED, {"elicitationId": "e1"})]
    assert other.told == []


async def test_of_very_many_tasks_the_newest_are_told_of() -> None:
    fixture = Fixture()
    client = Client(fixture.hub)
    await client.hearing.subscribe(A, "file:///a")
    for number in range(2 * MOST):
        client.hearing.follow(mcp.TASK_STATUS, Owned("fs", f"{number}"), f"{number}")
    for id in ("0", f"{2 * MOST - 1}"):
        fixture.say(mcp.TASK_STATUS, {"taskId": id})
    fixture.update("file:///a")
    assert client.subjects == [f"{2 * MOST - 1}", "file:///a"]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("notifications/other", {"uri": "file:///a"}),
        (UPDATED, {}),
        (UPDATED, {"uri": 7}),
        (UPDATED, {"uri": ["file:///a"]}),
    ],
)
async def test_what_is_about_nothing_is_told_to_nobody(method: str, params: dict[str, Any]) -> None:
    fixture = Fixture()
    client = Client(fixture.hub, level=None)
    await client.hearing.subscribe(A, "file:///a")
    fixture.say(method, params)
    assert client.told == []


async def test_lists_are_watched_once_however_often_that_is_wanted() -> None:
    fixture = Fixture()
    client = Client(fixture.hub)
    client.hearing.watch(mcp.FLAGS.values())
    client.hearing.watch(mcp.FLAGS.values())
    changed = fixture.servers.snapshot(2, offering("fs", prompts=[prompt("new")]))
    fixture.current.swap(changed)
    assert client.told == [(mcp.PROMPTS_CHANGED, {})]
    client.hearing.close()
    fixture.current.swap(fixture.servers.snapshot(3))
    assert len(client.told) == 1


async def test_after_the_end_nobody_is_told_anything() -> None:
    fixture = Fixture()
    client = Client(fixture.hub, level=None)
    client.hearing.watch(mcp.FLAGS.values())
    await client.hearing.subscribe(A, "file:///a")
    fixture.hub.close()
    fixture.hub.close()
    fixture.update("file:///a")
    fixture.current.swap(fixture.servers.snapshot(2, offering("fs", prompts=[prompt("new")])))
    assert client.told == []
