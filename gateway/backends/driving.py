"""Drives the flow of one call: each of its effects carried out, until it returns its result."""

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from gateway.capability.compiled import Oversize
from gateway.capability.flow import Effect, Ended, Flow, Send, Tell, Wait, Work, advance
from gateway.domain.client import Client
from gateway.domain.tool import ToolResult
from gateway.errors import DeadlineExceeded, GatewayError
from gateway.protocol.mcp import PROGRESS

Step = Callable[[], Effect | Ended]


async def work_here(work: Work) -> Any:
    """Work done at once, where it holds up nobody."""
    return work.do()


async def step_here(step: Step) -> Effect | Ended:
    """The same for a step of the flow itself."""
    return step()


LAST_WORDS = 0.1  # seconds before a call's deadline


@dataclass(frozen=True, slots=True)
class Hands:
    """What carries the effects out. All but `tell` raise GatewayError.

    `advance` takes a step of the flow, maybe in a thread: with large arguments it takes long.
    """

    send: Callable[[Send], Awaitable[Any]]
    wait: Callable[[float], Awaitable[None]]
    tell: Callable[[Tell], None]
    work: Callable[[Work], Awaitable[Any]] = work_here
    advance: Callable[[Step], Awaitable[Effect | Ended]] = step_here

    async def carry_out(self, effect: Effect) -> Any:
        match effect:
            case Send():
                return await self.send(effect)
            case Wait(seconds):
                await self.wait(seconds)
            case Tell():
                self.tell(effect)
            case Work():
                return await self.work(effect)
        return None


async def drive(flow: Flow, hands: Hands) -> ToolResult | Oversize:
    """Raises GatewayError. Cancelled, it ends the flow at once."""
    came: Any = None
    error: GatewayError | None = None
    try:
        while True:
            step = partial(advance, flow, came, error)
            came = error = None
            try:
                effect = await hands.advance(step)
            except GatewayError as failed:  # or its traceback leads to a step that holds it
                raise failed.with_traceback(None)  # noqa: B904  the same
            finally:
                del step
            if isinstance(effect, Ended):
                return effect.result
            try:
                came = await hands.carry_out(effect)
            except GatewayError as failed:
                error = failed.with_traceback(None)
    finally:
        with contextlib.suppress(ValueError):  # a thread is still in a step, which is its last
            flow.close()


def teller(client: Client) -> Callable[[Tell], None]:
    """Tells `client` as MCP's notifications/progress."""

    def tell(told: Tell) -> None:
        params: dict[str, Any] = {"progress": told.progress}
        if told.total is not None:
            params["total"] = told.total
        if told.message is not None:
            params["message"] = told.message
        client.notify(PROGRESS, params)

    return tell


async def in_time(sending: Awaitable[Any], deadline: float) -> Any:
    """One request of a flow, given up so early that the flow can still say how far it came.

    `deadline` is on the loop's clock. Raises DeadlineExceeded.
    """
    try:
        async with asyncio.timeout_at(deadline - LAST_WORDS if deadline < math.inf else None):
            return await sending
    except TimeoutError:
        raise DeadlineExceeded("the call's time is up") from None


def too_long(seconds: float) -> DeadlineExceeded:
    late = DeadlineExceeded(f"the call has no time left to wait {seconds:g} s")
    late.unwell = False  # it is we who wait
    return late
