"""`/metrics` of the whole gateway: every request counts once, and nobody makes up a label."""

import json
from pathlib import Path
from typing import Any

from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.test_canaries import KEYS, found
from tests.peers import mcp_http
from tests.peers.secured import Secured, secured
from tests.peers.web import serving

ROOT, ANN = KEYS["written"], KEYS["environment"]
SETTINGS = f"""\
auth:
  enabled: true
  api_keys:
    - {{name: root, key: "{ROOT}", level: admin}}
    - {{name: ann, key: "{ANN}", backends: [shop], rate_limit: 6, level: execute}}
policies: {{all: {{everyone: true, default_level: execute}}}}
failsafe: {{circuit_breaker: {{failure_threshold: 1}}, retry: {{enabled: false}}}}
audit: {{enabled: true, file: audit.jsonl}}
"""


async def numbers(gateway: Secured) -> dict[tuple[str, ...], float]:
    """Name of a sample, then its labels as `name=value` → its value."""
    status, text = await gateway.get("/metrics", ROOT)
    assert status == 200
    assert found(text, list(KEYS.values())) == []
    return {
        (sample.name, *sorted(f"{name}={value}" for name, value in sample.labels.items())): value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        for value in [sample.value]
    }


async def call(gateway: Secured, key: str, tool: str, arguments: dict[str, Any]) -> str:
    params = {"name": tool, "arguments": arguments}
    asked = gateway.asking(key, "tools/call", params, **{"Mcp-Name": tool})
    async with asked as answer:
        return await answer.text()


def invoke(server: str, tool: str) -> dict[str, Any]:
    return {"server": server, "tool": tool, "arguments": {}}


async def test_each_request_counts_once_whatever_became_of_it(tmp_path: Path) -> None:
    async with secured(tmp_path, SETTINGS) as gateway:
        for server, tool in (("shop", "hello"), ("bank", "hello"), ("shop", "x" * 200)):
            await call(gateway, ANN, "gateway_invoke", invoke(server, tool))
        await call(gateway, ANN, "gateway_search_tools", {"query": "hello"})
        await call(gateway, ROOT, "gateway_invoke", invoke("bank", "hello"))
        for _ in range(4):
            await call(gateway, ANN, "gateway_list_servers", {})
        await call(gateway, "a key that is none", "gateway_list_servers", {})
        shown = await numbers(gateway)
    calls = "capgate_calls_total", "agent="
    assert shown[*calls, "backend=shop", "outcome=ok", "tool=hello"] == 1
    assert shown[*calls, "backend=bank", "outcome=ok", "tool=hello"] == 1
    assert shown[*calls, "backend=other", "outcome=server_not_found", "tool=other"] == 1
    assert shown[*calls, "backend=other", "outcome=tool_not_found", "tool=other"] == 1
    assert shown["capgate_caller_calls_total", "caller=ann", "outcome=ok"] == 1
    assert shown["capgate_meta_calls_total", "outcome=ok", "tool=gateway_search_tools"] == 1
    assert shown["capgate_refused_total", "reason=unauthenticated"] == 1
    limited = shown["capgate_rate_limited_total", "limit=key", "subject=ann"]
    outcome = "outcome=rate_limited"
    assert shown["capgate_meta_calls_total", outcome, "tool=gateway_list_servers"] == limited > 0
    counted = sum(
        value
        for (name, *_), value in shown.items()
        if name in ("capgate_calls_total", "capgate_queries_total", "capgate_meta_calls_total")
    )
    lines = (tmp_path / "audit.jsonl").read_text().splitlines()
    assert len([one for one in lines if "outcome" in json.loads(one)]) == counted
    assert not any("x" * 20 in label for key in shown for label in key)


async def test_a_circuit_that_opens_shows(tmp_path: Path) -> None:
    async def fails(_request: web.Request) -> web.Response:
        return web.Response(status=500)

    async with serving(fails) as port, secured(tmp_path, SETTINGS, mock=False) as gateway:
        file = tmp_path / "capabilities" / "shop.yaml"
        text = file.read_text().replace("https://shop.example", f"http://127.0.0.1:{port}")
        text = text.partition("    examples")[0]
        new = tmp_path / "new"
        new.write_text(text)
        changed = gateway.parts.current.get().version
        new.rename(file)
        while gateway.parts.current.get().version == changed:
            await gateway.get("/livez")
        for _ in range(2):
            await call(gateway, ROOT, "gateway_invoke", invoke("shop", "hello"))
        shown = await numbers(gateway)
    assert shown["capgate_circuit_state", "backend=shop"] == 2
    assert shown["capgate_circuit_changes_total", "backend=shop", "state=open"] == 1
    where = "agent=", "backend=shop", "outcome=circuit_open", "tool=hello"
    assert shown["capgate_calls_total", *where] == 1


async def test_what_clients_hold_open_shows(tmp_path: Path) -> None:
    async with secured(tmp_path, "") as gateway:
        await gateway.opened(None)
        stream = mcp_http.McpHttp(gateway.http, gateway.url)
        async with stream.listen(toolsListChanged=True) as events:
            await events.message()
            status, text = await gateway.get("/metrics")
    assert status == 200
    lines = text.splitlines()
    assert "capgate_sessions 1.0" in lines
    assert "capgate_streams 1.0" in lines
    assert "capgate_connections 0.0" not in lines


async def test_health_tells_how_each_file_was_read(tmp_path: Path) -> None:
    (tmp_path / "rules.json").write_text('{"agents": {"reader": {"allow": {"servers": ["*"]}}}}')
    async with secured(tmp_path, "agent_rules: rules.json\n") as gateway:
        file = str(tmp_path / "rules.json")
        _, text = await gateway.get("/health")
        files = json.loads(text)["reload"]["files"]
    assert files[file]["last_error"] is None
    assert files[file]["attempt_count"] == files[file]["success_count"] == 1
    assert files[file]["last_success"].endswith("Z")
    assert str(tmp_path / "gateway.yaml") in files
