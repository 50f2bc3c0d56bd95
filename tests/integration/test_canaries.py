"""No secret leaves, of whatever kind, with everything on at once: I42.

Callers with keys of all kinds, policies, agents, limits, circuit breakers, audit, metrics and
traces, in a process of its own that logs all it can. Whatever comes out of it is kept, and searched
for each secret as it is and as it may be written.
"""

import asyncio
import contextlib
import hashlib
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.credentials.redact import forms
from tests.peers.collector import Collector, collecting
from tests.peers.gateways import Started, started
from tests.peers.issuer import AUDIENCE, Issuer, issuing
from tests.peers.mcp_http import ACCEPT, META, MODERN
from tests.peers.programs import ROOT
from tests.peers.web import serving

KEYS = {  # what clients show
    "written": "canary-written+key/0123456789==",
    "environment": "canary-environment~key.0123456789",
    "hashed": "canary-hashed_key-0123456789",
    "bearer": "canary-bearer/token+0123456789",
    "wrong": "canary-wrong+key/that-counts-nowhere",
}
SHOWN = {  # what the gateway shows to others
    "API_TOKEN": "canary-api+token/7f3e==",
    "QUERY_KEY": "canary/query+k=&?4d5c",
    "SERVER_KEY": "canary+server/key-91b2",
    "PROGRAM_KEY": "canary-program+key/33aa",
    "COLLECTOR_KEY": "canary-collector+key/6c1d",
}
WORD = "canary+argument/of a person=8a8a"  # below a name that the audit leaves out
LEFT = "canary-in-the-url-of-a-request"

SETTINGS = """\
auth:
  enabled: true
  bearer_token: {bearer}
  api_keys:
    - {{name: written, key: "{written}", level: admin, agents: [reader]}}
    - {{name: environment, key: "env:CLIENT_KEY", agents: [reader], team: web}}
    - {{name: hashed, key: "sha256:{hashed}", backends: [api], rate_limit: 2, agents: [reader]}}
  jwt: {{issuer: "{issuer}", audience: "{audience}"}}
policies:
  all: {{everyone: true, default_level: execute}}
  web:
    teams: [web]
    rules:
      - {{backend: "*", level: execute}}
      - {{backend: api, tool: hidden, level: deny}}
      - {{backend: api, tool: plain, level: deny, when: {{password: {{glob: "no*"}}}}}}
agent_rules: rules.json
default_agent: reader
failsafe:
  circuit_breaker: {{failure_threshold: 1, reset_timeout: 50ms}}
  retry: {{enabled: false}}
audit: {{enabled: true, file: audit.jsonl, arguments: true, on_failure: fail_closed}}
telemetry:
  enabled: true
  endpoint: {collector}
  headers: {{x-api-key: "${{COLLECTOR_KEY}}"}}
backends:
  remote: {{http_url: "http://127.0.0.1:{port}/mcp", headers: {{X-Key: "${{SERVER_KEY}}"}}}}
  program:
    command: {command}
    cwd: {root}
    env: {{TOOL_KEY: "${{PROGRAM_KEY}}"}}
"""
FILE = """\
capability: 1
name: {name}
description: Says back what it was sent
base_url: http://127.0.0.1:{port}
secrets: {{{secret}}}
auth: {auth}
tools:
  plain:
    description: Says back.
    args: {{how: {{type: string, required: true}}, password: {{type: string}}}}
    get: /{{{{ args.how }}}}
    headers: {{X-Word: "{{{{ args.password | length }}}}"}}
    response: {{select: $.shown}}
  hidden: {{description: Nobody of the team sees it., get: /say}}
"""
AUTH = {
    "api": ("token: env:API_TOKEN", '{bearer: "{{ secrets.token }}"}'),
    "asked": ("key: env:QUERY_KEY", '{query: {apiKey: "{{ secrets.key }}"}}'),
}
RULES = {
    "agents": {"reader": {"allow": {"servers": ["*"]}}},
    "defaults": {"deny_on_missing_agent": False},
}


async def mirror(request: web.Request) -> web.Response:
    """Says back the credentials that it was shown."""
    found = json.dumps(dict(request.headers)) + request.path_qs
    kind = request.path[1:]
    if kind == "gone" and request.transport is not None:
        request.transport.close()
    status = int(kind) if kind.isdigit() else 200
    return web.json_response({"shown": found, "error": found}, status=status)


@dataclass
class World:
    """`said` is all that came out of the gateway over HTTP."""

    gateway: Started
    http: aiohttp.ClientSession
    issuer: Issuer
    collector: Collector
    folder: Path
    said: list[str] = field(default_factory=list)

    async def get(self, path: str, authorization: str | None = None) -> int:
        headers = {} if authorization is None else {"Authorization": authorization}
        url = f"http://127.0.0.1:{self.gateway.port}{path}"
        async with self.http.get(url, headers=headers) as answer:
            self.said.append(f"{answer.headers} {await answer.text()}")
            return answer.status

    async def ask(self, key: str, method: str, path: str = "/mcp", **params: Any) -> Any:
        sent = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": META}}
        headers = {
            **ACCEPT,
            "Authorization": f"Bearer {key}",
            "MCP-Protocol-Version": MODERN,
            "Mcp-Method": method,
            **({"Mcp-Name": params["name"]} if "name" in params else {}),
        }
        url = f"http://127.0.0.1:{self.gateway.port}{path}"
        async with self.http.post(url, json=sent, headers=headers) as answer:
            text = await answer.text()
            self.said.append(f"{answer.headers} {text}")
            return text

    async def call(self, key: str, server: str, tool: str, **arguments: Any) -> str:
        inner = {"server": server, "tool": tool, "arguments": arguments}
        text = await self.ask(key, "tools/call", name="gateway_invoke", arguments=inner)
        assert isinstance(text, str)
        return text


@contextlib.asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    async with (
        serving(mirror) as port,
        issuing() as issuer,
        collecting() as collector,
        aiohttp.ClientSession() as http,
    ):
        files = folder / "capabilities"
        files.mkdir()
        for name, (secret, auth) in AUTH.items():
            text = FILE.format(name=name, port=port, secret=secret, auth=auth)
            (files / f"{name}.yaml").write_text(text)
        (folder / "rules.json").write_text(json.dumps(RULES))
        settings = SETTINGS.format(
            bearer=KEYS["bearer"],
            written=KEYS["written"],
            hashed=hashlib.sha256(KEYS["hashed"].encode()).hexdigest(),
            issuer=issuer.base,
            audience=AUDIENCE,
            collector=collector.url,
            port=port,
            command=json.dumps([sys.executable, "-m", "tests.peers.traced_server"]),
            root=ROOT,
        )
        environ = {**SHOWN, "CLIENT_KEY": KEYS["environment"]}
        async with started(files, environ=environ, level="debug", settings=settings) as gateway:
            yield World(gateway, http, issuer, collector, folder)


async def everything(here: World) -> list[str]:
    """Whatever a caller can do, well and badly; gives the tokens that were shown."""
    tokens = [
        here.issuer.token(agents=["reader"]),
        here.issuer.token(aud="https://elsewhere.example"),
    ]
    shown = [*KEYS.values(), *tokens]
    for key in shown:
        for method in ("tools/list", "prompts/list", "resources/list", "server/discover"):
            await here.ask(key, method)
        await here.ask(key, "tools/list", "/mcp/api")
        for server in (*AUTH, "remote", "program", "nowhere"):
            for how in ("say", "401", "404", "500", "gone", "say"):
                await here.call(key, server, "plain", how=how, password=WORD)
        await here.call(key, "api", "hidden")
        await here.call(key, "api", "plain", how={"wrong": 1}, password=WORD)
        await here.call(key, "api", "plain", how="say", password="no" + WORD)
        await here.call(key, "program", "where")
        await here.call(key, "program", "fail")
        for path in ("/health", "/metrics", "/openai/tools", "/mcp", "/nowhere"):
            await here.get(path, f"Bearer {key}")
        for odd in (key, f"Basic {key}", f"Bearer  {key}", f"bearer\t{key}", f"Bearer {key}, x"):
            await here.get("/metrics", odd)
        await here.get(f"/health?key={key}&{LEFT}")
        for tool, arguments in (
            ("gateway_list_servers", {}),
            ("gateway_search_tools", {"query": "back"}),
            ("gateway_list_tools", {"server": "api"}),
            ("gateway_list_tools", {"server": "api", "agent_id": "reader"}),
            ("gateway_list_tools", {"server": "api", "agent_id": "nobody"}),
        ):
            await here.ask(key, "tools/call", name=tool, arguments=arguments)
    return tokens


@pytest.fixture
def secrets() -> list[str]:
    return [*KEYS.values(), *SHOWN.values()]


def found(text: str, secrets: list[str]) -> list[str]:
    return [one for secret in secrets for one in {*forms(secret)} if one in text]


async def test_no_secret_of_any_kind_comes_out_anywhere(tmp_path: Path, secrets: list[str]) -> None:
    """I42."""
    async with asyncio.timeout(60), world(tmp_path) as here:
        tokens = await everything(here)
        for path in ("/health", "/metrics"):
            assert await here.get(path, f"Bearer {KEYS['written']}") == 200
    secrets += [part for token in tokens for part in token.split(".")[1:]]
    said, log = "\n".join(here.said), here.gateway.log
    audit = (tmp_path / "audit.jsonl").read_text("utf-8")
    traces = here.collector.raw.decode("latin-1")
    for where, text in {"said": said, "log": log, "audit": audit, "traces": traces}.items():
        assert len(text) > 1_000, where
        assert found(text, secrets) == [], where
    for where, text in {"log": log, "audit": audit, "traces": traces}.items():
        assert found(text, [WORD, LEFT]) == [], where
    assert here.collector.headers[0]["x-api-key"] == SHOWN["COLLECTOR_KEY"]
    for event in ("http_exchange", "circuit_opened", "callers_refused"):
        assert event in log
    assert "***" in said  # credentials did come back
    assert found((tmp_path / "gateway.yaml").read_text(), secrets)  # they would be seen
    outcomes = {json.loads(line)["outcome"] for line in audit.splitlines()}
    assert outcomes >= {"ok", "denied", "invalid_arguments", "rate_limited", "circuit_open"}
