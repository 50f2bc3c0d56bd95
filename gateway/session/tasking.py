"""Tools that a legacy server runs as tasks only, called as if they were any other.

Source: 2025-11-25, basic/utilities/tasks.
"""

import asyncio
import math
from collections.abc import Mapping
from typing import Any

from gateway.domain.call import Call, Relayed
from gateway.domain.tool import JsonObject
from gateway.errors import BadResponse, begun
from gateway.protocol import mcp
from gateway.protocol.answers import read
from gateway.protocol.envelope import TASK
from gateway.protocol.jsonrpc import loads
from gateway.protocol.outbound import Draft
from gateway.session.flights import Flight
from gateway.session.line import Line

LONGEST = 3600.0  # seconds that a task is kept when its call has no deadline
PAUSE = 1.0  # seconds between two looks, unless the server says otherwise
PAUSES = 0.05, 30.0  # what it may say
WORKING = "working"


def only_as_task(call: Call) -> bool:
    """Whether the tool has to be called with `task`, and this call is without."""
    execution = call.tool.definition.get("execution")
    required = isinstance(execution, Mapping) and execution.get("taskSupport") == "required"
    return required and (call.context.client.modern or TASK not in call.context.params)


async def carried_out(line: Line, draft: Draft, call: Call) -> Relayed:
    """The result of the call `draft`. Cancelled, it cancels the task. Raises GatewayError."""
    client = call.context.client
    left = call.deadline - asyncio.get_running_loop().time()
    keep = {"ttl": int(1000 * (left if left < math.inf else LONGEST))}
    flight = Flight(client, draft.caller)  # of one piece, for its progress and questions
    try:
        task = _task(await line.ask(draft.adding({TASK: keep}), client, flight))
        try:
            with begun():
                await _worked(line, task)
                result = line.dialect.query(mcp.TASKS_RESULT, {"taskId": task["taskId"]}, client)
                return await line.ask(result, client, flight)
        except asyncio.CancelledError:
            line.errand(lambda: line.own(mcp.TASKS_CANCEL, {"taskId": task["taskId"]}))
            raise
    finally:
        line.flights.drop(flight)
        flight.ends()


async def _worked(line: Line, task: JsonObject) -> None:
    """Wait until the server works no more, or wants to ask: it does so within tasks/result."""
    while task.get("status") == WORKING:
        await asyncio.sleep(_pause(task.get("pollInterval")))
        task = read(await line.own(mcp.TASKS_GET, {"taskId": task["taskId"]}))
        if "taskId" not in task:
            raise BadResponse("the server tells nothing of a task of its own")


def _pause(interval: Any) -> float:
    """Seconds; `interval` is in milliseconds."""
    known = type(interval) in (int, float) and math.isfinite(interval)
    return min(max(interval / 1000 if known else PAUSE, PAUSES[0]), PAUSES[1])


def _task(created: Relayed) -> JsonObject:
    try:
        task = loads(created.raw).get(TASK)
    except (ValueError, RecursionError):
        task = None
    if not isinstance(task, Mapping) or not isinstance(task.get("taskId"), str):
        raise BadResponse("the server answered with no task although it runs the tool as one")
    return task
