"""Capability files, from their YAML to a real server's answer."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from aiohttp import web

from gateway.backends.base import Backend
from gateway.backends.cache import Cache
from gateway.backends.mock import MockBackend
from gateway.backends.rest import RestBackend
from gateway.capability.compiled import CompiledCapability
from gateway.capability.load import load
from gateway.credentials.redact import Redactor
from gateway.domain.call import Call
from gateway.domain.identity import Identity
from gateway.domain.listing import Status
from gateway.domain.tool import Tool, ToolRef, ToolResult
from gateway.errors import BackendUnavailable, BadResponse, InvalidArguments, UpstreamFailed
from gateway.http.outgoing import Outgoing
from tests.peers.faulty_http import faulty
from tests.peers.web import Handler, serving

FILE = """\
capability: 1
name: items
description: Items in stock
base_url: {base}
secrets: {{key: env:ITEMS_KEY}}
auth: {{header: {{X-Api-Key: "{{{{ secrets.key }}}}"}}}}
retry: {{max: 2, max_wait: 1s}}
tools:
  get_item:
    description: One item by its number.
    args: {{id: {{type: string, required: true}}}}
    get: /items/{{{{ args.id }}}}
    response: {{map: {{name: $.name, key: $.key}}}}
    examples:
      - args: {{id: "7"}}
        reply: {{json: {{name: seven}}}}
        result: {{name: seven}}
  kept_item:
    description: One item, kept for a while.
    args: {{id: {{type: string, required: true}}}}
    get: /items/{{{{ args.id }}}}
    cache: {{ttl: 60s, revalidate: true}}
  buy_item:
    description: Buys an item.
    args: {{id: {{type: string, required: true}}}}
    post: /items/{{{{ args.id }}}}/orders
"""


def compiled(base: str, environ: Mapping[str, str] | None = None) -> CompiledCapability:
    keys = {"ITEMS_KEY": "k3y-of-items"} if environ is None else environ
    data = FILE.format(base=base).encode()
    loaded = load(data, "items.yaml", environ=keys, redactor=Redactor())
    assert loaded.capability is not None, loaded.issues
    return loaded.capability


@contextlib.asynccontextmanager
async def items(handler: Handler) -> AsyncIterator[RestBackend]:
    outgoing = Outgoing()
    async with serving(handler) as port:
        yield RestBackend(compiled(f"http://127.0.0.1:{port}/v1"), outgoing, Cache())
    await outgoing.aclose()


async def call(backend: Backend, tool: str, caller: str = "ann", **arguments: Any) -> ToolResult:
    listed = Tool(ToolRef("items", tool), {"name": tool})
    deadline = asyncio.get_running_loop().time() + 5
    return await backend.call(Call("1", listed, arguments, Identity(caller), deadline))


async def echo(request: web.Request) -> web.Response:
    key = request.headers.get("X-Api-Key")
    return web.json_response({"name": request.raw_path, "key": key, "extra": 1})


async def test_a_call_goes_from_yaml_to_a_real_answer_and_back() -> None:
    async with items(echo) as backend:
        result = await call(backend, "get_item", id="a/b c")
    assert json.loads(result.structured or b"") == {"name": "/v1/items/a%2Fb%20c", "key": "***"}


async def test_a_value_that_would_leave_its_place_is_not_sent() -> None:
    """I47."""
    async with items(echo) as backend:
        for value in ("..", "../../admin", "%2e%2e", ""):
            with pytest.raises(InvalidArguments):
                await call(backend, "get_item", id=value)


async def test_statuses_that_pass_are_tried_again_for_a_get_and_not_for_a_post() -> None:
    asked: list[str] = []

    async def busy_once(request: web.Request) -> web.Response:
        asked.append(request.method)
        if asked.count(request.method) == 1:
            return web.Response(status=503, headers={"Retry-After": "0"})
        return await echo(request)

    async with items(busy_once) as backend:
        assert (await call(backend, "get_item", id="1")).structured
        with pytest.raises(UpstreamFailed, match="HTTP 503"):
            await call(backend, "buy_item", id="1")
    assert asked == ["GET", "GET", "POST"]


async def test_a_long_wait_is_told_and_not_waited() -> None:
    async def limited(_: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "47"})

    async with items(limited) as backend:
        with pytest.raises(UpstreamFailed) as caught:
            await call(backend, "get_item", id="1")
    assert "retry after 47 s" in caught.value.explain()


async def test_a_kept_answer_costs_one_request_for_each_caller() -> None:
    """I38."""
    asked: list[str] = []

    async def counted(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({"n": len(asked)})

    async with items(counted) as backend:
        results = [
            await call(backend, "kept_item", who, id="1") for who in ("ann", "ann", "bob", "ann")
        ]
    assert [json.loads(result.structured or b"")["n"] for result in results] == [1, 1, 2, 1]


async def test_a_missing_secret_is_named_and_nothing_is_sent() -> None:
    async with faulty() as peer:
        backend = RestBackend(compiled(peer.origin, {}), Outgoing(), Cache())
        assert backend.listing.health.status is Status.DEGRADED
        with pytest.raises(BackendUnavailable, match="missing secret env:ITEMS_KEY"):
            await call(backend, "get_item", id="1")
        assert peer.connections == 0


async def test_an_api_on_a_private_address_needs_to_be_named_as_one() -> None:
    """I48."""
    backend = RestBackend(compiled("http://0x7f.0.0.1:9"), Outgoing(), Cache())
    with pytest.raises(BackendUnavailable, match="not at a public address"):
        await call(backend, "get_item", id="1")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<html>sorry</html>", "application/json"),
        (b'{"a": NaN}', "application/json"),
        (b'{"a": 1', "application/json; charset=nonsense"),
        (b"\xff\xfe{\x00}", "application/json"),
        (b"[" * 100_000, "application/json"),
    ],
)
async def test_an_unreadable_answer_is_a_bad_response(body: bytes, content_type: str) -> None:
    """I58, F6."""

    async def broken(_: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Type": content_type})

    async with items(broken) as backend:
        with pytest.raises(BadResponse):
            await call(backend, "get_item", id="1")


@pytest.mark.parametrize("status", [204, 200])
async def test_an_empty_answer_is_an_empty_result(status: int) -> None:
    """I58."""

    async def empty(_: web.Request) -> web.Response:
        return web.Response(status=status)

    async with items(empty) as backend:
        result = await call(backend, "get_item", id="1")
    assert result.structured == b"{}"


async def test_a_mock_answers_from_the_examples_without_secret_or_network() -> None:
    backend = MockBackend(compiled("http://127.0.0.1:9", {}))
    await backend.start(lambda: None, print)
    assert backend.listing.health.status is Status.OK
    result = await call(backend, "get_item", id="7")
    assert json.loads(result.structured or b"") == {"name": "seven"}
    with pytest.raises(InvalidArguments):
        await call(backend, "get_item")
    with pytest.raises(UpstreamFailed, match="501"):
        await call(backend, "buy_item", id="7")
    await backend.aclose()
