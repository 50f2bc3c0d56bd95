import asyncio
import contextlib

import pytest

from gateway.server.calls import Calls
from gateway.server.endpoint import Answer


class Slow:
    """An answer that comes when told to."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go = asyncio.Event()

    async def answer(self) -> Answer:
        self.begun.set()
        await self.go.wait()
        return Answer(b"done")


async def test_a_call_gives_its_body() -> None:
    slow, calls = Slow(), Calls()
    slow.go.set()
    assert await calls.run(1, slow.answer()) == b"done"
    assert len(calls) == 0


async def test_a_cancelled_call_gives_none_and_its_task_goes_on() -> None:
    slow, calls = Slow(), Calls()
    running = asyncio.create_task(calls.run(1, slow.answer()))
    await slow.begun.wait()
    calls.cancel(1)
    async with asyncio.timeout(5):
        assert await running is None
    assert not running.cancelled()


@pytest.mark.parametrize("id", ["1", 2, True, None, [], {}, 1.0])
async def test_another_id_cancels_nothing(id: object) -> None:
    slow, calls = Slow(), Calls()
    running = asyncio.create_task(calls.run(1, slow.answer()))
    await slow.begun.wait()
    calls.cancel(id)
    slow.go.set()
    assert await running == b"done"


async def test_being_cancelled_from_outside_is_no_cancel_of_the_peer() -> None:
    slow, calls = Slow(), Calls()
    running = asyncio.create_task(calls.run(1, slow.answer()))
    await slow.begun.wait()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert running.cancelled()
    assert len(calls) == 0
