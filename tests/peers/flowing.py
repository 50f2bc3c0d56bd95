"""An API of pages, jobs and people, that notes every request; some of it never answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from tests.peers.web import serving


class FlowingApi:
    """`things` are paged; a job is done after `looks` looks; `/hang` never answers.

    `asked` are the requests, `arrived` is set by each, `dropped` when one was given up by us.
    """

    def __init__(self, things: int = 7, looks: int = 2, posts_that_fail: int = 0) -> None:
        self.things = list(range(things))
        self.looks = looks
        self.asked: list[str] = []
        self.keys: list[str | None] = []
        self.arrived = asyncio.Event()
        self.dropped = asyncio.Event()
        self.fails = 0
        self.posts_that_fail = posts_that_fail

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Gives its origin."""
        async with serving(self.answer, notices=True) as port:
            yield f"http://127.0.0.1:{port}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.raw_path}")
        self.keys.append(request.headers.get("Idempotency-Key"))
        self.arrived.set()
        if self._fails(request.method):
            return web.Response(status=503, headers={"Retry-After": "0"})
        of_path = getattr(self, f"_{request.path.split('/')[1]}")
        found: web.StreamResponse = await of_path(request)
        return found

    def _fails(self, method: str) -> bool:
        if method == "POST" and self.posts_that_fail:
            self.posts_that_fail -= 1
            return True
        failing = self.fails > 0
        self.fails -= failing
        return failing

    async def _things(self, request: web.Request) -> web.Response:
        """By offset, with every way on that there is."""
        size = int(request.query.get("size", "3"))
        at = int(request.query.get("at", "0"))
        page, following = self.things[at : at + size], at + size
        headers, more = {}, following < len(self.things)
        if more:
            headers["Link"] = f'</things?at={following}&size={size}>; rel="next"'
        url = f"/things?at={following}&size={size}#more" if more else None
        body = {"items": page, "next": str(following) if more else None, "url": url}
        return web.json_response(body, headers=headers)

    async def _jobs(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            return web.json_response({}, status=202, headers={"Location": "/jobs/a%2Fb"})
        self.looks -= 1
        if self.looks > 0:
            return web.json_response({"state": "running"}, status=202)
        return web.json_response({"rows": [1, 2]})

    async def _people(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            return web.json_response({"id": "m1", "path": request.raw_path})
        return web.json_response({"people": [{"id": "u/1", "name": "Ann"}]})

    async def _endless(self, request: web.Request) -> web.Response:
        at = int(request.query.get("at", "0"))
        return web.json_response({"items": [at], "next": str(at + 1)})

    async def _hang(self, request: web.Request) -> web.Response:
        if request.query.get("at") is None and request.method == "GET":
            return web.json_response({"items": [0], "next": "1"})
        try:
            await asyncio.Event().wait()
        finally:
            self.dropped.set()
        raise AssertionError
