"""Whose task is whose: a task is that of the caller whose call made it (I40).

The rule: the task of another caller reads like one that does not exist. Of a server's tasks we know
those that were made through us since this backend began, the newest of very many.
"""

from collections import OrderedDict
from dataclasses import replace
from typing import Any

import msgspec

from gateway.domain.call import Relayed
from gateway.domain.text import shown
from gateway.domain.tool import JsonObject
from gateway.errors import BadResponse, RemoteError
from gateway.protocol.jsonrpc import INVALID_PARAMS, encode, loads
from gateway.protocol.task_ids import TASK_ID

MOST = 20_000


class _Named(msgspec.Struct, gc=False):
    taskId: str | None = None  # noqa: N815  the specification's own word


class _Created(msgspec.Struct, gc=False):
    """A CreateTaskResult: flat since 2026, in a member before."""

    taskId: str | None = None  # noqa: N815
    task: _Named | None = None


_created = msgspec.json.Decoder(_Created).decode


class Owners:
    """Callers by the ids of their tasks."""

    def __init__(self, most: int = MOST) -> None:
        self._callers: OrderedDict[str, str] = OrderedDict()
        self._most = most

    def made(self, result: Relayed, caller: str) -> None:
        """`result` is that of a call that may have made a task."""
        try:
            found = _created(result.raw)
        except (ValueError, RecursionError):
            return
        id = found.taskId or (found.task.taskId if found.task is not None else None)
        if id is not None:
            self._callers[id] = caller
            if len(self._callers) > self._most:
                self._callers.popitem(last=False)

    def of(self, id: object) -> str | None:
        """Whose task that is, if anybody's."""
        return self._callers.get(id) if isinstance(id, str) else None

    def check(self, params: JsonObject, caller: str) -> None:
        """Raises RemoteError as a server does that has no such task."""
        id = params.get(TASK_ID)
        if self.of(id) != caller:
            raise RemoteError(INVALID_PARAMS, f"no task {shown(str(id))}")

    def listed(self, result: Relayed, caller: str) -> Relayed:
        """A result of tasks/list without the tasks of others. Raises BadResponse."""
        try:
            found = loads(result.raw)
        except (ValueError, RecursionError):
            raise BadResponse("the server listed its tasks in a way that cannot be read") from None
        tasks = found.get("tasks")
        if isinstance(tasks, list):
            found["tasks"] = [task for task in tasks if self._owned(task, caller)]
        return replace(result, raw=encode(found))

    def _owned(self, task: Any, caller: str) -> bool:
        return isinstance(task, dict) and self._callers.get(str(task.get(TASK_ID))) == caller
