"""Large answers of MCP servers through the whole gateway: whole, side by side, and none beyond the
cap: F4, I57, I59 and I60 of the hardening table.
"""

import asyncio
import contextlib
import json
import sys

import pytest

from tests.peers.gateways import started
from tests.peers.hostile_mcp_gateway import stdio, ways
from tests.peers.mcp_http import client
from tests.peers.programs import ROOT

LARGE, AT_ONCE = 10_000_000, 6
TOO_LARGE = 60_000_000
SHARE = 20  # MB that each large answer may take meanwhile
BACK = 32  # MB that may be left of them


@contextlib.asynccontextmanager
async def gateway(folder, way):
    """In a process of its own, before servers in others; its clients keep their connections."""
    capabilities, file = folder / "capabilities", folder / "servers.yaml"
    capabilities.mkdir()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.peers.hostile_mcp_web"), cwd=ROOT, stdout=-1
    )
    try:
        port = int(await process.stdout.readline())
        file.write_text(json.dumps({"backends": {"it": ways(port)[way], "other": stdio()}}))
        async with (
            started(capabilities, "-c", str(file)) as made,
            client(f"http://127.0.0.1:{made.port}", "/mcp/it") as http,
            client(f"http://127.0.0.1:{made.port}", "/mcp/other") as other,
        ):
            yield made, http, other
    finally:
        process.kill()
        await process.communicate()


async def sized(http, id, size, unit):
    params = {"name": "size", "arguments": {"text": unit, "size": size}}
    async with http.modern("tools/call", params, id) as response:
        return await response.read()


@pytest.mark.parametrize("way", ["stdio", "http", "sse", "ws"])
async def test_large_answers_are_whole_and_leave_no_memory_behind(tmp_path, way):
    """F4: and what is larger than the cap is refused, while others are served."""
    async with gateway(tmp_path, way) as (made, http, other), asyncio.timeout(60):
        await sized(http, 1, 10, "warm")
        before = made.memory
        made.forget_peak()
        units = [f"<{id:04}>" for id in range(AT_ONCE)]
        answers = await asyncio.gather(
            *(sized(http, id, LARGE, unit) for id, unit in enumerate(units))
        )
        for id, (unit, answer) in enumerate(zip(units, answers, strict=True)):
            assert answer.count(unit.encode()) == LARGE // len(unit)
            assert json.loads(answer)["id"] == id
        assert made.peak - before < AT_ONCE * SHARE + BACK
        assert made.memory - before < BACK

        refused = asyncio.create_task(sized(http, 7, TOO_LARGE, "x" * 10))
        while not refused.done():
            assert b"here" in await sized(other, 1, 4, "here")
        answer = await refused
        assert json.loads(answer)["result"]["isError"]
        assert b"16777216" in answer.replace(b",", b"")
        assert made.memory - before < BACK
        async with asyncio.timeout(10):
            while b"isError" in await sized(http, 8, 4, "back"):
                await asyncio.sleep(0.05)
        assert "Traceback" not in made.log
