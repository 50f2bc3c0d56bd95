"""The whole gateway before hostile MCP servers: one that misbehaves costs itself alone."""

import asyncio

import pytest

from tests.peers.hostile_mcp_gateway import PATIENCE, WAYS, text, world

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
