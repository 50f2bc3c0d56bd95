import json
from typing import Any

import pytest

from gateway.domain.events import Event
from gateway.domain.identity import ANONYMOUS, Identity
from gateway.protocol.inbound import Rejection
from gateway.runtime.snapshot import Current
from gateway.server.changes import Changes
from gateway.server.hearing import Hub
from gateway.server.listen import Subscription, Subscriptions, wanted
from gateway.server.surface import BackendSurface
from gateway.server.views import Views
from tests.peers.memory_gateway import snapshot, tool

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
