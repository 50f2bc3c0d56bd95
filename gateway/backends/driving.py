"""Drives the flow of one call: each of its effects carried out, until it returns its result."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from gateway.capability.flow import Flow, Send, Tell, Wait
from gateway.domain.client import Client
from gateway.domain.tool import ToolResult
from gateway.errors import DeadlineExceeded, GatewayError


@dataclass(frozen=True, slots=True)
class Hands:
    """What carries the effects out. `send` and `wait` raise GatewayError."""

    send: Callable[[Send], Awaitable[Any]]
    wait: Callable[[float], Awaitable[None]]
    tell: Callable[[Tell], None]


async def drive(flow: Flow, hands: Hands) -> ToolResult:
    """Raises GatewayError. Cancelled, it ends the flow at once."""
    came: Any = None
    error: GatewayError | None = None
    try:
        while True:
            effect = flow.send(came) if error is None else flow.throw(error)
            came = error = None
            try:
                if isinstance(effect, Send):
                    came = await hands.send(effect)
                elif isinstance(effect, Wait):
                    await hands.wait(effect.seconds)
                else:
                    hands.tell(effect)
            except GatewayError as failed:
                error = failed.with_traceback(None)
    except StopIteration as stop:
        result: ToolResult = stop.value
        return result
    finally:
        flow.close()


def teller(client: Client) -> Callable[[Tell], None]:
    """Tells `client` as MCP's notifications/progress."""

    def tell(told: Tell) -> None:
        params: dict[str, Any] = {"progress": told.progress}
        if told.total is not None:
            params["total"] = told.total
        if told.message is not None:
            params["message"] = told.message
        client.notify("notifications/progress", params)

    return tell


def too_long(seconds: float) -> DeadlineExceeded:
    return DeadlineExceeded(f"the call has no time left to wait {seconds:g} s")
