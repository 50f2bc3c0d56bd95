"""What stands around a backend: driven by hand, with a clock that is told."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.call import Call, Outcome, Query, Relayed
from gateway.domain.events import CircuitChanged, Event, Limited
from gateway.domain.identity import ANONYMOUS, OPERATOR
from gateway.domain.listing import Health, Listing, Status
from gateway.domain.tool import Tool, ToolRef, ToolResult, text_result
from gateway.errors import (
    BackendUnavailable,
    Busy,
    CircuitOpen,
    DeadlineExceeded,
    GatewayError,
    InvalidArguments,
    RateLimited,
    Reached,
    RemoteError,
    Unequipped,
    UpstreamFailed,
)
from gateway.failsafe.breaker import Limits
from gateway.failsafe.guarded import Guarded, Surroundings
from gateway.failsafe.guards import GuardsByName
from gateway.failsafe.retry import Rule
from gateway.failsafe.settings import Crowd, Rate, Retries, Settings
from gateway.http.failures import ConnectionLost, Unreachable

BREAKER = Settings(breaker=Limits(failures=3, successes=2, rest=30.0))
RETRIES = Settings(retries=Retries(Rule(most=2, max_wait=10.0, first=0.1)))
WELL = text_result("well")


class World:
    """The clock stands still unless it is told; waits are noted, and take their time."""

    def __init__(self, settings: Settings, *, of_file: bool = False) -> None:
        self.now = 1_000.0
        self.events: list[Event] = []
        self.waits: list[float] = []
        self.changes = 0
        self.calls: list[Call | Query] = []
        self.answers: list[Any] = []
        around = Surroundings(self.events.append, lambda: self.now, lambda: 0.5, self.sleep)
        self.guard = Guarded("api", settings, around)
        self.guard.stand_around(self.changed, of_file=of_file)

    def changed(self) -> None:
        self.changes += 1

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    async def handler(self, call: Any) -> Any:
        self.calls.append(call)
        answer = self.answers.pop(0) if self.answers else WELL
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def ask(self, *answers: Any, **about: Any) -> Outcome:
        self.answers = list(answers)
        return await self.guard.call(call(**about), self.handler)

    async def fail(self, error: BaseException, **about: Any) -> BaseException:
        try:
            await self.ask(error, **about)
        except BaseException as caught:  # noqa: BLE001  what is asked for
            return caught
        raise AssertionError("it was answered")

    @property
    def turns(self) -> Sequence[str]:
        return [each.state for each in self.events if isinstance(each, CircuitChanged)]


def call(name: str = "get", hints: Any = None, **more: Any) -> Call:
    definition = {"name": name} if hints is None else {"name": name, "annotations": hints}
    tool = Tool(ToolRef("api", name), definition)
    return replace(Call("1", tool, {}, ANONYMOUS, math.inf), **more)


def broken(status: int = 500) -> UpstreamFailed:
    error = UpstreamFailed(f"HTTP {status}")
    error.unwell = status >= 500
    return error


async def opened(world: World) -> World:
    for _ in range(3):
        await world.fail(broken())
    assert world.guard.state == "open"
    return world


@pytest.mark.parametrize(
    "error",
    [broken(), BackendUnavailable("gone"), ConnectionLost("cut"), DeadlineExceeded("late")],
    ids=repr,
)
async def test_failures_in_a_row_open_the_circuit_and_then_nothing_is_sent(
    error: GatewayError,
) -> None:
    world = World(BREAKER)
    for state in ("closed", "closed", "open"):
        error.counted = False
        await world.fail(error)
        assert world.guard.state == state
    assert (world.turns, world.changes) == (["open"], 1)
    world.now += 12
    sent = len(world.calls)
    refused = await world.fail(WELL)  # type: ignore[arg-type]
    assert isinstance(refused, CircuitOpen)
    assert refused.explain() == (
        "backend 'api' keeps failing (circuit_open; not_sent)\n"
        "next: try again in 18 s, or use another server"
    )
    assert len(world.calls) == sent


@pytest.mark.parametrize(
    "error",
    [
        broken(429),
        broken(404),
        RemoteError(-32000, "no"),
        InvalidArguments("no"),
        Unequipped("no secret"),
        Unreachable("a certificate"),
        Busy("full"),
        asyncio.CancelledError(),
    ],
    ids=repr,
)
async def test_what_says_nothing_bad_of_the_backend_is_no_failure(error: BaseException) -> None:
    world = World(BREAKER)
    for _ in range(10):
        await world.fail(error)
    assert world.guard.state == "closed"


async def test_a_success_between_failures_begins_the_count_anew() -> None:
    world = World(BREAKER)
    for _ in range(5):
        await world.fail(broken())
        await world.fail(broken())
        await world.ask(WELL)
    assert world.guard.state == "closed"


async def test_an_answer_that_was_kept_is_no_success() -> None:
    world = World(BREAKER)
    for _ in range(2):
        await world.fail(broken())
        await world.ask(replace(WELL, asked=False))
    await world.fail(broken())
    assert world.guard.state == "open"


async def test_a_failure_that_many_calls_share_counts_once() -> None:
    world, shared = World(BREAKER), broken()
    for _ in range(10):
        await world.fail(shared)
    assert world.guard.state == "closed"


async def test_half_open_lets_one_through_at_a_time_and_closes_after_enough() -> None:
    world = await opened(World(BREAKER))
    world.now += 30
    first = asyncio.Event()

    async def slow(_: Call) -> ToolResult:
        await first.wait()
        return WELL

    probe = asyncio.create_task(world.guard.call(call(), slow))
    await asyncio.sleep(0)
    assert world.guard.state == "half_open"
    for _ in range(5):
        assert isinstance(await world.fail(broken()), CircuitOpen)
    first.set()
    await probe
    assert world.guard.state == "half_open"
    await world.ask(WELL)
    assert world.guard.state == "closed"
    assert world.turns == ["open", "half_open", "closed"]


async def test_a_probe_that_is_given_up_frees_its_place() -> None:
    world = await opened(World(BREAKER))
    world.now += 30
    await world.fail(asyncio.CancelledError())
    await world.fail(InvalidArguments("no"))
    await world.ask(WELL)
    await world.ask(WELL)
    assert world.guard.state == "closed"


async def test_a_probe_that_fails_opens_it_for_the_whole_time_again() -> None:
    world = await opened(World(BREAKER))
    world.now += 30
    await world.fail(broken())
    assert (world.guard.state, world.guard.after) == ("open", 30.0)


async def test_a_call_from_before_says_nothing_of_the_probe() -> None:
    world, hang = World(BREAKER), asyncio.Event()

    async def hanging(_: Call) -> ToolResult:
        await hang.wait()
        raise broken()

    old = asyncio.create_task(world.guard.call(call(), hanging))
    await asyncio.sleep(0)
    await opened(world)
    world.now += 30
    await world.ask(WELL)
    hang.set()
    with pytest.raises(UpstreamFailed):
        await old
    assert world.guard.state == "half_open"


async def test_only_a_call_that_had_all_the_time_of_its_backend_failed_for_that() -> None:
    world = World(BREAKER)
    for _ in range(3):
        await world.fail(asyncio.CancelledError())
        world.guard.late()
    assert world.guard.state == "open"
    hurried = World(BREAKER)
    for _ in range(5):
        await hurried.fail(DeadlineExceeded("late"), hurried=True)
    assert hurried.guard.state == "closed"
    hurried.guard.late()
    assert hurried.guard.state == "closed", "nothing was cancelled"


async def test_what_is_shown_of_it_counts_down_when_it_is_asked_for() -> None:
    world = await opened(World(BREAKER))
    listing = Listing("api", "", ())
    shown = world.guard.shown(listing)
    assert str(shown.health) == "down (it keeps failing: upstream_error)"
    world.now += 18.2
    assert world.guard.shown(listing) == shown, "what counts on is no news"
    live = world.guard.health(shown.health)
    assert str(live) == "down (it keeps failing: upstream_error, retry in 12 s)"
    world.now += 30
    assert "the next call tries it again" in str(world.guard.health(shown.health))
    await world.ask(WELL)
    assert world.guard.shown(listing).health.status is Status.DEGRADED
    await world.ask(WELL)
    assert world.guard.shown(listing) is listing
    own = Listing("api", "", (), health=Health(Status.DOWN, "no such host"))
    await opened(world)
    assert world.guard.shown(own).health == own.health


async def test_new_settings_close_no_circuit_and_only_turning_it_off_does() -> None:
    world = await opened(World(BREAKER))
    world.guard.configure(Settings(breaker=Limits(failures=1, successes=1, rest=60.0)))
    assert (world.guard.state, world.guard.after) == ("open", 60.0)
    world.guard.configure(Settings())
    assert world.guard.state == "disabled"
    assert world.turns == ["open", "closed"]
    for _ in range(10):
        await world.fail(broken())
    await world.ask(WELL)


async def test_what_was_not_sent_is_tried_again_and_the_rest_only_where_it_does_no_harm() -> None:
    world = World(RETRIES)
    lost, unknown = BackendUnavailable("x"), Reached.SENT_UNKNOWN
    assert await world.ask(lost, lost, WELL) == WELL
    assert world.waits == [0.05, 0.1]
    error = await world.fail(BackendUnavailable("x", reached=unknown))
    assert len(world.calls) == 4
    for hints in ({"idempotentHint": True}, {"readOnlyHint": True}):
        again = BackendUnavailable("x", reached=unknown)
        assert await world.ask(again, WELL, hints=hints) == WELL
    assert isinstance(error, BackendUnavailable)


async def test_attempts_end_after_so_many_and_tell_how_far_any_of_them_came() -> None:
    world = World(RETRIES)
    first = BackendUnavailable("first", reached=Reached.SENT_UNKNOWN)
    second, third = BackendUnavailable("second"), BackendUnavailable("third")
    world.answers = [first, second, third]
    with pytest.raises(BackendUnavailable) as caught:
        await world.guard.call(call(hints={"readOnlyHint": True}), world.handler)
    assert str(caught.value) == "third"
    assert caught.value.reached is Reached.SENT_UNKNOWN
    assert len(world.calls) == 3


async def test_the_operators_word_about_a_tool_counts_and_not_its_servers() -> None:
    retries = Retries(Rule(2, 10.0, 0.1), ("get_*",), ("get_token", "pay"))
    world = World(Settings(retries=retries))
    unknown = Reached.SENT_UNKNOWN
    assert await world.ask(BackendUnavailable("x", reached=unknown), WELL, name="get_all") == WELL
    for name in ("get_token", "pay"):
        sent = len(world.calls)
        lost = BackendUnavailable("x", reached=unknown)
        await world.fail(lost, name=name, hints={"idempotentHint": True})
        assert len(world.calls) == sent + 1
        assert world.calls[-1].repeat is False  # type: ignore[union-attr]


async def test_no_attempt_is_begun_that_the_call_would_not_live_to_see() -> None:
    world = World(RETRIES)
    soon = asyncio.get_running_loop().time() + 0.01
    await world.fail(BackendUnavailable("x"), deadline=soon)
    assert world.waits == []


async def test_a_servers_wish_is_granted_up_to_the_longest_wait() -> None:
    world = World(RETRIES)
    for wish, waits in ((3.0, [3.0]), (11.0, [3.0])):
        asked = BackendUnavailable("x")
        asked.unwell, asked.after = False, wish  # as a 429 does
        if waits == world.waits:
            await world.fail(asked)
        else:
            await world.ask(asked, WELL)
        assert world.waits == waits


async def test_an_open_circuit_ends_the_attempts() -> None:
    both = Settings(breaker=Limits(failures=1), retries=RETRIES.retries)
    world = World(both)
    assert isinstance(await world.fail(BackendUnavailable("x")), BackendUnavailable)
    assert (len(world.calls), world.guard.state) == (1, "open")


async def test_a_capability_file_says_itself_when_to_try_again_unless_that_is_off() -> None:
    world = World(RETRIES, of_file=True)
    await world.fail(BackendUnavailable("x"))
    assert len(world.calls) == 1
    assert world.calls[0].repeat is None  # type: ignore[union-attr]
    off = World(Settings(), of_file=True)
    await off.ask(WELL)
    assert off.calls[0].repeat is False  # type: ignore[union-attr]


async def test_a_query_that_only_reads_is_tried_again() -> None:
    world = World(RETRIES)
    lost = BackendUnavailable("x", reached=Reached.SENT_UNKNOWN)
    world.answers = [lost, Relayed(b"{}")]
    query = Query("1", "api", "prompts/get", {}, ANONYMOUS)
    assert await world.guard.query(query, world.handler) == Relayed(b"{}")
    world.answers = [BackendUnavailable("x", reached=Reached.SENT_UNKNOWN)]
    with pytest.raises(BackendUnavailable):
        await world.guard.query(replace(query, method="tasks/cancel"), world.handler)


async def test_too_many_requests_are_refused_with_when_to_come_back() -> None:
    world = World(Settings(rate=Rate(10.0, 2, {"slow": 1.0})))
    await world.ask(WELL)
    await world.ask(WELL)
    refused = await world.fail(WELL)  # type: ignore[arg-type]
    assert isinstance(refused, RateLimited)
    assert refused.explain() == (
        "backend 'api' is asked too often (rate_limited; not_sent)\nnext: try again in 0.1 s"
    )
    await world.ask(WELL, caller=OPERATOR)
    world.now += 1
    await world.ask(WELL, name="slow")
    await world.fail(WELL, name="slow")  # type: ignore[arg-type]
    assert world.events == [Limited("backend", "api"), Limited("tool", "api:slow")]


async def test_so_many_are_inside_at_once_so_many_wait_and_the_rest_are_turned_away() -> None:
    world, go = World(Settings(crowd=Crowd(2, 1)), of_file=True), asyncio.Event()
    inside = most = 0

    async def slow(_: Call) -> ToolResult:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await go.wait()
        inside -= 1
        return WELL

    calls = [asyncio.create_task(world.guard.call(call(), slow)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Busy) as caught:
        await world.guard.call(call(), slow)
    assert caught.value.reached is Reached.NOT_SENT
    assert world.events == [Limited("concurrency", "api")]
    world.guard.configure(Settings(crowd=Crowd(1, 0)))
    go.set()
    assert await asyncio.gather(*calls) == [WELL] * 3
    assert most == 2
    late = asyncio.get_running_loop().time() + 0.02
    go.clear()
    first = asyncio.create_task(world.guard.call(call(), slow))
    await asyncio.sleep(0)
    world.guard.configure(Settings(crowd=Crowd(1, 5)))
    with pytest.raises(DeadlineExceeded) as waited:
        await world.guard.call(call(deadline=late), slow)
    assert (waited.value.reached, waited.value.unwell) == (Reached.NOT_SENT, False)
    go.set()
    await first


async def test_guards_outlive_their_backends_until_these_are_no_more() -> None:
    guards = GuardsByName(lambda _: BREAKER, lambda _: None, clock=lambda: 5.0)
    guard = guards.of("api", "rest", lambda: None)
    assert guards.of("api", "stdio", lambda: None) is guard
    assert guards.of("other", "rest", lambda: None) is not guard
    guards.forget("api")
    assert guards.of("api", "rest", lambda: None) is not guard
