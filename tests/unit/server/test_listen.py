import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.call import Query, Relayed
from gateway.domain.events import Event, Notice
from gateway.domain.identity import ANONYMOUS, Identity
from gateway.domain.listing import Listing
from gateway.domain.tool import JsonObject
from gateway.errors import RemoteError
from gateway.meta import META_TOOLS
from gateway.protocol import mcp
from gateway.protocol.inbound import Rejection
from gateway.runtime.snapshot import Current
from gateway.server.changes import Changes
from gateway.server.hearing import Hub
from gateway.server.listen import Subscription, Subscriptions, wanted
from gateway.server.surface import BackendSurface, MetaSurface, Surface
from gateway.server.views import Views
from tests.peers.memory_gateway import snapshot, tool
from tests.peers.offering import Servers, offering, prompt, resource, template

WEATHER = BackendSurface("weather")
WANTED = {"toolsListChanged": True}
FIRST, SECOND = (snapshot(n, {"weather": [tool("weather", f"t{n}")]}) for n in (1, 2))


def ignore(event: Event) -> None:
    pass


def hub(current: Current) -> Hub:
    return Hub(Views(current, ignore), current, Changes(current, ignore))


class Listening:
    """A subscription that keeps what it was sent."""

    def __init__(self, id: int | str = 1, caller: Identity = ANONYMOUS) -> None:
        self.sent: list[dict[str, Any]] = []
        self.done = False
        self.subscription = Subscription(
            id, caller, lambda message: self.sent.append(json.loads(message)), self._end
        )

    def _end(self) -> None:
        self.done = True

    @property
    def methods(self) -> list[object]:
        return [message.get("method") for message in self.sent]


@pytest.mark.parametrize(
    ("notifications", "expected"),
    [
        ({}, {}),
        ({"toolsListChanged": True}, WANTED),
        ({"toolsListChanged": False}, {}),
        ({"resourceSubscriptions": ["x:y", "x:y"]}, {"resourceSubscriptions": ["x:y"]}),
        ({"future": 1, "taskIds": []}, {}),
    ],
)
def test_only_what_we_know_is_wanted(
    notifications: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert wanted({"notifications": notifications}, {}) == expected


@pytest.mark.parametrize(
    "notifications",
    [
        None,
        [],
        "x",
        {"toolsListChanged": 1},
        {"resourceSubscriptions": "x"},
        {"resourceSubscriptions": [1]},
        {"resourceSubscriptions": ["x:y"] * 1025},
        {"taskIds": "x"},
    ],
)
def test_a_malformed_filter_is_refused(notifications: object) -> None:
    found = wanted({"notifications": notifications}, {})
    assert isinstance(found, Rejection)
    assert found.code == -32602


async def test_it_is_acknowledged_first_and_tagged_always() -> None:
    current = Current(FIRST)
    subscriptions, listening = Subscriptions(hub(current)), Listening("listen-1")
    assert await subscriptions.open(WEATHER, WANTED, listening.subscription)
    current.swap(SECOND)
    assert listening.methods == [
        "notifications/subscriptions/acknowledged",
        "notifications/tools/list_changed",
    ]
    tags = [message["params"]["_meta"] for message in listening.sent]
    assert tags == [{"io.modelcontextprotocol/subscriptionId": "listen-1"}] * 2


async def test_nothing_unrequested_is_sent() -> None:
    current = Current(FIRST)
    subscriptions, listening = Subscriptions(hub(current)), Listening()
    await subscriptions.open(WEATHER, {}, listening.subscription)
    current.swap(SECOND)
    assert listening.methods == ["notifications/subscriptions/acknowledged"]


async def test_a_closed_one_is_told_nothing() -> None:
    current = Current(FIRST)
    subscriptions, listening = Subscriptions(hub(current)), Listening()
    await subscriptions.open(WEATHER, WANTED, listening.subscription)
    subscriptions.close(listening.subscription)
    subscriptions.close(listening.subscription)
    current.swap(SECOND)
    assert len(listening.sent) == 1
    assert len(subscriptions) == 0


async def test_one_caller_cannot_take_all_places() -> None:
    """I23."""
    subscriptions = Subscriptions(hub(Current(FIRST)), most=3, most_each=2)
    mine = [Listening() for _ in range(3)]
    opened = [await subscriptions.open(WEATHER, WANTED, each.subscription) for each in mine]
    assert opened == [True, True, False]
    assert mine[2].sent == []
    others = [Listening(1, Identity("other")) for _ in range(2)]
    opened = [await subscriptions.open(WEATHER, WANTED, each.subscription) for each in others]
    assert opened == [True, False]
    subscriptions.close(mine[0].subscription)
    assert await subscriptions.open(WEATHER, WANTED, mine[2].subscription)


async def test_ours_to_end_it_ends_with_a_result() -> None:
    subscriptions, listening = Subscriptions(hub(Current(FIRST))), Listening(7)
    await subscriptions.open(WEATHER, WANTED, listening.subscription)
    subscriptions.finish_all()
    last = listening.sent[-1]
    assert last["id"] == 7
    assert last["result"]["resultType"] == "complete"
    assert listening.done
    assert len(subscriptions) == 0


OFFERED = offering("fs", prompts=[prompt("p")], resources=[resource("x:a"), resource("x:b")])
FS = BackendSurface("fs")
EVERYTHING = {
    "toolsListChanged": True,
    "promptsListChanged": True,
    "resourcesListChanged": True,
    "resourceSubscriptions": ["x:a", "x:b"],
}


class Server:
    """One MCP server, and the subscriptions to it."""

    def __init__(self, *listings: Listing) -> None:
        self.servers = Servers(*(listings or (OFFERED,)))
        self.current = Current(self.servers.snapshot())
        self.hub = hub(self.current)
        self.subscriptions = Subscriptions(self.hub)

    async def open(self, notifications: JsonObject, surface: Surface = FS) -> Listening:
        listening = Listening()
        assert await self.subscriptions.open(surface, notifications, listening.subscription)
        return listening

    def say(self, uri: str) -> None:
        self.hub.hear(Notice("fs", mcp.RESOURCE_UPDATED, {"uri": uri}))


async def test_everything_a_server_can_tell_is_acknowledged_and_told() -> None:
    server = Server()
    listening = await server.open(EVERYTHING)
    assert listening.sent[0]["params"]["notifications"] == EVERYTHING
    server.say("x:b")
    changed = offering("fs", prompts=[prompt("q")], templates=[template("x:{y}")])
    server.current.swap(server.servers.snapshot(2, changed))
    assert listening.methods[1:] == [
        mcp.RESOURCE_UPDATED,
        mcp.PROMPTS_CHANGED,
        mcp.RESOURCES_CHANGED,
    ]
    assert listening.sent[1]["params"] == {"uri": "x:b", "_meta": {mcp.SUBSCRIPTION_ID: 1}}


async def test_what_a_server_cannot_tell_is_not_acknowledged() -> None:
    bare = Server(offering("fs", capabilities={"tools": {}, "resources": {}}))
    listening = await bare.open(EVERYTHING)
    assert listening.sent[0]["params"]["notifications"] == {
        "toolsListChanged": True,
        "resourcesListChanged": True,
    }
    assert bare.servers.asked == []


async def test_a_resource_that_its_server_refuses_is_not_acknowledged() -> None:
    server = Server()
    server.servers.answers[mcp.SUBSCRIBE] = RemoteError(-32602, "no")
    listening = await server.open({"resourceSubscriptions": ["x:a"], "toolsListChanged": True})
    assert listening.sent[0]["params"]["notifications"] == {
        "toolsListChanged": True,
        "resourceSubscriptions": [],
    }


async def test_a_change_before_the_acknowledgement_is_told_after_it() -> None:
    server = Server()

    def changes(_: object) -> JsonObject:
        server.say("x:a")
        return {}

    server.servers.answers[mcp.SUBSCRIBE] = changes
    listening = await server.open({"resourceSubscriptions": ["x:a"]})
    assert listening.methods == [mcp.ACKNOWLEDGED, mcp.RESOURCE_UPDATED]


async def test_the_end_of_a_subscription_releases_its_resources() -> None:
    server = Server()
    listening = await server.open(EVERYTHING)
    server.subscriptions.close(listening.subscription)
    await asyncio.gather(*server.hub._tasks)
    released = [params["uri"] for _, method, params in server.servers.said[2:] if "/un" in method]
    assert sorted(released) == ["x:a", "x:b"]


async def test_at_the_common_url_only_resources_with_one_owner_are_acknowledged() -> None:
    other = offering("other", resources=[resource("x:b")])
    listening = await Server(OFFERED, other).open(
        {"resourceSubscriptions": ["x:a", "x:b", "capgate://fs/x:b"]}, MetaSurface(META_TOOLS)
    )
    found = listening.sent[0]["params"]["notifications"]
    assert found == {"resourceSubscriptions": ["x:a", "capgate://fs/x:b"]}


async def test_one_that_is_ended_while_it_begins_says_nothing() -> None:
    server, gate = Server(), asyncio.Event()

    async def slow(_: Query) -> Relayed:
        await gate.wait()
        return Relayed(b"{}")

    offered = server.servers.snapshot(2)
    server.current.swap(replace(offered, queries={"fs": slow}))
    listening = Listening()
    opening = asyncio.create_task(
        server.subscriptions.open(FS, {"resourceSubscriptions": ["x:a"]}, listening.subscription)
    )
    await asyncio.sleep(0)
    server.subscriptions.close(listening.subscription)
    gate.set()
    await opening
    assert listening.sent == []
    assert len(server.subscriptions) == 0


def test_who_wants_to_hear_of_tasks_has_to_know_them() -> None:
    asked = {"notifications": {"taskIds": ["7"]}}
    found = wanted(asked, {})
    assert isinstance(found, Rejection)
    assert found.code == -32021
    assert wanted(asked, {"extensions": {mcp.TASKS_EXTENSION: {}}}) == {"taskIds": ["7"]}


TASKS = {"tools": {}, "extensions": {mcp.TASKS_EXTENSION: {}}}


async def test_tasks_are_told_of_under_the_ids_that_the_client_knows() -> None:
    server = Server(offering("fs", capabilities=TASKS), offering("other"))
    meta = MetaSurface(META_TOOLS)
    listening = await server.open({"taskIds": ["fs:7", "other:7", "7", "nobody:7"]}, meta)
    assert listening.sent[0]["params"]["notifications"] == {"taskIds": ["fs:7", "other:7"]}
    assert ("fs", mcp.SUBSCRIBE, {"taskId": "7"}) in server.servers.said
    server.hub.hear(Notice("fs", mcp.TASK_TOLD, {"taskId": "7", "status": "completed"}))
    server.hub.hear(Notice("fs", mcp.TASK_TOLD, {"taskId": "8", "status": "completed"}))
    tagged = {"taskId": "fs:7", "status": "completed", "_meta": {mcp.SUBSCRIPTION_ID: 1}}
    assert listening.methods[1:] == [mcp.TASK_TOLD]
    assert listening.sent[1]["params"] == tagged


async def test_the_task_of_another_caller_is_neither_acknowledged_nor_told_of() -> None:
    """I40. It is the backend that knows whose it is."""
    server = Server(offering("fs", capabilities=TASKS))
    mine = await server.open({"taskIds": ["7"]})
    server.servers.answers[mcp.SUBSCRIBE] = RemoteError(-32602, "no task '7'")
    theirs = Listening(1, Identity("other"))
    assert await server.subscriptions.open(FS, {"taskIds": ["7"]}, theirs.subscription)
    assert theirs.sent[0]["params"]["notifications"] == {"taskIds": []}
    server.hub.hear(Notice("fs", mcp.TASK_TOLD, {"taskId": "7"}, ANONYMOUS.name))
    assert (len(mine.sent), len(theirs.sent)) == (2, 1)


async def test_what_is_told_for_one_caller_reaches_no_other_even_while_it_asks() -> None:
    """I40. A subscription hears from before its server has agreed."""
    server, theirs = Server(offering("fs", capabilities=TASKS)), Listening(1, Identity("other"))

    def asked(_: object) -> JsonObject:
        server.hub.hear(Notice("fs", mcp.TASK_TOLD, {"taskId": "7"}, ANONYMOUS.name))
        return {}

    server.servers.answers[mcp.SUBSCRIBE] = asked
    assert await server.subscriptions.open(FS, {"taskIds": ["7"]}, theirs.subscription)
    assert theirs.methods == [mcp.ACKNOWLEDGED]


async def test_a_server_without_tasks_is_not_asked_for_any() -> None:
    server = Server()
    listening = await server.open({"taskIds": ["7"]})
    assert listening.sent[0]["params"]["notifications"] == {}
    assert server.servers.asked == []


async def test_the_end_of_a_subscription_releases_its_tasks() -> None:
    server = Server(offering("fs", capabilities=TASKS))
    listening = await server.open({"taskIds": ["7"]})
    server.subscriptions.close(listening.subscription)
    await asyncio.gather(*server.hub._tasks)
    assert server.servers.said[-1] == ("fs", mcp.UNSUBSCRIBE, {"taskId": "7"})
