"""Calls of several requests through the whole gateway, as a real MCP client sees them.

Long jobs, pages, steps and streams: what each comes to, the progress that is told on the way, and
that nothing goes on for a client that has left (issue 4, "on a client's cancel").
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from mcp import Client, types

from tests.integration.conftest import Start
from tests.peers.jobs import ITEMS, PAGE, Jobs
from tests.peers.web import serving

both_eras = pytest.mark.parametrize("mode", ["auto", "legacy"])

FILE = """
capability: 1
description: Long jobs and long lists
base_url: {url}
tools:
  wait:
    description: Start a job and wait until it is no longer 202.
    args: &job
      looks: {{type: integer, required: true}}
      after: {{type: string}}
      location: {{type: string}}
      ends: {{type: string}}
    post: /jobs
    json: "{{{{ args }}}}"
    poll: {{every: 10ms}}
    response: {{map: {{id: $.id, looks: $.done}}}}
  report:
    description: Start a job, and read its rows when it is done.
    args: *job
    post: /jobs
    json: "{{{{ args }}}}"
    poll:
      every: 10ms
      until: body.state in ['done', 'failed']
      fail_when: body.state == 'failed'
      message: "The job failed: {{{{ body.why }}}}"
      progress: $.done
      then: $.result
    response: {{select: "$.rows", map: $.n}}
  patient:
    description: Start a job, and look once an hour.
    args: *job
    post: /jobs
    json: "{{{{ args }}}}"
    poll: {{every: 1h, max_wait: 2h}}
    response: {{select: $.done}}
  hasty:
    description: Start a job, and give up soon.
    args: *job
    post: /jobs
    json: "{{{{ args }}}}"
    poll: {{every: 10ms, max_wait: 100ms}}
  items:
    description: Items of several pages.
    args: {{after: {{type: string}}, stuck: {{type: boolean}}}}
    get: /items
    query: "{{{{ args }}}}"
    paginate:
      items: $.items
      cursor: {{from: $.next, query: after}}
      size: {{query: size, value: 10}}
    response: {{map: $.id}}
  first_items:
    description: Items of two pages at most.
    args: {{after: {{type: string}}}}
    get: /items
    query: {{after: "{{{{ args.after }}}}"}}
    paginate: {{items: $.items, cursor: {{from: $.next, query: after}}, max_pages: 2}}
  ticks:
    description: A stream of ticks.
    args: {{count: {{type: integer}}}}
    get: /ticks
    query: {{count: "{{{{ args.count }}}}"}}
    response: {{as: sse, each: $.text, join: ""}}
  job_of:
    description: The rows of the job that a first job's name leads to.
    args: {{looks: {{type: integer, default: 1}}}}
    steps:
      - {{id: begun, post: /jobs, json: {{looks: "{{{{ args.looks }}}}"}}}}
      - {{id: seen, get: "/jobs/{{{{ steps.begun.id }}}}/result"}}
    response: {{map: {{job: $.begun.id, rows: "$.seen.rows[*].n"}}}}
"""


@dataclass(frozen=True)
class World:
    """`url` is that of `/mcp`."""

    url: str
    jobs: Jobs

    async def call(
        self, tool: str, /, *, mode: str = "auto", heard: list[float] | None = None, **args: Any
    ) -> types.CallToolResult:
        """Through `gateway_invoke`; with `heard`, progress is asked for and goes there."""

        async def hear(progress: float, *_: object) -> None:
            assert heard is not None
            heard.append(progress)

        named = {"server": "jobs", "tool": tool, "arguments": args}
        callback = hear if heard is not None else None
        async with Client(self.url, mode=mode) as client:
            return await client.call_tool("gateway_invoke", named, progress_callback=callback)

    async def result(self, tool: str, /, **args: Any) -> Any:
        told = await self.call(tool, **args)
        assert not told.is_error, told.content
        return plain(told)

    async def refusal(self, tool: str, /, **args: Any) -> str:
        told = await self.call(tool, **args)
        assert told.is_error, told.content
        assert isinstance(told.content[0], types.TextContent)
        return told.content[0].text

    def looks(self, id: str = "1") -> int:
        return self.jobs.jobs[id].looks


def plain(told: types.CallToolResult) -> Any:
    """What a result is, whether or not its era wraps it."""
    found = told.structured_content
    return found["result"] if isinstance(found, dict) and set(found) == {"result"} else found


@pytest.fixture
async def world(start: Start) -> AsyncIterator[World]:
    jobs = Jobs()
    async with serving(jobs.answer) as port:
        file = FILE.format(url=f"http://127.0.0.1:{port}")
        async with start({"jobs": file}) as gateway:
            yield World(gateway.url, jobs)


# -- long jobs ----------------------------------------------------------------------------------


@both_eras
async def test_a_job_is_asked_after_until_it_is_over(world: World, mode: str) -> None:
    assert await world.result("wait", mode=mode, looks=3) == {"id": "1", "looks": 3}
    assert world.jobs.asked == ["POST /jobs", *["GET /jobs/1"] * 3]


@both_eras
async def test_its_progress_is_told_to_the_client_that_asks_for_it(world: World, mode: str) -> None:
    heard: list[float] = []
    assert await world.result("report", mode=mode, heard=heard, looks=4) == [1, 2]
    assert heard == sorted(set(heard))
    assert {1, 2, 3} <= set(heard)
    assert world.jobs.asked[-1] == "GET /jobs/1/result"


async def test_a_job_that_failed_says_why_and_its_result_is_not_fetched(world: World) -> None:
    assert "The job failed: it is Monday" in await world.refusal("report", looks=2, ends="failed")
    assert world.jobs.asked == ["POST /jobs", *["GET /jobs/1"] * 2]


async def test_what_the_server_says_of_waiting_goes_before_what_the_file_says(world: World) -> None:
    """`every: 1h`, yet `Retry-After: 0`: it is asked after at once."""
    async with asyncio.timeout(5):
        assert await world.result("patient", looks=1, after="0") == 1


async def test_a_job_that_takes_too_long_is_told_with_its_name(world: World) -> None:
    said = await world.refusal("hasty", looks=10_000)
    assert "1" in said
    assert "/jobs/1" in said or "jobs" in said


async def test_a_job_at_another_server_is_not_asked_after(world: World) -> None:
    """T2: our credentials would go there."""
    elsewhere = Jobs()
    async with serving(elsewhere.answer) as port:
        said = await world.refusal("wait", looks=1, location=f"http://127.0.0.1:{port}/jobs/1")
    assert elsewhere.asked == []
    assert world.jobs.asked == ["POST /jobs"]
    assert "another" in said or "origin" in said


# -- leaving ------------------------------------------------------------------------------------


@both_eras
async def test_a_client_that_leaves_ends_the_looking(world: World, mode: str) -> None:
    """Within a second; the looks of a job begun later are the clock."""
    calling = asyncio.create_task(world.call("wait", mode=mode, looks=1_000_000))
    await world.jobs.until(lambda: "1" in world.jobs.jobs and world.looks() >= 2)
    calling.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await calling
    await world.result("wait", looks=3)
    before = world.looks("1")
    await world.result("wait", looks=10)
    assert world.looks("1") == before


async def test_a_client_that_leaves_ends_a_wait_of_an_hour(world: World) -> None:
    calling = asyncio.create_task(world.call("patient", looks=5, after="3600"))
    await world.jobs.until(lambda: world.jobs.jobs)
    calling.cancel()
    async with asyncio.timeout(1):
        with contextlib.suppress(asyncio.CancelledError):
            await calling
    assert world.looks() == 0


@both_eras
async def test_a_client_that_leaves_ends_a_stream(world: World, mode: str) -> None:
    heard: list[float] = []
    calling = asyncio.create_task(world.call("ticks", mode=mode, heard=heard))
    await world.jobs.until(lambda: len(heard) >= 3)
    calling.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await calling
    async with asyncio.timeout(1):
        await world.jobs.until(lambda: world.jobs.left)


# -- pages, steps, streams ----------------------------------------------------------------------


async def test_pages_come_as_one_list_for_as_many_requests(world: World) -> None:
    assert await world.result("items") == [item["id"] for item in ITEMS]
    assert world.jobs.asked == [
        "GET /items?size=10",
        "GET /items?size=10&after=10",
        "GET /items?size=10&after=20",
    ]


async def test_a_list_that_breaks_off_says_where_and_goes_on_there(world: World) -> None:
    told = await world.call("first_items")
    assert not told.is_error
    assert len(plain(told)) == 2 * PAGE
    assert told.meta is not None
    assert told.meta["next"] == "20"
    rest = await world.result("first_items", after="20")
    assert rest == ITEMS[20:]


async def test_a_server_that_gives_the_same_cursor_for_ever_is_asked_no_more(world: World) -> None:
    told = await world.call("items", stuck=True)
    assert not told.is_error
    assert len(world.jobs.asked) <= 3


async def test_a_step_reads_what_came_of_the_one_before(world: World) -> None:
    assert await world.result("job_of") == {"job": "1", "rows": [1, 2]}
    assert world.jobs.asked == ["POST /jobs", "GET /jobs/1/result"]


@both_eras
async def test_a_stream_is_told_as_it_comes_and_joined_at_its_end(world: World, mode: str) -> None:
    heard: list[float] = []
    assert await world.result("ticks", mode=mode, heard=heard, count=3) == "t1 t2 t3 "
    assert heard == [1, 2, 3]


async def test_direct_mode_does_the_same(world: World) -> None:
    async with Client(f"{world.url}/jobs") as client:
        told = await client.call_tool("report", {"looks": 2})
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert json.loads(told.content[0].text) == [1, 2]
    assert listed["items"].annotations.read_only_hint
