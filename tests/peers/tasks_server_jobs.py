"""What the tasks server works on: a job of either era, and the tools that begin one."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

Json = dict[str, Any]
TTL, PAUSE = 60_000, 100  # milliseconds
ENDED = ("completed", "failed", "cancelled")
STEPS = 3  # of which `steady` tells


class Fault(Exception):
    """A JSON-RPC error."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, **({"data": data} if data else {})}


def now() -> str:
    return datetime.fromtimestamp(time.time(), UTC).isoformat()


def text(said: str, *, failed: bool = False) -> Json:
    return {"content": [{"type": "text", "text": said}], **({"isError": True} if failed else {})}


def question(name: str, kind: str) -> Json:
    schema = {"type": "object", "properties": {name: {"type": kind}}, "required": [name]}
    params = {"mode": "form", "message": f"Which {name}?", "requestedSchema": schema}
    return {"method": "elicitation/create", "params": params}


@dataclass(eq=False)
class Job:
    """`told` is called at each change; `step` with how much is done, where somebody wants that."""

    arguments: Mapping[str, Any]
    told: Callable[["Job"], None]
    step: Callable[[int], None]
    id: str = field(default_factory=lambda: token_hex(16))
    status: str = "working"
    outcome: Json = field(default_factory=dict)  # `result` or `error`
    asked: dict[str, Json] = field(default_factory=dict)
    created: str = field(default_factory=now)
    updated: str = field(default_factory=now)
    changed: asyncio.Event = field(default_factory=asyncio.Event)  # replaced at each change
    ttl: int | None = TTL

    def __post_init__(self) -> None:
        self._keys = map("q{}".format, itertools.count(1))
        self._answers: dict[str, asyncio.Future[Json]] = {}
        self._task: asyncio.Task[None] | None = None

    def begin(self, work: "Work") -> None:
        self._task = asyncio.create_task(self._run(work))

    async def ask(self, request: Json) -> Json:
        key = next(self._keys)
        self.asked[key] = request
        answer = self._answers[key] = asyncio.get_running_loop().create_future()
        self.turn("input_required")
        return await answer

    def answer(self, key: str, answer: Json) -> None:
        if self.asked.pop(key, None) is not None:
            self._answers.pop(key).set_result(answer)
            self.turn("input_required" if self.asked else "working")

    def cancel(self) -> None:
        if self.status not in ENDED and self._task is not None:
            self._task.cancel()
            self.turn("cancelled")

    def turn(self, status: str) -> None:
        self.status, self.updated = status, now()
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()
        self.told(self)

    async def _run(self, work: "Work") -> None:
        try:
            self.outcome = {"result": await work(self)}
            self.turn("completed")
        except Fault as fault:
            self.outcome = {"error": fault.error}
            self.turn("failed")

    # -- in the words of either era -------------------------------------------------------------

    def modern(self) -> Json:
        """A Task."""
        about = {"taskId": self.id, "status": self.status, "createdAt": self.created}
        return {**about, "lastUpdatedAt": self.updated, "ttlMs": self.ttl, "pollIntervalMs": PAUSE}

    def detailed(self) -> Json:
        """A DetailedTask."""
        asked = {"inputRequests": self.asked} if self.asked else {}
        return {**self.modern(), **self.outcome, **asked}

    def legacy(self) -> Json:
        about = {"taskId": self.id, "status": self.status, "createdAt": self.created}
        return {**about, "lastUpdatedAt": self.updated, "ttl": self.ttl, "pollInterval": PAUSE}


Work = Callable[[Job], Awaitable[Json]]


async def _slow(job: Job) -> Json:
    await asyncio.sleep(float(job.arguments.get("seconds", 0)))
    return text(f"computed {job.arguments.get('label', '')}")


async def _failing(_job: Job) -> Json:
    await asyncio.sleep(0.3)
    return text("the job failed", failed=True)


async def _broken(_job: Job) -> Json:
    await asyncio.sleep(0.1)
    raise Fault(-32603, "the job broke")


async def _steady(job: Job) -> Json:
    for done in range(1, STEPS + 1):
        await asyncio.sleep(0.1)
        job.step(done)
    return text("steady")


async def _confirm(job: Job) -> Json:
    answer = await job.ask(question("confirm", "boolean"))
    agreed = answer.get("action") == "accept" and answer.get("content", {}).get("confirm")
    return text(f"{'deleted' if agreed else 'kept'} {job.arguments.get('filename')}")


async def _both(job: Job) -> Json:
    questions = (question("name", "string"), question("confirm", "boolean"))
    answers = await asyncio.gather(*map(job.ask, questions))
    return text(" ".join(str(answer.get("action")) for answer in answers))


async def _named(job: Job) -> Json:
    return text(f"Hello, {job.arguments['user_name']}!")


WORKS: dict[str, Work] = {
    "slow_compute": _slow,
    "failing_job": _failing,
    "protocol_error_job": _broken,
    "steady": _steady,
    "confirm_delete": _confirm,
    "multi_input": _both,
    "test_tool_with_task": _named,
}
OPTIONAL = frozenset({"slow_compute"})  # can be called by who knows no tasks


def listed(*, legacy: bool) -> list[Json]:
    def tool(name: str) -> Json:
        support = "optional" if name in OPTIONAL else "required"
        execution = {"execution": {"taskSupport": support}} if legacy else {}
        return {"name": name, "inputSchema": {"type": "object"}, **execution}

    return [{"name": "greet", "inputSchema": {"type": "object"}}, *map(tool, WORKS)]
