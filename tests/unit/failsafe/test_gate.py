"""How many requests are at a server at once."""

import asyncio
import random

import pytest

from gateway.errors import BackendUnavailable, Busy
from gateway.failsafe.gate import Gate


async def enter(gate: Gate) -> None:
    if gate.inside < gate.most:
        gate.inside += 1
    else:
        await gate.wait()


async def soon(task: asyncio.Task[None]) -> None:
    async with asyncio.timeout(5):
        await task


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_comes_first_is_let_in_first() -> None:
    gate = Gate("files", 2, 10)
    order: list[int] = []

    async def request(number: int) -> None:
        await enter(gate)
        order.append(number)

    tasks = [asyncio.create_task(request(number)) for number in range(5)]
    await turns()
    assert (order, gate.inside, gate.waiting) == ([0, 1], 2, 3)
    for expected in ([0, 1, 2], [0, 1, 2, 3], [0, 1, 2, 3, 4]):
        gate.leave()
        await turns()
        assert order == expected
        assert gate.inside == 2
    gate.leave()
    gate.leave()
    assert gate.inside == 0
    await asyncio.gather(*tasks)


async def test_nobody_overtakes_who_was_let_in_but_has_not_run_yet() -> None:
    gate = Gate("files", 1, 10)
    await enter(gate)
    first = asyncio.create_task(enter(gate))
    await turns()
    gate.leave()
    assert gate.inside == gate.most  # the place is handed over, never free
    second = asyncio.create_task(enter(gate))
    await soon(first)
    assert not second.done()
    gate.leave()
    await soon(second)


async def test_beyond_the_queue_callers_read_how_many_are_before_them() -> None:
    gate = Gate("files", 2, 1)
    await enter(gate)
    await enter(gate)
    waiting = asyncio.create_task(enter(gate))
    await turns()
    with pytest.raises(Busy, match="server 'files' is busy: 2 requests at work, 1 waiting"):
        await gate.wait()
    waiting.cancel()


async def test_without_a_queue_it_is_busy_at_once() -> None:
    gate = Gate("files", 1, 0)
    await enter(gate)
    with pytest.raises(Busy, match="1 request at work, 0 waiting"):
        await gate.wait()


async def test_who_gives_up_waiting_frees_no_place_and_takes_none() -> None:
    gate = Gate("files", 1, 10)
    await enter(gate)
    gone, stays = (asyncio.create_task(enter(gate)) for _ in range(2))
    await turns()
    gone.cancel()
    await turns()
    assert gate.waiting == 1
    gate.leave()
    await soon(stays)
    assert gate.inside == 1


async def test_a_place_handed_to_one_who_gives_up_goes_to_the_next() -> None:
    gate = Gate("files", 1, 10)
    await enter(gate)
    gone, stays = (asyncio.create_task(enter(gate)) for _ in range(2))
    await turns()
    gate.leave()
    gone.cancel()  # before it could run
    await soon(stays)
    assert gate.inside == 1
    gate.leave()
    assert gate.inside == 0


async def test_closed_it_turns_everybody_away() -> None:
    gate = Gate("files", 1, 10)
    await enter(gate)
    waiting = asyncio.create_task(enter(gate))
    await turns()
    gate.close(BackendUnavailable("removed by a reload"))
    with pytest.raises(BackendUnavailable, match="removed"):
        await soon(waiting)
    with pytest.raises(BackendUnavailable, match="removed"):
        await gate.wait()


async def test_whatever_is_cancelled_when_the_count_is_right_in_the_end() -> None:
    rng = random.Random(7)
    gate = Gate("files", 3, 1000)
    most = 0

    async def request() -> None:
        nonlocal most
        await enter(gate)
        try:
            most = max(most, gate.inside)
            for _ in range(rng.randrange(4)):
                await asyncio.sleep(0)
        finally:
            gate.leave()

    tasks = [asyncio.create_task(request()) for _ in range(500)]
    while not all(task.done() for task in tasks):
        rng.choice(tasks).cancel()
        await asyncio.sleep(0)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (most, gate.inside, gate.waiting) == (3, 0, 0)
