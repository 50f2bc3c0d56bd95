"""Capability files with `auth: {forward: …}`, with real MCP clients before the whole gateway."""

import contextlib
import json

import aiohttp
import pytest
from aiohttp import web
from mcp import Client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client

from gateway.errors import InvalidArguments
from tests.integration.conftest import Start
from tests.integration.test_whole import ERAS
from tests.peers.rest_files import Desk, faults
from tests.peers.web import serving

FILE = """\
capability: 1
name: api
description: Wants to know who calls
base_url: {base}
auth: {{forward: {forward}}}
tools:
  ask: {{description: Reads., get: /data}}
  kept: {{description: Reads., get: /kept, cache: 5m}}
"""
FORWARD = "{header: X-Upstream-Authorization}"


class Api:
    def __init__(self):
        self.seen = []

    async def handle(self, request):
        names = ("Authorization", "Cookie", "X-Upstream-Authorization", "X-To", "X-API-Key")
        self.seen.append({name: request.headers[name] for name in names if name in request.headers})
        return web.json_response({"for": self.seen[-1].get("Authorization", "")[-3:]})


@contextlib.asynccontextmanager
async def bench(start, forward=FORWARD):
    api = Api()
    async with serving(api.handle) as port:
        text = FILE.format(base=f"http://127.0.0.1:{port}", forward=forward)
        async with start({"api": text}) as gateway:
            yield api, gateway


@contextlib.asynccontextmanager
async def client(url, mode, **headers):
    async with (
        create_mcp_http_client({name.replace("_", "-"): v for name, v in headers.items()}) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as made,
    ):
        yield made


@ERAS
async def test_one_header_reaches_the_api_and_nothing_else_of_the_caller(start: Start, mode):
    shown = {
        "X_Upstream_Authorization": "Bearer ann",
        "Authorization": "Bearer for-the-gateway",
        "Cookie": "sid=gateway",
        "X_API_Key": "gateway-key",
    }
    async with bench(start) as (api, gateway):
        async with client(gateway.url, mode, **shown) as meta:
            asked = {"server": "api", "tool": "ask", "arguments": {}}
            assert not (await meta.call_tool("gateway_invoke", asked)).is_error
        async with client(f"{gateway.url}/api", mode, **shown) as direct:
            assert not (await direct.call_tool("ask", {})).is_error
        assert api.seen == [{"Authorization": "Bearer ann"}] * 2


@ERAS
async def test_two_callers_never_share_an_answer(start: Start, mode):
    async with bench(start) as (api, gateway):
        told = []
        for who in ("ann", "bob", "ann", "bob"):
            headers = {"X_Upstream_Authorization": f"Bearer {who}"}
            async with client(f"{gateway.url}/api", mode, **headers) as each:
                result = await each.call_tool("kept", {})
                told.append(json.loads(result.content[0].text)["for"])
        assert told == ["ann", "bob", "ann", "bob"]
        assert len(api.seen) == 2


@ERAS
async def test_a_call_without_it_is_told_what_to_send(start: Start, mode):
    async with bench(start) as (api, gateway), Client(f"{gateway.url}/api", mode=mode) as none:
        result = await none.call_tool("ask", {})
        assert result.is_error
        assert "header X-Upstream-Authorization is missing" in result.content[0].text
        assert "not_sent" in result.content[0].text
        assert api.seen == []


async def test_a_header_sent_twice_arrives_as_one_value(start: Start):
    """A legacy batch, too, brings the headers of its POST."""
    async with bench(start) as (api, gateway), aiohttp.ClientSession() as http:
        base = {"Accept": "application/json, text/event-stream"}
        hello = {
            "protocolVersion": "2025-03-26",
            "capabilities": {},
            "clientInfo": {"name": "x", "version": "1"},
        }
        first = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
        async with http.post(f"{gateway.url}/api", json=first, headers=base) as answer:
            session = answer.headers["Mcp-Session-Id"]
        call = {
            "jsonrpc": "2.0",
            "method": "tools/call",
            "params": {"name": "ask", "arguments": {}},
        }
        headers = [*base.items(), ("Mcp-Session-Id", session)]
        headers += [("X-Upstream-Authorization", "a"), ("X-Upstream-Authorization", "b")]
        async with http.post(
            f"{gateway.url}/api", json=[{**call, "id": 2}, {**call, "id": 3}], headers=headers
        ) as answer:
            assert answer.status == 200
            await answer.read()
        assert api.seen == [{"Authorization": "a, b"}] * 2


async def test_what_is_not_required_may_be_absent_and_it_goes_where_it_is_told():
    api = Api()
    async with serving(api.handle) as port, Desk() as desk:
        base = f"http://127.0.0.1:{port}"
        text = FILE.format(base=base, forward="{header: X-Mine, to: X-To, required: false}")
        backend = await desk.open(text)
        await desk.call(backend, "ask")
        await desk.call(backend, "ask", headers={"x-mine": "v"})
        assert api.seen == [{}, {"X-To": "v"}]


@pytest.mark.parametrize("value", ["", "a\r\nX: 1", "a\0", "\ud800", "x" * 20_000])
async def test_a_value_that_is_no_header_is_refused_unseen(value):
    async with Desk() as desk:
        text = FILE.format(base="https://api.example", forward=FORWARD)
        backend = await desk.open(text)
        with pytest.raises(InvalidArguments, match="cannot be handed on") as caught:
            await desk.call(backend, "ask", headers={"x-upstream-authorization": value})
        assert not value or value not in caught.value.explain()


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Authorization", "for the gateway itself"),
        ("cookie", "for the gateway itself"),
        ("X-API-Key", "for the gateway itself"),
        ("Mcp-Session-Id", "for the gateway itself"),
        ("Proxy-Authorization", "for the gateway itself"),
        ("Host", "about the connection"),
        ("Transfer-Encoding", "about the connection"),
        ("X-Forwarded-For", "about the connection"),
        ("a b", "no header name"),
    ],
)
def test_what_is_never_handed_on_is_refused_at_load(header, message):
    text = FILE.format(base="https://api.example", forward=f"{{header: {header}}}")
    [found] = faults(text)
    assert message in found


def test_where_it_goes_must_be_free_and_a_header():
    text = FILE.format(base="https://api.example", forward="{header: X-A, to: Host}")
    assert "belongs to the connection" in faults(text)[0]
    text = FILE.format(base="https://api.example", forward="{header: X-A, to: X-To}")
    assert "set by auth" in faults(f"{text}headers: {{x-to: y}}\n")[0]
