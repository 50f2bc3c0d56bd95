import pytest

from gateway.auth.access import CLOSED, OPEN, Access, Closed
from gateway.domain.events import Event
from gateway.domain.identity import ANONYMOUS, Identity
from gateway.runtime.snapshot import Current, Snapshot
from gateway.server.entrance import APART, STRANGER, Entrance
from gateway.server.reply import Reply
from tests.property.test_auth_closed import KEY, world


class Faulty(Closed):
    async def identify(self, shown: str | None) -> Identity:
        raise ZeroDivisionError(shown)


def entrance(access: Access, clock: float = 0.0) -> tuple[Entrance, list[Event]]:
    events: list[Event] = []
    return Entrance(Current(Snapshot(access=access)), events.append, lambda: clock), events


async def test_where_nobody_is_asked_everybody_is_anonymous() -> None:
    found, events = entrance(OPEN)
    assert await found.admit("/mcp", {"authorization": "Bearer x"}) is ANONYMOUS
    assert events == []


async def test_before_it_is_known_who_may_come_in_nobody_does_but_probes_are_answered() -> None:
    found, _ = entrance(CLOSED)
    for path in ("/mcp", "/health", "/metrics"):
        reply = await found.admit(path, {"authorization": f"Bearer {KEY}"})
        assert isinstance(reply, Reply)
        assert reply.status == 503
    assert await found.admit("/livez", {}) is STRANGER


@pytest.mark.parametrize("times", [1, 1000])
async def test_the_log_tells_of_refusals_and_not_of_each(
    times: int, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    access = world().server.http._entrance.access
    found = Entrance(Current(Snapshot(access=access)), lambda _event: None, lambda: now)
    for _ in range(times):
        await found.admit("/mcp", {})
    now += APART
    await found.admit("/mcp", {})
    counts = [record.__dict__["count"] for record in caplog.records]
    assert counts == [1, times]


async def test_the_log_tells_of_a_fault_and_not_each_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """I30. Whoever finds one could fill the log by it."""
    now = 0.0
    found = Entrance(Current(Snapshot(access=Faulty())), lambda _event: None, lambda: now)
    for seconds in (0.0, APART - 1, 1.0):
        now += seconds
        reply = await found.admit("/mcp", {})
        assert isinstance(reply, Reply)
        assert reply.status == 503
    assert [record.message for record in caplog.records] == ["access_failed"] * 2
