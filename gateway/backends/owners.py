"""Whose task is whose: a task is that of the caller, and agent, whose call made it (I40).

The rule: the task of another caller reads like one that does not exist. Of a server's tasks we know
those that were made through us since this backend began, the newest of very many, and whether they
may still be at work.
"""

import math
from collections import OrderedDict
from dataclasses import replace
from typing import Any

import msgspec

from gateway.domain.call import Relayed
from gateway.domain.text import shown
from gateway.domain.tool import JsonObject
from gateway.errors import BadResponse, RemoteError
from gateway.protocol import mcp
from gateway.protocol.jsonrpc import INVALID_PARAMS, encode, loads
from gateway.protocol.task_ids import TASK_ID

MOST = 20_000
LONGEST = 3600.0  # seconds that a task counts as at work when its server sets no limit
ENDED = frozenset({"completed", "failed", "cancelled"})
LAST = frozenset({mcp.TASKS_RESULT, mcp.TASKS_CANCEL})  # after which its client needs it no more


class _Task(msgspec.Struct, gc=False):
    """A Task; `ttl` is in milliseconds."""

    id: str | None = msgspec.field(default=None, name=TASK_ID)
    status: Any = None
    ttl: Any = None
    ttl_now: Any = msgspec.field(default=None, name="ttlMs")  # its name since 2026

    @property
    def lasts(self) -> float:
        """Seconds."""
        ttl = self.ttl_now if self.ttl is None else self.ttl
        known = type(ttl) in (int, float) and 0 <= ttl < math.inf
        return float(ttl) / 1000 if known else LONGEST


class _Created(_Task, gc=False):
    """A CreateTaskResult: flat since 2026, in a member before."""

    task: _Task | None = None


_created = msgspec.json.Decoder(_Created).decode


class Owners:
    """Owners (`Identity.owner`) by the ids of their tasks."""

    def __init__(self, most: int = MOST) -> None:
        self._callers: OrderedDict[str, str] = OrderedDict()
        self._working: dict[str, float] = {}  # until when at most
        self._most = most

    def made(self, result: Relayed, caller: str, now: float) -> None:
        """`result` is that of a call that may have made a task."""
        found = _read(result)
        if found is None or found.id is None:
            return
        self._callers[found.id] = caller
        if found.status not in ENDED:
            self._working[found.id] = now + found.lasts
        if len(self._callers) > self._most:
            self._working.pop(self._callers.popitem(last=False)[0], None)

    def told(self, method: str, params: JsonObject, result: Relayed) -> None:
        """What the server answered to a request about a task."""
        found = _read(result) if method == mcp.TASKS_GET else None
        if method in LAST or (found is not None and found.status in ENDED):
            self._working.pop(str(params.get(TASK_ID)), None)

    def heard(self, params: JsonObject) -> str | None:
        """Whose task it is, if anybody's, of which the server said this unasked."""
        if params.get("status") in ENDED:
            self._working.pop(str(params.get(TASK_ID)), None)
        return self._of(params)

    def at_work(self, now: float) -> bool:
        """Whether the server may have a task that is not at its end."""
        self._working = {id: until for id, until in self._working.items() if until > now}
        return bool(self._working)

    def check(self, params: JsonObject, caller: str) -> None:
        """Raises RemoteError as a server does that has no such task."""
        if self._of(params) != caller:
            raise RemoteError(INVALID_PARAMS, f"no task {shown(str(params.get(TASK_ID)))}")

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
        return isinstance(task, dict) and self._of(task) == caller

    def _of(self, task: JsonObject) -> str | None:
        id = task.get(TASK_ID)
        return self._callers.get(id) if isinstance(id, str) else None


def _read(result: Relayed) -> _Task | None:
    """The task that a result tells of, if it can be read."""
    try:
        found = _created(result.raw)
    except (ValueError, RecursionError):
        return None
    return found.task or found
