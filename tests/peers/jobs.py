"""An API of long jobs and long lists, which tells a test who asked what of it.

`POST /jobs` answers 202 with a Location; the job is over after as many looks as it was told to
take. `/items` has numbered items and a cursor; `/ticks` is a stream that ends when it is told to.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

ITEMS = [{"id": number} for number in range(1, 24)]
PAGE = 10


@dataclass
class Job:
    """`given` is the body that began it, `looks` how often it was asked after."""

    given: dict[str, Any]
    looks: int = 0

    @property
    def over(self) -> bool:
        return bool(self.looks >= self.given["looks"])


class Jobs:
    """`answer` is a handler for `tests.peers.web.serving`."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.asked: list[str] = []  # method and path with its query, in order
        self.left = 0  # streams whose reader went away
        self._ids = itertools.count(1)
        self._turned = asyncio.Event()

    async def until(self, seen: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not seen():
                self._turned.clear()
                await self._turned.wait()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path_qs}")
        try:
            match [request.method, *request.path.split("/")[1:]]:
                case ["POST", "jobs"]:
                    return self._begin(await request.json())
                case ["GET", "jobs", id]:
                    return self._look(id)
                case ["GET", "jobs", id, "result"]:
                    return web.json_response({"rows": [{"of": id, "n": 1}, {"of": id, "n": 2}]})
                case ["GET", "items"]:
                    return self._page(request)
                case ["GET", "ticks"]:
                    return await self._tick(request)
            return web.json_response({"message": "no such thing"}, status=404)
        finally:
            self._turned.set()

    def _begin(self, given: dict[str, Any]) -> web.Response:
        id = str(next(self._ids))
        self.jobs[id] = Job(given)
        where = given.get("location", f"/jobs/{id}")
        headers = {"Location": where, "Retry-After": given.get("after", "0")}
        return web.json_response({"id": id, "state": "queued"}, status=202, headers=headers)

    def _look(self, id: str) -> web.Response:
        job = self.jobs[id]
        job.looks += 1
        far = {"done": job.looks, "of": job.given["looks"]}
        if not job.over:
            body = {"id": id, "state": "running", **far}
            return web.json_response(body, status=202)
        body = {"id": id, "state": job.given.get("ends", "done"), **far}
        return web.json_response({**body, "result": f"/jobs/{id}/result", "why": "it is Monday"})

    def _page(self, request: web.Request) -> web.Response:
        """Its items after `after`, at most `size`; `stuck` gives the same cursor for ever."""
        after, size = int(request.query.get("after", 0)), int(request.query.get("size", PAGE))
        found = ITEMS[after : after + size]
        more = after + size < len(ITEMS)
        cursor = "0" if "stuck" in request.query else str(after + size)
        return web.json_response({"items": found, "next": cursor if more else None})

    async def _tick(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events; without `count` they never end, until the reader leaves."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        count = int(request.query.get("count", 0))
        with contextlib.suppress(ConnectionError):
            for number in range(1, count + 1) if count else itertools.count(1):
                await response.write(
                    b'event: tick\ndata: {"n": %d, "text": "t%d "}\n\n' % ((number,) * 2)
                )
                self._turned.set()
                await asyncio.sleep(0.005)
            return response
        self.left += 1
        return response
