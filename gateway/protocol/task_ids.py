"""Task ids inside what a server says, replaced where many servers' tasks share one namespace."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from gateway.domain.call import Relayed
from gateway.errors import BadResponse
from gateway.protocol.jsonrpc import encode, loads

TASK = "task"  # the `resultType` of a CreateTaskResult, and its member before 2026
TASK_ID = "taskId"


def renamed(result: Relayed, rename: Callable[[str], str]) -> Relayed:
    """The same result, a Task or a CreateTaskResult of either era, with its task under the id that
    `rename` gives it. Raises BadResponse.
    """
    try:
        found = loads(result.raw)
    except (ValueError, RecursionError):
        raise BadResponse("the server tells of its task in an unreadable way") from None
    for holder in (found, found.get(TASK)):
        _rename(holder, rename)
    return replace(result, raw=encode(found))


def begun(raw: bytes) -> str | None:
    """The id of the task that a CreateTaskResult of 2025-11-25 tells of."""
    try:
        return _created(raw).task.id
    except msgspec.MsgspecError:
        return None


class _Task(msgspec.Struct):
    id: str = msgspec.field(name=TASK_ID)


class _Created(msgspec.Struct):
    task: _Task


_created = msgspec.json.Decoder(_Created).decode


def _rename(holder: Any, rename: Callable[[str], str]) -> None:
    if isinstance(holder, dict) and isinstance(holder.get(TASK_ID), str):
        holder[TASK_ID] = rename(holder[TASK_ID])
