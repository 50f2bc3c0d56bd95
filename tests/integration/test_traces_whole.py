"""W3C Trace Context through the whole gateway: as it came, or as ours where it sends traces."""

import asyncio
import contextlib
import gc
import json
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from gateway import app
from gateway.config.load import Source, understand
from gateway.observe.otel import Told
from gateway.observe.traces import Settings
from gateway.runtime.configured import Configured
from gateway.runtime.waiting import settled
from tests.peers import mcp_http
from tests.peers.collector import Collector, collecting
from tests.peers.mcp_wire_sdk import served
from tests.peers.programs import ROOT, free_port
from tests.peers.traced_server import server
from tests.peers.web import serving

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT, STATE = f"00-{TRACE}-{SPAN}-01", "rojo=00f067aa0ba902b7"
OURS = re.compile(rf"00-{TRACE}-(?!{SPAN})([0-9a-f]{{16}})-01")

FILE = """\
capability: 1
name: api
description: Tells what it was sent
base_url: {base}
secrets: {{token: env:TRACED_TOKEN}}
auth: {{bearer: "{{{{ secrets.token }}}}"}}
tools:
  plain: {{description: Reads., get: /plain}}
  own: {{description: Reads., get: /own, headers: {{Traceparent: mine}}}}
  kept: {{description: Reads., get: /kept, cache: 5m}}
  moved: {{description: Reads., get: /moved}}
  flow:
    description: Reads twice.
    steps:
      - {{id: one, get: /one}}
      - {{id: two, get: /two}}
"""


@dataclass
class World:
    """`ask` calls a tool as a modern client, and gives what it answers."""

    http: mcp_http.McpHttp
    api: list[dict[str, str]]
    parts: app.Parts

    async def ask(
        self, backend: str, tool: str, meta: dict[str, Any] | None = None, **headers: str
    ) -> Any:
        arguments = {"server": backend, "tool": tool, "arguments": {}}
        params = {"name": "gateway_invoke", "arguments": arguments, "_meta": meta or {}}
        self.http.http.headers.update(headers)
        async with self.http.modern("tools/call", params, "r-1") as response:
            answer = await response.json()
        for name in headers:
            del self.http.http.headers[name]
        return answer["result"]


def text(result: Any) -> Any:
    return json.loads(result["content"][0]["text"])


@contextlib.asynccontextmanager
async def world(
    folder: Path, settings: str = "", collector: Collector | None = None
) -> AsyncIterator[World]:
    """A REST API and two MCP servers behind the gateway."""
    seen: list[dict[str, str]] = []

    async def handle(request: web.Request) -> web.Response:
        if request.path == "/moved":
            raise web.HTTPFound("/there")
        names = ("traceparent", "tracestate", "baggage")
        found = {name: request.headers[name] for name in names if name in request.headers}
        seen.append({"path": request.path, **found})
        return web.json_response(seen[-1])

    async with (
        serving(handle) as port,
        served(server.streamable_http_app()) as origin,
        aiohttp.ClientSession() as http,
    ):
        capabilities = folder / "capabilities"
        capabilities.mkdir(exist_ok=True)
        (capabilities / "api.yaml").write_text(FILE.format(base=f"http://127.0.0.1:{port}"))
        piped = [sys.executable, "-m", "tests.peers.traced_server"]
        lines = f"""\
server: {{port: 0}}
log: {{level: warning}}
capabilities: {{directories: [{capabilities}]}}
backends:
  web: {{http_url: "{origin}/mcp"}}
  piped: {{command: {json.dumps(piped)}, cwd: {ROOT}}}
{settings}"""
        if collector is not None:
            lines += f"telemetry: {{enabled: true, endpoint: '{collector.url}'}}\n"
        source = Source(str(folder / "gateway.yaml"))
        (folder / "gateway.yaml").write_text(lines)
        loaded = understand(lines.encode(), source.file, {}, {})
        assert loaded.config is not None, loaded.issues
        configured = Configured(source, loaded.config, lambda d: understand(d, source.file, {}, {}))
        async with app.listening(configured) as (parts, number):
            await settled(parts.current, 20)
            yield World(mcp_http.McpHttp(http, f"http://127.0.0.1:{number}/mcp"), seen, parts)


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACED_TOKEN", "t0ken-of-the-api")


async def test_what_came_is_handed_on_to_a_rest_api(tmp_path: Path) -> None:
    async with world(tmp_path) as gateway:
        meta = {"traceparent": PARENT, "tracestate": STATE, "baggage": "user=ann"}
        assert text(await gateway.ask("api", "plain", meta)) == {
            "path": "/plain",
            "traceparent": PARENT,
            "tracestate": STATE,
        }
        assert text(await gateway.ask("api", "moved", meta))["traceparent"] == PARENT
        assert text(await gateway.ask("api", "plain")) == {"path": "/plain"}
        await gateway.ask("api", "flow", meta)
        assert [one.get("traceparent") for one in gateway.api[-2:]] == [PARENT, PARENT]


async def test_headers_count_where_meta_says_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as gateway:
        other = PARENT.replace(SPAN, "1" * 16)
        told = await gateway.ask("api", "plain", {"traceparent": PARENT}, traceparent=other)
        assert text(told)["traceparent"] == PARENT
        told = await gateway.ask("api", "plain", traceparent=other)
        assert text(told)["traceparent"] == other
        told = await gateway.ask("api", "plain", {"traceparent": "nonsense"}, traceparent=other)
        assert text(told)["traceparent"] == other


async def test_what_is_no_trace_context_goes_no_further(tmp_path: Path) -> None:
    async with world(tmp_path) as gateway:
        bad = {"traceparent": f"{PARENT}\r\nX-Evil: 1", "tracestate": "a=b\r\nX-Evil: 1"}
        assert text(await gateway.ask("api", "plain", bad)) == {"path": "/plain"}
        for backend in ("web", "piped"):
            told = text(await gateway.ask(backend, "where", bad))
            assert (told["trace"], told["header"]) == ("0" * 32, None)


async def test_a_file_that_says_it_itself_wins_and_a_kept_answer_is_for_all(tmp_path: Path) -> None:
    async with world(tmp_path) as gateway:
        meta = {"traceparent": PARENT, "tracestate": STATE}
        own = text(await gateway.ask("api", "own", meta))
        assert own == {"path": "/own", "traceparent": "mine"}
        for one in (meta, {"traceparent": PARENT.replace(SPAN, "1" * 16)}, {}):
            assert text(await gateway.ask("api", "kept", one))["traceparent"] == PARENT
        assert [one["path"] for one in gateway.api].count("/kept") == 1


@pytest.mark.parametrize("backend", ["web", "piped"])
async def test_what_came_is_handed_on_to_an_mcp_server(tmp_path: Path, backend: str) -> None:
    async with world(tmp_path) as gateway:
        meta = {"traceparent": PARENT, "tracestate": STATE, "baggage": "user=ann"}
        told = text(await gateway.ask(backend, "where", meta))
        assert (told["trace"], told["span"], told["state"]) == (TRACE, SPAN, STATE)
        assert told["baggage"] == "user=ann"
        assert told["header"] == (PARENT if backend == "web" else None)
        by_header = text(await gateway.ask(backend, "where", traceparent=PARENT))
        assert (by_header["trace"], by_header["span"]) == (TRACE, SPAN)


async def test_our_span_is_below_the_callers_and_above_the_backends(tmp_path: Path) -> None:
    async with collecting() as collector:
        async with world(tmp_path, collector=collector) as gateway:
            meta = {"traceparent": PARENT, "tracestate": STATE}
            rest = text(await gateway.ask("api", "plain", meta))
            mcp = {name: text(await gateway.ask(name, "where", meta)) for name in ("web", "piped")}
            assert collector.spans == []  # they wait for a batch
        by_backend = {one.attributes["capgate.backend"]: one for one in collector.spans}
        assert {one.parent for one in collector.spans} == {SPAN}
        assert {one.trace for one in collector.spans} == {TRACE}
        assert rest["traceparent"] == f"00-{TRACE}-{by_backend['api'].id}-01"
        assert rest["tracestate"] == STATE
        for name, told in mcp.items():
            assert (told["trace"], told["span"]) == (TRACE, by_backend[name].id)
        assert OURS.fullmatch(mcp["web"]["header"])


async def test_a_span_says_what_the_conventions_want_and_nothing_of_the_call(
    tmp_path: Path,
) -> None:
    async with collecting() as collector:
        async with world(tmp_path, collector=collector) as gateway:
            await gateway.ask("api", "plain")
            await gateway.ask("web", "fail")
            await gateway.ask("web", "nothing_of_the_kind")
        good, bad = collector.spans
        assert (good.name, good.kind, good.parent) == ("tools/call plain", 2, "")
        assert good.attributes == {
            "mcp.method.name": "tools/call",
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "plain",
            "jsonrpc.request.id": "r-1",
            "capgate.backend": "api",
            "capgate.call_id": good.attributes["capgate.call_id"],
            "capgate.caller": "anonymous",
            "capgate.outcome": "ok",
        }
        assert bad.failed
        assert bad.attributes["error.type"] == "tool_error"
        assert collector.resource["service.name"] == "capgate"
        assert b"canary" not in collector.raw


async def test_a_trace_that_its_caller_does_not_keep_is_not_sent_and_still_handed_on(
    tmp_path: Path,
) -> None:
    async with collecting() as collector:
        async with world(tmp_path, collector=collector) as gateway:
            told = await gateway.ask("api", "plain", {"traceparent": f"00-{TRACE}-{SPAN}-00"})
            assert text(told)["traceparent"].startswith(f"00-{TRACE}-")
            assert text(told)["traceparent"].endswith("-00")
        assert collector.spans == []


async def test_a_collector_that_fails_costs_no_call_and_is_told_of_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with collecting() as collector:
        collector.broken = True
        async with world(tmp_path, collector=collector) as gateway:
            assert text(await gateway.ask("api", "plain"))["path"] == "/plain"
        told = capsys.readouterr().err
    assert told.count("traces_lost") == 1
    assert "/v1/traces" not in told
    assert "Traceback" not in told


async def test_a_collector_that_goes_and_comes_back_is_told_of_at_each_turn(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with collecting() as collector:
        told = Told(Settings(collector.url))
        span = TracerProvider(shutdown_on_exit=False).get_tracer("test").start_span("one")
        span.end()
        assert isinstance(span, ReadableSpan)
        caplog.set_level("INFO")
        for broken in (False, True, True, False, False):
            collector.broken = broken
            await asyncio.to_thread(told.export, [span])
        told.shutdown()
    ours = [one.message for one in caplog.records if one.name == "gateway.observe.otel"]
    assert ours == ["traces_lost", "traces_sent_again"]


@pytest.mark.parametrize("how", ["endless", "elsewhere"])
async def test_of_what_a_collector_answers_the_status_alone_counts(
    how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """2 GB of an answer were read into memory, and all calls waited for half a second."""
    said = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal said
        await request.read()
        if how == "elsewhere":
            return web.Response(status=302, headers={"Location": str(request.url)})
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while said < 256 << 20:
                await response.write(b"x" * (1 << 20))
                said += 1 << 20
        return response

    span = TracerProvider(shutdown_on_exit=False).get_tracer("test").start_span("one")
    span.end()
    assert isinstance(span, ReadableSpan)
    async with serving(answer) as port, asyncio.timeout(10):
        told = Told(Settings(f"http://127.0.0.1:{port}/v1/traces"))
        await asyncio.to_thread(told.export, [span])
        told.shutdown()
    assert said < 64 << 20
    lost = [one for one in caplog.records if one.message == "traces_lost"]
    assert len(lost) == (how == "elsewhere")


def test_a_batch_that_cannot_be_sent_is_let_go_at_once() -> None:
    """Each reload kept one that was on its way for good: 250 kB a time."""
    told = Told(Settings(f"http://127.0.0.1:{free_port()}/v1/traces", timeout=0.5))
    span = TracerProvider(shutdown_on_exit=False).get_tracer("test").start_span("one")
    span.end()
    assert isinstance(span, ReadableSpan)
    told.export([span])
    gc.collect()
    gc.disable()
    try:
        told.export([span])
        assert gc.collect() == 0
    finally:
        gc.enable()
        told.shutdown()


async def test_a_collector_that_never_answers_holds_up_the_end_for_its_timeout_alone(
    tmp_path: Path,
) -> None:
    async with collecting() as collector:
        collector.hanging = True
        settings = f"telemetry: {{enabled: true, endpoint: '{collector.url}', timeout: 200ms}}\n"
        async with world(tmp_path, settings) as gateway:
            await gateway.ask("api", "plain")
            loop = asyncio.get_running_loop()
            ending = loop.time()
        assert loop.time() - ending < 5
        assert collector.asked.is_set()
