"""Pages, jobs and steps of a capability file, against a real server that counts."""

import asyncio
import contextlib
import json
import math
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.backends.cache import Cache
from gateway.backends.carrier import Chance
from gateway.backends.mock import MockBackend
from gateway.backends.rest import RestBackend
from gateway.capability.compiled import CompiledCapability
from gateway.capability.load import load
from gateway.credentials.redact import Redactor
from gateway.domain.call import Call
from gateway.domain.client import Context
from gateway.domain.identity import Identity
from gateway.domain.tool import Tool, ToolRef, ToolResult
from gateway.errors import DeadlineExceeded, UpstreamFailed
from gateway.http.outgoing import Outgoing
from tests.peers.flowing import FlowingApi
from tests.peers.listener import Listener

FILE = """\
capability: 1
name: api
description: An API
base_url: {base}
retry: {{max: 2, max_wait: 1s}}
tools:
  by_cursor:
    description: Lists things.
    args: {{at: {{type: string}}}}
    get: /things
    query: {{at: "{{{{ args.at }}}}"}}
    paginate:
      items: $.items
      cursor: {{from: $.next, query: at}}
      size: {{query: size, value: 3}}
  by_offset:
    description: Lists things.
    get: /things
    paginate: {{items: $.items, offset: {{query: at}}, size: {{query: size, value: 3}}}}
    examples: [{{args: {{}}, reply: {{json: {{items: [1, 2, 3]}}}}}}]
  by_link:
    description: Lists things.
    get: /things
    paginate: {{items: $.items, link: true}}
  by_url:
    description: Lists things.
    get: /things
    cache: 1m
    paginate: {{items: $.items, next_url: $.url}}
  job:
    description: Runs a job.
    post: /jobs
    json: {{}}
    poll: {{every: 1s, max_wait: 1m}}
    response: {{select: $.rows}}
    examples:
      - args: {{}}
        replies: [{{status: 202, headers: {{Location: /jobs/7}}}}, {{json: {{rows: [8]}}}}]
        result: [8]
  message:
    description: Sends a message.
    idempotency_key: Idempotency-Key
    steps:
      - {{id: who, get: /people, response: {{select: "$.people[0]"}}}}
      - {{id: dm, post: "/people/{{{{ steps.who.id }}}}/messages"}}
    response: {{map: {{path: $.dm.path, to: $.who.name}}}}
  endless:
    description: Lists numbers.
    get: /endless
    paginate:
      items: $.items
      cursor: {{from: $.next, query: at}}
      max_pages: 1000
      max_items: 1000
  hanging:
    description: Lists things.
    get: /hang
    timeout: 1m
    paginate: {{items: $.items, cursor: {{from: $.next, query: at}}}}
  hanging_step:
    description: Makes a thing.
    steps: [{{id: a, get: /people}}, {{id: b, post: /hang}}]
"""


def compiled(base: str) -> CompiledCapability:
    data = FILE.format(base=base).encode()
    loaded = load(data, "api.yaml", environ={}, redactor=Redactor())
    assert loaded.capability is not None, loaded.issues
    return loaded.capability


@contextlib.asynccontextmanager
async def backend(api: FlowingApi, chance: Chance | None = None) -> AsyncIterator[RestBackend]:
    outgoing = Outgoing()
    async with api.serving() as base:
        yield RestBackend(compiled(base), outgoing, Cache(), chance=chance)
        await outgoing.aclose()


async def call(
    backend: RestBackend | MockBackend, tool: str, seconds: float = 5, **arguments: Any
) -> ToolResult:
    listed = Tool(ToolRef("api", tool), {"name": tool})
    deadline = asyncio.get_running_loop().time() + seconds
    return await backend.call(Call("1", listed, arguments, Identity("ann"), deadline))


def value(result: ToolResult) -> Any:
    return json.loads(result.structured or b"null")


async def at_once(_: float) -> None:
    """A wait that takes no time."""


@pytest.mark.parametrize("tool", ["by_cursor", "by_offset", "by_link", "by_url"])
async def test_a_paginated_call_costs_its_pages_and_no_request_more(tool: str) -> None:
    """7 things by 3 are 3 pages."""
    api = FlowingApi()
    async with backend(api) as at:
        result = await call(at, tool)
    assert value(result) == api.things
    assert len(api.asked) == 3
    assert result.meta is None


async def test_a_call_goes_on_from_where_another_stopped() -> None:
    api = FlowingApi(things=20)
    async with backend(api) as at:
        first = await call(at, "by_cursor")
        assert (first.meta or {})["next"] == "15"
        rest = await call(at, "by_cursor", at="15")
    assert value(first) + value(rest) == api.things
    assert len(api.asked) == 5 + 2


async def test_each_page_goes_by_the_cache() -> None:
    api = FlowingApi()
    async with backend(api) as at:
        assert value(await call(at, "by_url")) == value(await call(at, "by_url"))
    assert len(api.asked) == 3


async def test_a_page_that_fails_is_tried_again_alone() -> None:
    api = FlowingApi()
    async with backend(api) as at:
        api.fails = 1
        assert value(await call(at, "by_cursor")) == api.things
        assert len(api.asked) == 4
        api.fails = 9
        with pytest.raises(UpstreamFailed, match="HTTP 503"):
            await call(at, "by_cursor")


async def test_a_job_is_waited_for() -> None:
    api = FlowingApi()
    async with backend(api, Chance(sleep=at_once)) as at:
        assert value(await call(at, "job")) == [1, 2]
    assert api.asked == ["POST /jobs", "GET /jobs/a%2Fb", "GET /jobs/a%2Fb"]


async def test_a_job_that_outlasts_the_call_is_told_of_before_the_call_ends() -> None:
    api = FlowingApi(looks=99)
    async with backend(api) as at, asyncio.timeout(2):
        with pytest.raises(DeadlineExceeded, match=r"it goes on at /jobs/a%2Fb") as caught:
            await call(at, "job", seconds=0.5)
    assert "look at /jobs/a%2Fb later" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("tool", "told"),
    [
        ("by_cursor", [(1, "3 items"), (2, "6 items")]),
        ("job", [(1, "running")]),
        ("message", [(1, "who"), (2, "dm")]),
    ],
)
async def test_a_client_hears_how_far_it_is(tool: str, told: list[tuple[int, str]]) -> None:
    client = Listener()
    context = Context(client=client)
    async with backend(FlowingApi(), Chance(sleep=at_once)) as at:
        listed = Tool(ToolRef("api", tool), {"name": tool})
        await at.call(Call("1", listed, {}, Identity("ann"), math.inf, context))
    heard = [(params["progress"], params["message"]) for _, params in client.heard]
    assert heard == told
    assert {method for method, _ in client.heard} == {"notifications/progress"}


async def test_steps_send_what_came_before_and_one_key() -> None:
    api = FlowingApi()
    async with backend(api) as at:
        result = await call(at, "message")
    assert value(result) == {"path": "/people/u%2F1/messages", "to": "Ann"}
    assert [key is None for key in api.keys] == [True, False]


async def test_all_attempts_of_a_step_have_the_same_key() -> None:
    api = FlowingApi(posts_that_fail=2)
    async with backend(api, Chance(sleep=at_once)) as at:
        await call(at, "message")
    assert [asked[:4] for asked in api.asked] == ["GET ", *["POST"] * 3]
    posted = {key for asked, key in zip(api.asked, api.keys, strict=True) if "POST" in asked}
    assert len(posted) == 1


async def test_what_came_before_the_deadline_is_given() -> None:
    """A list that is known to be cut beats no list."""
    async with backend(FlowingApi()) as at, asyncio.timeout(2):
        result = await call(at, "hanging", seconds=0.6)
    assert value(result) == [0]
    assert (result.meta or {})["next"] == "1"


@pytest.mark.parametrize(("tool", "asked"), [("hanging", 2), ("hanging_step", 2), ("job", 1)])
async def test_a_cancelled_call_stops_at_once_wherever_it_is(tool: str, asked: int) -> None:
    """In a page, in a step, in a wait."""
    api = FlowingApi(looks=99)
    asleep = asyncio.Event()

    async def sleep(_: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    async with backend(api, Chance(sleep=sleep)) as at:
        calling = asyncio.ensure_future(call(at, tool, seconds=60))
        while len(api.asked) < asked:
            api.arrived.clear()
            await api.arrived.wait()
        if tool == "job":
            await asleep.wait()
        async with asyncio.timeout(1):
            calling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await calling
            if tool != "job":
                await api.dropped.wait()
    assert len(api.asked) == asked


async def test_a_call_cancelled_between_pages_asks_for_no_other() -> None:
    api = FlowingApi()
    async with backend(api) as at:
        calling = asyncio.ensure_future(call(at, "endless", seconds=60))
        while len(api.asked) < 5:
            api.arrived.clear()
            await api.arrived.wait()
        async with asyncio.timeout(1):
            calling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await calling
        stopped = len(api.asked)
        await asyncio.sleep(0)
        assert len(api.asked) <= stopped + 1


async def test_a_mock_answers_a_whole_flow() -> None:
    mock = MockBackend(compiled("https://api.example.com"))
    async with asyncio.timeout(1):
        assert value(await call(mock, "job")) == [8]
        assert value(await call(mock, "by_offset")) == [1, 2, 3]
