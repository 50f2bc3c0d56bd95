"""The whole gateway before hostile MCP servers: one that misbehaves costs itself alone."""

import asyncio
import contextlib
import json
import time

import pytest

from tests.peers.gateways import started
from tests.peers.hostile_mcp_gateway import PATIENCE, WAYS, stdio, text, world
from tests.peers.mcp_http import client

ABLE = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}
MANY = 150  # requests: more than a pool of connections usually has


async def test_a_server_with_very_many_open_requests_delays_no_neighbour_at_its_host(tmp_path):
    """F2: with 100 requests under way at a host, those to all other servers there stood still."""
    url = {"http_url": "http://127.0.0.1:PORT/mcp", "concurrency": MANY}
    async with world(tmp_path, backends={"busy": url, "idle": url}) as here:
        hanging = [asyncio.create_task(here.call("busy", "hang", id)) for id in range(MANY)]
        async with asyncio.timeout(PATIENCE):
            while len(here.server.held) < MANY:
                await asyncio.sleep(0.01)
            assert text(await here.call("idle", "echo", text="here")) == "here"
        for id, say in here.server.held:
            here.server.text(id, "at last", say)
        assert {text(answer) for answer in await asyncio.gather(*hanging)} == {"at last"}


@pytest.mark.parametrize("way", WAYS)
async def test_questions_that_nobody_answers_leave_the_server_to_others(tmp_path, way):
    """I40, F2: a modern client that does not come back must not block the server, not even the way
    that answers of others take.
    """
    async with world(tmp_path) as here, asyncio.timeout(PATIENCE):
        parked = [await here.call(way, "ask", id, ABLE, text=f"q{id}") for id in range(MANY)]
        assert {each["result"]["resultType"] for each in parked} == {"input_required"}
        assert text(await here.call(way, "echo", text="here")) == "here"
        last = parked[-1]["result"]
        answer = {"action": "accept", "content": {"name": "me"}}
        retry = {
            "name": "ask",
            "arguments": {"text": f"q{MANY - 1}"},
            "requestState": last["requestState"],
            "inputResponses": dict.fromkeys(last["inputRequests"], answer),
        }
        [answered] = await here.asked(way, retry, meta=ABLE)
        assert '"name": "me"' in text(answered)


async def swallow(reader, writer):
    """Take what comes and never answer."""
    with contextlib.suppress(ConnectionError):
        while await reader.read(65_536):
            pass
    writer.close()


async def test_servers_that_hang_refuse_or_die_at_start_delay_nobody(tmp_path):
    """F11: a hundred of them, and two hundred clients at once."""
    folder, file = tmp_path / "capabilities", tmp_path / "servers.yaml"
    folder.mkdir()
    silent = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    bad = (
        {"http_url": f"http://127.0.0.1:{port}/mcp"},
        {"ws_url": f"ws://127.0.0.1:{port}/ws"},
        {"http_url": "http://127.0.0.1:1/mcp"},
        {"command": ["/bin/false"]},
        {"command": ["/nonexistent"]},
    )
    backends = {f"bad{number}": bad[number % len(bad)] for number in range(100)}
    file.write_text(json.dumps({"backends": {**backends, "good": stdio()}}))
    async with (
        started(folder, "-c", str(file), level="error") as gateway,
        client(f"http://127.0.0.1:{gateway.port}") as http,
        client(f"http://127.0.0.1:{gateway.port}", "/mcp/good") as good,
    ):
        began = time.perf_counter()
        async with http.modern("tools/list") as response:
            assert response.status == 200
        assert time.perf_counter() - began < 1.0
        called = {"name": "echo", "arguments": {"text": "here"}}

        async def call(id):
            async with good.modern("tools/call", called, id) as response:
                answer = await response.json()
            return answer["id"], text(answer)

        answers = await asyncio.gather(*map(call, range(200)))
        assert answers == [(id, "here") for id in range(200)]
        assert time.perf_counter() - began < 5.0
        assert "Traceback" not in gateway.log
    silent.close()
