"""A system clock that jumps by hours and days, by libfaketime: nothing that waits or counts notices
(F12).
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp
import pytest

from tests.peers.gateways import started
from tests.peers.hanging import Patient
from tests.peers.mcp_http import McpHttp
from tests.peers.web import serving
from tests.services.install import debian
from tests.services.starting import wanted

JUMPS = {"+1h": 3_600, "-1h": -3_600, "+1d": 86_400, "-1d": -86_400, "+0": 0}
REQUEST = 0.5  # seconds
SLACK = 0.2
SETTINGS = {
    "server": {"request_timeout": f"{REQUEST}s"},
    "failsafe": {
        "circuit_breaker": {"failure_threshold": 2, "reset_timeout": "10m"},
        "backends": {
            "limited": {"rate_limit": {"requests_per_second": 0.001, "burst_size": 1}},
            "slow": {"circuit_breaker": {"enabled": False}},
        },
    },
}
FILE = """\
capability: 1
name: {name}
description: An API
base_url: http://127.0.0.1:{port}
retry: {{max: 0}}
tools:
  echo: {{description: How it feels., get: /mood}}
"""


class World:
    def __init__(self, http: McpHttp, clock: Path) -> None:
        self.http = http
        self.clock = clock
        self.date = 0.0

    async def call(self, server: str) -> str:
        """The text of the answer; `date` is when the gateway thinks it gave it."""
        invoke = {"name": "gateway_invoke", "arguments": {"server": server, "tool": "echo"}}
        async with self.http.modern("tools/call", invoke) as response:
            self.date = parsedate_to_datetime(response.headers["Date"]).timestamp()
            return str((await response.json())["result"]["content"][0]["text"])


@contextlib.asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    faketime = wanted("faketime", lambda: debian("faketime"))
    clock = folder / "clock"
    clock.write_text("+0")
    environ = {
        "LD_PRELOAD": str(faketime.program),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }
    sick, hanging, sound = Patient(), Patient(), Patient()
    sick.mood, hanging.mood = "fails", "hangs"
    capabilities = folder / "capabilities"
    capabilities.mkdir()
    async with (
        serving(sick.rest) as failing,
        serving(hanging.rest, notices=True) as slow,
        serving(sound.rest) as well,
    ):
        ports = {"failing": failing, "slow": slow, "well": well, "limited": well}
        for name, port in ports.items():
            (capabilities / f"{name}.yaml").write_text(FILE.format(name=name, port=port))
        async with (
            started(capabilities, environ=environ, settings=json.dumps(SETTINGS)) as gateway,
            aiohttp.ClientSession() as session,
        ):
            yield World(McpHttp(session, f"http://127.0.0.1:{gateway.port}/mcp"), clock)


@pytest.mark.services
async def test_a_clock_that_jumps_changes_nothing(tmp_path: Path) -> None:  # F12
    async with world(tmp_path) as here:
        for _ in range(2):
            assert "upstream_error" in await here.call("failing")
        assert "mood" in await here.call("limited")
        for jump, seconds in JUMPS.items():
            here.clock.write_text(jump)
            async with asyncio.timeout(5):  # it looks at the clock for its Date once a second
                while abs(here.date - time.time() - seconds) > 5:
                    assert "mood" in await here.call("well")
                    await asyncio.sleep(0.05)
            assert "circuit_open" in await here.call("failing")
            assert "rate_limited" in await here.call("limited")
            began = time.monotonic()
            assert "timeout" in await here.call("slow")
            assert abs(time.monotonic() - began - REQUEST) < SLACK
