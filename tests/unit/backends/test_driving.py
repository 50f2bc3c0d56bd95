"""The driver carries out what a flow asks for, and tells it what came of that."""

import asyncio
import math
import threading
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pytest

from gateway.backends.driving import Hands, Step, drive, in_time, teller
from gateway.capability.flow import Tell, Wait, Work
from gateway.domain.tool import ToolResult, text_result
from gateway.errors import Busy, DeadlineExceeded
from tests.peers.listener import Listener


class Noted:
    """Hands that note what they do; `trouble` is raised by each wait."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.done: list[Any] = []
        self.trouble = trouble

    async def send(self, effect: Any) -> Any:
        raise AssertionError(effect)

    async def wait(self, seconds: float) -> None:
        self.done.append(seconds)
        if self.trouble is not None:
            raise self.trouble

    def hands(self) -> Hands:
        return Hands(self.send, self.wait, self.done.append)


async def test_effects_are_carried_out_in_order_and_the_result_comes_back() -> None:
    def flow() -> Generator[Any, Any, ToolResult]:
        yield Wait(3)
        yield Tell(1)
        return text_result(str((yield Work(10, lambda: 6 * 7))))

    noted = Noted()
    assert await drive(flow(), noted.hands()) == text_result("42")
    assert noted.done == [3, Tell(1)]


async def test_a_call_cancelled_in_a_step_that_takes_long_ends_at_once() -> None:
    """The step goes on in its thread, and is the last."""
    begun, goes_on, steps = threading.Event(), threading.Event(), []

    def flow() -> Generator[Any, Any, ToolResult]:
        steps.append("first")
        begun.set()
        goes_on.wait(5)
        yield Wait(1)
        steps.append("second")
        return text_result("never")

    async def aside(step: Step) -> Any:
        return await asyncio.to_thread(step)

    noted = Noted()
    hands = replace(noted.hands(), advance=aside)
    call = asyncio.create_task(drive(flow(), hands))
    await asyncio.to_thread(begun.wait, 5)
    call.cancel()
    async with asyncio.timeout(1):
        await asyncio.wait([call])
    goes_on.set()
    assert call.cancelled()
    assert (steps, noted.done) == (["first"], [])


async def test_what_fails_is_thrown_into_the_flow() -> None:
    def flow() -> Generator[Any, Any, ToolResult]:
        try:
            yield Wait(1)
        except Busy as error:
            return text_result(f"went on after: {error}")
        raise AssertionError

    found = await drive(flow(), Noted(Busy("too many")).hands())
    assert found == text_result("went on after: too many")
    with pytest.raises(Busy):
        await drive(iter_once(Wait(1)), Noted(Busy("too many")).hands())


async def test_a_cancelled_flow_is_closed_at_once() -> None:
    closed: list[bool] = []

    def flow() -> Generator[Any, Any, ToolResult]:
        try:
            yield Wait(1)
        finally:
            closed.append(True)
        raise AssertionError

    begun = asyncio.Event()

    async def wait(_: float) -> None:
        begun.set()
        await asyncio.Event().wait()

    noted = Noted()
    driving = asyncio.ensure_future(drive(flow(), Hands(noted.send, wait, noted.done.append)))
    await begun.wait()
    driving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await driving
    assert closed == [True]


async def test_a_request_is_given_up_before_the_call_is() -> None:
    now = asyncio.get_running_loop().time()
    async with asyncio.timeout(1):
        with pytest.raises(DeadlineExceeded):
            await in_time(asyncio.Event().wait(), now + 0.15)
    assert asyncio.get_running_loop().time() < now + 0.15


async def test_a_call_without_a_deadline_waits_as_long_as_it_takes() -> None:
    async def found() -> int:
        return 1

    assert await in_time(found(), math.inf) == 1


def test_progress_is_told_in_the_words_of_mcp() -> None:
    client = Listener()
    tell = teller(client)
    tell(Tell(1))
    tell(Tell(2, 5, "page 2"))
    assert client.heard == [
        ("notifications/progress", {"progress": 1}),
        ("notifications/progress", {"progress": 2, "total": 5, "message": "page 2"}),
    ]


def iter_once(effect: Any) -> Generator[Any, Any, ToolResult]:
    yield effect
    return text_result("done")
