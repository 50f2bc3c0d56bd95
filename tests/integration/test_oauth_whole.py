"""The gateway before a server that wants a person's permission: from down, by one visit, to up."""

import asyncio
import json

import aiohttp

from tests.integration.test_oauth_sdk import sdk_server
from tests.peers.mcp_http import McpHttp
from tests.peers.oauth_world import visit
from tests.peers.programs import CAPGATE, free_port, running

CONFIG = """\
backends:
  guarded: {{http_url: "{url}", oauth: {{}}}}
"""


async def until(ask, good):
    async with asyncio.timeout(20):
        while not good(found := await ask()):
            await asyncio.sleep(0.05)
        return found


async def test_one_visit_brings_a_guarded_server_up(tmp_path):
    port = free_port()
    environ = {"XDG_STATE_HOME": str(tmp_path / "state")}
    with sdk_server(tmp_path) as url:
        (tmp_path / "gateway.yaml").write_text(CONFIG.format(url=url))
        argv = (*CAPGATE, "serve", "-c", str(tmp_path / "gateway.yaml"), "--port", str(port))
        with running(argv, tmp_path / "gateway.log", port, environ) as program:
            async with aiohttp.ClientSession() as http:

                async def health():
                    async with http.get(f"{program.url}/health") as answer:
                        return (await answer.json())["backends"]["guarded"]

                down = await until(health, lambda one: "opens http" in (one["reason"] or ""))
                assert down["status"] == "down"
                page = down["reason"].partition("opens ")[2]
                assert "authorization_wanted" in program.log
                assert page in program.log

                client = McpHttp(http, f"{program.url}/mcp/guarded")
                assert page in await whispered(client)  # a caller hears what has to be done

                await visit(page)
                async with asyncio.timeout(3):
                    up = await until(health, lambda one: one["status"] == "ok")
                assert up["tools_cached"] == 2
                assert "psst: hi" in await whispered(client)
                assert "authorized" in program.log


async def whispered(client):
    params = {"name": "whisper", "arguments": {"word": "hi"}}
    async with client.modern("tools/call", params) as answer:
        return json.dumps(await answer.json())
