"""An MCP server, by hand, whose tools run as tasks: those of 2025-11-25, or those of SEP-2663.

python -m tests.peers.tasks_server --view modern --http 0

It prints the port and serves at /mcp, or without --http over its standard input and output.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.peers.tasks_server_jobs import ENDED, OPTIONAL, WORKS, Fault, Job, Json, listed, text
from tests.peers.tasks_server_web import Web

MODERN, LEGACY = "2026-07-28", "2025-11-25"
EXTENSION = "io.modelcontextprotocol/tasks"
OWN = "io.modelcontextprotocol/"
INFO = {"name": "tasks", "version": "1"}
REQUIRED: Json = {"requiredCapabilities": {"extensions": {EXTENSION: {}}}}
ABOUT_ONE = ("tasks/get", "tasks/update", "tasks/cancel")
LISTS_KEPT = {"ttlMs": 0, "cacheScope": "private"}

Say = Callable[[Json], None]  # one JSON-RPC message, on the stream of the request


@dataclass
class Server:
    """`everybody` is told what concerns no request; `listening` holds the streams of each task."""

    foreign: ClassVar[str]  # the method by which the other era opens
    everybody: Say = print
    jobs: dict[str, Job] = field(default_factory=dict)
    listening: dict[Any, tuple[frozenset[str], Say]] = field(default_factory=dict)
    waiting: dict[Any, asyncio.Future[Json]] = field(default_factory=dict)

    async def answer(self, message: Json, say: Say) -> Json | None:
        """The response to a request; None for anything else."""
        id = message.get("id")
        if "method" not in message:
            self.waiting.pop(id).set_result(message.get("result", {}))
            return None
        if id is None:
            return None
        try:
            result = await self.carry(message, say)
        except Fault as fault:
            return {"jsonrpc": "2.0", "id": id, "error": fault.error}
        return {"jsonrpc": "2.0", "id": id, "result": result}

    async def carry(self, message: Json, say: Say) -> Json:
        raise NotImplementedError

    def told(self, job: Job) -> None:
        raise NotImplementedError

    def left(self, id: Any) -> None:
        """Nobody waits for the response to that request."""
        self.listening.pop(id, None)

    def start(self, name: str, arguments: Json, say: Say, token: Any = None) -> Job:
        def step(done: int) -> None:
            if token is not None:
                params = {"progressToken": token, "progress": done}
                say({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})

        job = Job(arguments, self.told, step)
        self.jobs[job.id] = job
        job.begin(WORKS[name])
        return job

    def job(self, params: Json) -> Job:
        found = self.jobs.get(params.get("taskId", ""))
        if found is None:
            raise Fault(-32602, "no such task")
        return found


class Modern(Server):
    foreign = "initialize"

    async def carry(self, message: Json, say: Say) -> Json:
        method, params = message["method"], message.get("params") or {}
        meta = params.get("_meta") or {}
        knows = EXTENSION in (meta.get(f"{OWN}clientCapabilities", {}).get("extensions") or {})
        if method == "subscriptions/listen":
            result = await self.listen(message["id"], params, say, knows=knows)
        else:
            result = self.result(method, params, knows=knows)
        return {"resultType": "complete", **result, "_meta": {f"{OWN}serverInfo": INFO}}

    def result(self, method: str, params: Json, *, knows: bool) -> Json:
        if method == "server/discover":
            capabilities: Json = {"tools": {}, "extensions": {EXTENSION: {}}}
            return {"supportedVersions": [MODERN], "capabilities": capabilities, **LISTS_KEPT}
        if method == "tools/list":
            return {"tools": listed(legacy=False), **LISTS_KEPT}
        if method == "tools/call":
            return self.call(params, knows=knows)
        if method not in ABOUT_ONE:
            raise Fault(-32601, "method not found")
        if not knows:
            raise Fault(-32021, "the client knows no tasks", REQUIRED)
        return self.about(self.job(params), method, params)

    def about(self, job: Job, method: str, params: Json) -> Json:
        if method == "tasks/get":
            return job.detailed()
        if method == "tasks/cancel":
            job.cancel()
        for key, answer in params.get("inputResponses", {}).items():
            job.answer(key, answer)
        return {}

    def call(self, params: Json, *, knows: bool) -> Json:
        name, arguments = params["name"], params.get("arguments") or {}
        if name == "greet":
            return text(f"Hello, {arguments.get('name')}!")
        if name not in WORKS:
            raise Fault(-32602, "no such tool")
        if not knows and name in OPTIONAL:
            return text("computed at once")
        if not knows:
            raise Fault(-32021, "the tool runs as a task only", REQUIRED)
        if name == "test_tool_with_task":
            answer = params.get("inputResponses", {}).get("user_name")
            if answer is None:
                schema = {"type": "object", "properties": {"name": {"type": "string"}}}
                asked = {"mode": "form", "message": "Who?", "requestedSchema": schema}
                asking = {"user_name": {"method": "elicitation/create", "params": asked}}
                return {"resultType": "input_required", "inputRequests": asking}
            arguments = {"user_name": answer["content"]["name"]}
        return {"resultType": "task", **self.start(name, arguments, lambda _: None).modern()}

    async def listen(self, id: Any, params: Json, say: Say, *, knows: bool) -> Json:
        wanted = params["notifications"].get("taskIds")
        if wanted and not knows:
            raise Fault(-32021, "the client knows no tasks", REQUIRED)
        ids = [each for each in wanted or () if each in self.jobs]
        self.listening[id] = (frozenset(ids), say)
        honoured = {"taskIds": ids} if ids else {}
        self.tag(id, "notifications/subscriptions/acknowledged", {"notifications": honoured}, say)
        try:
            await asyncio.Event().wait()
        finally:
            self.left(id)
        return {}

    def told(self, job: Job) -> None:
        for id, (ids, say) in self.listening.items():
            if job.id in ids:
                self.tag(id, "notifications/tasks", job.detailed(), say)

    def tag(self, id: Any, method: str, params: Json, say: Say) -> None:
        tagged = {**params, "_meta": {f"{OWN}subscriptionId": id}}
        say({"jsonrpc": "2.0", "method": method, "params": tagged})


class Legacy(Server):
    foreign = "server/discover"

    async def carry(self, message: Json, say: Say) -> Json:
        method, params = message["method"], message.get("params") or {}
        if method == "initialize":
            tasks: Json = {"list": {}, "cancel": {}, "requests": {"tools": {"call": {}}}}
            can = {"tools": {}, "tasks": tasks}
            return {"protocolVersion": LEGACY, "capabilities": can, "serverInfo": INFO}
        if method == "ping":
            return {}
        if method == "tools/list":
            return {"tools": listed(legacy=True)}
        if method == "tools/call":
            return self.call(params)
        if method == "tasks/list":
            return {"tasks": [job.legacy() for job in self.jobs.values()]}
        return await self.about(self.job(params), method, say)

    async def about(self, job: Job, method: str, say: Say) -> Json:
        if method == "tasks/result":
            return await self.result(job, say)
        if method == "tasks/cancel":
            if job.status in ENDED:
                raise Fault(-32602, "the task has ended already")
            job.cancel()
        elif method != "tasks/get":
            raise Fault(-32601, "method not found")
        return job.legacy()

    def call(self, params: Json) -> Json:
        name, arguments = params["name"], params.get("arguments") or {}
        if name == "greet":
            return text(f"Hello, {arguments.get('name')}!")
        if "task" not in params and name in OPTIONAL:
            return text("computed at once")
        if "task" not in params or name not in WORKS:
            raise Fault(-32601, "the tool runs as a task only")
        token = (params.get("_meta") or {}).get("progressToken")
        job = self.start(name, arguments, self.everybody, token)
        job.ttl = params["task"].get("ttl", job.ttl)
        return {"task": job.legacy()}

    async def result(self, job: Job, say: Say) -> Json:
        """Asks on the stream of its request what the job wants to know."""
        while job.status not in ENDED:
            changed = job.changed
            for key, request in tuple(job.asked.items()):
                job.answer(key, await self.ask(job, key, request, say))
            if changed is job.changed:
                await changed.wait()
        if job.status == "cancelled":
            raise Fault(-32602, "the task was cancelled")
        if "error" in job.outcome:
            raise Fault(job.outcome["error"]["code"], job.outcome["error"]["message"])
        result: Json = job.outcome["result"]
        return {**result, "_meta": {f"{OWN}related-task": {"taskId": job.id}}}

    async def ask(self, job: Job, key: str, request: Json, say: Say) -> Json:
        id = f"{job.id}-{key}"
        answer = self.waiting[id] = asyncio.get_running_loop().create_future()
        meta = {"_meta": {f"{OWN}related-task": {"taskId": job.id}}}
        say({"jsonrpc": "2.0", "id": id, **request, "params": {**request["params"], **meta}})
        return await answer

    def told(self, job: Job) -> None:
        method = "notifications/tasks/status"
        self.everybody({"jsonrpc": "2.0", "method": method, "params": job.legacy()})


async def over_pipes(server: Server) -> None:
    reader = asyncio.StreamReader(limit=1 << 24)
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    answering: dict[Any, asyncio.Task[None]] = {}

    def say(message: Json) -> None:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

    async def answer(message: Json) -> None:
        response = await server.answer(message, say)
        if response is not None:
            say(response)

    server.everybody = say
    while line := await reader.readline():
        message = json.loads(line)
        if message.get("method") == "notifications/cancelled":
            gone = answering.get(message["params"]["requestId"])
            if gone is not None:
                gone.cancel()
        elif message.get("method") == server.foreign:
            error = {"code": -32601, "message": "method not found"}
            say({"jsonrpc": "2.0", "id": message["id"], "error": error})
        else:
            answering[message.get("id")] = asyncio.create_task(answer(message))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--http", type=int, metavar="PORT", help="0 for any; stdio without it")
    parser.add_argument("--view", choices=("modern", "legacy"), required=True)
    chosen = parser.parse_args()
    server: Server = Modern() if chosen.view == "modern" else Legacy()
    if chosen.http is None:
        asyncio.run(over_pipes(server))
    else:
        asyncio.run(Web(server, modern=chosen.view == "modern").serve(chosen.http))


if __name__ == "__main__":
    main()
