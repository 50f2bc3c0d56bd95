"""A server comes, goes, comes back, sleeps and is closed; its tools stay listed."""

import asyncio
import contextlib

import pytest

from gateway.domain.listing import Status
from gateway.errors import (
    AuthorizationNeeded,
    BackendUnavailable,
    Busy,
    DeadlineExceeded,
    Reached,
    RemoteError,
)
from tests.peers.backend_session import Kept, MemoryServer, tool, turns


async def test_once_connected_it_lists_what_the_server_says() -> None:
    server = MemoryServer(tool("read"), tool("write"))
    async with Kept(server) as kept:
        assert kept.backend.listing.health.reason == "connecting"
        assert not kept.backend.listing.settled
        await kept.up()
        listing = kept.backend.listing
        assert kept.tools == ["read", "write"]
        assert (listing.settled, listing.era, listing.transport) == (True, "modern", "http")
        assert listing.capabilities == {"tools": {"listChanged": True}}
        assert listing.instructions == "use it"
        assert listing.description == "A server in memory"


async def test_only_lists_that_the_server_declares_are_asked_for() -> None:
    server = MemoryServer()
    async with Kept(server) as kept:
        await kept.up()
        assert server.listed == ["tools/list"]


async def test_the_operators_description_and_timeout_stand() -> None:
    async with Kept(MemoryServer(), description="Our files.", timeout=7.0) as kept:
        await kept.up()
        assert kept.backend.listing.description == "Our files."
        assert kept.backend.listing.timeout == 7.0


async def test_to_start_waits_for_no_server() -> None:
    server = MemoryServer()
    server.opening.clear()
    async with Kept(server) as kept:
        await turns()
        assert server.attempts == 1
        assert kept.tools == []


async def test_calls_wait_for_the_first_connection() -> None:
    server = MemoryServer()
    server.opening.clear()
    async with Kept(server) as kept:
        call = asyncio.create_task(kept.call())
        await turns()
        assert not call.done()
        server.opening.set()
        assert (await call).raw == b"{}"


async def test_a_call_does_not_wait_beyond_its_deadline() -> None:
    server = MemoryServer()
    server.opening.clear()
    async with Kept(server) as kept:
        with pytest.raises(DeadlineExceeded, match="was not connected in time") as failed:
            await kept.call(within=0.05)
        assert failed.value.reached is Reached.NOT_SENT


async def test_calls_to_a_server_that_cannot_be_reached_fail_at_once_and_say_when() -> None:
    server = MemoryServer()
    server.refuses = BackendUnavailable("connection refused")
    kept = Kept(server)
    kept.roll = 0.999
    async with kept:
        while server.attempts < 3:
            await kept.down()
            kept.now += 100
            kept.backend.retry()
            await turns()
        kept.now += 0.2
        with pytest.raises(BackendUnavailable) as failed:
            await kept.call()
        assert "server 'files' is down: connection refused; next try in" in str(failed.value)
        assert failed.value.reached is Reached.NOT_SENT
        health = kept.backend.listing.health
        assert health.status is Status.DOWN
        assert health.reason == "connection refused; it is tried again by itself"


async def test_who_waits_for_the_first_connection_hears_why_it_failed() -> None:
    server = MemoryServer()
    server.opening.clear()
    server.refuses = BackendUnavailable("connection refused")
    kept = Kept(server)
    kept.roll = 0.999
    async with kept:
        call = asyncio.create_task(kept.call())
        await turns()
        server.opening.set()
        with pytest.raises(BackendUnavailable, match="connection refused; next try in"):
            await call


async def test_a_connection_that_takes_too_long_is_given_up() -> None:
    server = MemoryServer()
    server.opening.clear()
    kept = Kept(server, connect_timeout=0.02)
    kept.roll = 0.999
    async with kept:
        await kept.down()
        assert "no connection within 0.02 s" in str(kept.backend.listing.health.reason)


async def test_lost_it_is_down_keeps_its_tools_and_is_back_at_once() -> None:
    server = MemoryServer()
    async with Kept(server) as kept:
        await kept.up()
        tools = kept.backend.listing.tools
        kept.now += 5
        first = server.session
        server.opening.clear()
        first.lose("exit code 1: out of cheese")
        listing = kept.backend.listing
        assert listing.health.status is Status.DOWN
        assert str(listing.health.reason).startswith("exit code 1: out of cheese")
        assert listing.tools is tools
        await turns()
        assert first.closed
        waits = asyncio.create_task(kept.call())
        await turns()
        server.opening.set()
        assert (await waits).raw == b"{}"
        await kept.up()
        assert kept.backend.listing.tools is tools
        assert len(server.sessions) == 2


async def test_after_a_loss_calls_wait_for_a_moment_only() -> None:
    server = MemoryServer()
    async with Kept(server) as kept:
        await kept.up()
        kept.now += 5
        server.opening.clear()
        server.session.lose("exit code 1")
        kept.now += 1.1
        with pytest.raises(BackendUnavailable, match="exit code 1; being connected again"):
            await kept.call()


async def test_in_flight_calls_fail_with_the_session() -> None:
    server = MemoryServer()
    server.answers["read"] = None
    async with Kept(server) as kept:
        await kept.up()
        call = asyncio.create_task(kept.call())
        await server.arrived.wait()
        server.session.lose("exit code 1")
        with pytest.raises(BackendUnavailable, match="exit code 1"):
            async with asyncio.timeout(1):
                await call


async def test_a_call_that_met_a_dying_session_before_it_was_sent_goes_to_the_next() -> None:
    server = MemoryServer()
    async with Kept(server) as kept:
        await kept.up()
        kept.now += 5
        first = server.session

        async def dying(*_: object) -> None:
            first.lose("exit code 1")
            raise BackendUnavailable("the server ended")

        first.call = dying  # type: ignore[method-assign]
        assert (await kept.call()).raw == b"{}"
        assert server.called[-1][0] == "read"


async def test_a_call_that_may_have_been_sent_is_not_repeated() -> None:
    server = MemoryServer()
    async with Kept(server) as kept:
        await kept.up()
        kept.now += 5
        first = server.session

        async def dying(*_: object) -> None:
            first.lose("exit code 1")
            raise BackendUnavailable("the server ended", reached=Reached.SENT_UNKNOWN)

        first.call = dying  # type: ignore[method-assign]
        with pytest.raises(BackendUnavailable, match="the server ended"):
            await kept.call()
        assert server.called == []


async def test_what_an_old_session_says_of_its_end_does_not_end_the_next() -> None:
    server = MemoryServer()
    async with Kept(server) as kept:
        await kept.up()
        kept.now += 5
        first = server.session
        first.lose("exit code 1")
        await kept.up()
        first.events.lost("late news")
        await turns()
        assert len(server.sessions) == 2
        assert kept.backend.listing.health.status is Status.OK


async def test_a_server_that_hangs_is_lost_after_two_health_checks() -> None:
    server = MemoryServer()
    async with Kept(server, health_interval=0.01) as kept:
        await kept.up()
        server.dead = True
        server.opening.clear()
        await kept.down()
        assert "did not answer 2 health checks" in str(kept.backend.listing.health.reason)
        assert server.pinged == 2


async def test_a_server_that_answers_with_an_error_is_alive() -> None:
    server = MemoryServer()
    async with Kept(server, health_interval=0.01) as kept:
        await kept.up()
        pings = 0

        async def refusing() -> None:
            nonlocal pings
            pings += 1
            if pings == 5:
                enough.set()
            raise RemoteError(-32601, "no such method")

        enough = asyncio.Event()
        server.session.ping = refusing  # type: ignore[method-assign]
        async with asyncio.timeout(5):
            await enough.wait()
        assert kept.backend.listing.health.status is Status.OK


async def test_a_server_that_is_at_work_is_not_asked_for_its_health() -> None:
    server = MemoryServer()
    server.answers["read"] = None
    server.dead = True
    async with Kept(server, health_interval=0.002) as kept:
        await kept.up()
        async with asyncio.timeout(5):
            call = asyncio.create_task(kept.call(within=5))
            await server.arrived.wait()
            for _ in range(20):
                await asyncio.sleep(0.002)
            assert server.pinged == 0
            call.cancel()  # a request given up is a reason to look
            await kept.down()
        with contextlib.suppress(asyncio.CancelledError):
            await call


async def test_health_checks_pass_by_the_queue() -> None:
    server = MemoryServer()
    async with Kept(server, health_interval=0.002, concurrency=1, queue=0) as kept:
        await kept.up()
        server.answers["read"] = None
        calls = [asyncio.create_task(kept.call()) for _ in range(2)]
        await server.arrived.wait()
        with pytest.raises(Busy):
            await calls[1]
        calls[0].cancel()
        server.dead = True
        async with asyncio.timeout(5):
            await kept.down()


async def test_idle_it_sleeps_and_the_next_call_wakes_it_once() -> None:
    server = MemoryServer()
    async with Kept(server, idle_timeout=0.02) as kept:
        await kept.up()
        kept.now += 1
        await kept.until(lambda: kept.backend.listing.health.reason is not None)
        health = kept.backend.listing.health
        assert (health.status, health.reason) == (Status.OK, "asleep, wakes on call")
        assert kept.tools == ["read"]
        await turns()
        assert server.session.closed
        answers = await asyncio.gather(*(kept.call() for _ in range(20)))
        assert len(answers) == 20
        assert len(server.sessions) == 2
        assert kept.backend.listing.health.reason is None


async def test_a_server_at_work_or_watched_does_not_sleep() -> None:
    server = MemoryServer()
    server.answers["read"] = None
    async with Kept(server, idle_timeout=0.001) as kept:
        call = asyncio.create_task(kept.call())
        await server.arrived.wait()
        await kept.query("resources/subscribe", uri="a:b")
        kept.now += 1
        for _ in range(10):
            await asyncio.sleep(0.001)
        assert len(server.sessions) == 1
        assert not server.session.closed
        call.cancel()


async def test_a_sleeper_that_does_not_wake_is_down() -> None:
    server = MemoryServer()
    kept = Kept(server, idle_timeout=0.01)
    kept.roll = 0.999
    async with kept:
        await kept.up()
        kept.now += 1
        await kept.until(lambda: kept.backend.listing.health.reason is not None)
        server.refuses = BackendUnavailable("connection refused")
        with pytest.raises(BackendUnavailable, match="connection refused"):
            await kept.call()
        assert kept.backend.listing.health.status is Status.DOWN
        assert kept.tools == ["read"]


async def test_when_a_person_has_let_us_in_it_is_connected_at_once() -> None:
    server = MemoryServer()
    server.refuses = AuthorizationNeeded("a person has to let us in", "https://as.test/in")
    async with Kept(server) as kept:
        await kept.down()
        with pytest.raises(BackendUnavailable) as failed:
            await kept.call()
        assert failed.value.hint == server.refuses.hint
        server.refuses = None
        kept.backend.retry()
        await kept.up()


async def test_a_fault_of_ours_is_told_and_supervision_goes_on() -> None:
    server = MemoryServer()
    server.refuses = ZeroDivisionError("x")
    async with Kept(server) as kept:
        await kept.down()
        assert "a fault of the gateway" in str(kept.backend.listing.health.reason)
        server.refuses = None
        await kept.up()


async def test_a_cancellation_that_was_not_meant_for_it_does_not_end_supervision() -> None:
    server = MemoryServer()
    server.refuses = asyncio.CancelledError()
    async with Kept(server) as kept:
        await kept.down()
        server.refuses = None
        await kept.up()


async def test_closed_it_fails_what_is_inside_and_what_comes_later() -> None:
    server = MemoryServer()
    server.answers["read"] = None
    kept = Kept(server, concurrency=1)
    async with kept:
        await kept.up()
        calls = [asyncio.create_task(kept.call()) for _ in range(2)]
        await server.arrived.wait()
        changes = kept.changes
    for call in calls:
        with pytest.raises(BackendUnavailable, match="removed by a reload"):
            await call
    with pytest.raises(BackendUnavailable, match="removed by a reload"):
        await kept.call()
    assert server.session.closed
    assert kept.changes == changes
    await kept.backend.aclose()


async def test_closed_while_it_connects_it_leaves_nothing_behind() -> None:
    server = MemoryServer()
    server.listing.clear()
    kept = Kept(server)
    async with kept:
        call = asyncio.create_task(kept.call())
        await turns()
    with pytest.raises(BackendUnavailable, match="removed by a reload"):
        await call
    assert server.session.closed
    ours = [task for task in asyncio.all_tasks() if task.get_name().startswith("keep")]
    assert ours == []


async def test_a_server_that_does_not_end_keeps_neither_the_next_nor_the_close_waiting() -> None:
    server = MemoryServer()
    async with Kept(server) as kept:
        await kept.up()
        kept.now += 5
        first, stuck = server.session, asyncio.Event()

        async def stubborn() -> None:
            await stuck.wait()

        first.aclose = stubborn  # type: ignore[method-assign]
        first.lose("no answer")
        async with asyncio.timeout(1):
            assert (await kept.call()).raw == b"{}"
        stuck.set()


async def test_two_hundred_servers_that_hang_start_within_a_second() -> None:
    servers = [MemoryServer() for _ in range(200)]
    for server in servers:
        server.opening.clear()
    many = [Kept(server) for server in servers]
    async with asyncio.timeout(1):
        for kept in many:
            await kept.backend.start(lambda: None, lambda _: None)
        await turns()
    assert all(server.attempts == 1 for server in servers)
    await asyncio.gather(*(kept.backend.aclose() for kept in many))


async def test_a_session_that_cannot_be_closed_is_told_and_forgotten(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = MemoryServer()
    async with Kept(server) as kept:
        await kept.up()

        async def failing() -> None:
            raise BackendUnavailable("no")

        server.session.aclose = failing  # type: ignore[method-assign]
    assert [record.message for record in caplog.records] == ["backend_close_failed"]


async def test_a_fault_while_it_is_up_costs_the_session_and_not_the_supervision() -> None:
    server = MemoryServer()
    async with Kept(server, health_interval=0.005) as kept:
        await kept.up()
        first = server.session

        async def odd() -> None:
            raise ZeroDivisionError

        first.ping = odd  # type: ignore[method-assign]
        await kept.down()
        await kept.up()
        assert len(server.sessions) == 2


async def test_lost_while_it_is_introduced_it_is_tried_again() -> None:
    server = MemoryServer()
    server.listing.clear()
    async with Kept(server) as kept:
        await turns()
        server.session.events.lost("exit code 1")
        server.listing.set()
        await kept.up()
        assert len(server.sessions) == 2
