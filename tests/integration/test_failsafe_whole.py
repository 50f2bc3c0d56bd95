"""Failure is contained: the whole gateway before APIs and MCP servers that hang and recover (F2).

It is configured by files, which are edited while it runs.
"""

import asyncio
import contextlib
import json
import os
import signal
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway import app
from gateway.config.load import Source, understand
from gateway.runtime.configured import Configured
from gateway.runtime.view import View
from tests.peers.hanging import Patient
from tests.peers.mcp_http import McpHttp
from tests.peers.stdio_mcp import COMMAND
from tests.peers.web import serving

REQUEST = 0.4  # seconds: server.request_timeout
SLACK = 0.1  # seconds after it: F2; a busy machine may take longer, but not each time
REST = 1.0  # seconds that a circuit stays open
AT_ONCE = 0.005  # seconds for an answer while it is open: F2
SETTINGS: dict[str, Any] = {
    "server": {"request_timeout": f"{REQUEST}s"},
    "failsafe": {
        "circuit_breaker": {
            "failure_threshold": 3,
            "success_threshold": 2,
            "reset_timeout": f"{REST}s",
        },
        "rate_limit": {"enabled": False},
        "retry": {"initial_backoff": "1ms"},
    },
}
FILE = """\
capability: 1
name: {name}
description: An API that is not always well
base_url: http://127.0.0.1:{port}
retry: {{max: 0}}
tools:
  echo:
    description: How it feels.
    get: /mood
"""


class World:
    def __init__(self, parts: app.Parts, http: McpHttp, folder: Path, sick: Patient) -> None:
        self.parts = parts
        self.http = http
        self.folder = folder
        self.sick = sick
        self.settings: dict[str, Any] = {}

    async def call(self, server: str, tool: str = "echo", **more: Any) -> tuple[str, bool, float]:
        """The text of the answer, whether it is an error, and the seconds it took."""
        asked = {"server": server, "tool": tool, "arguments": {}, **more}
        began = time.perf_counter()
        invoke = {"name": "gateway_invoke", "arguments": asked}
        async with self.http.modern("tools/call", invoke) as response:
            result = (await response.json())["result"]
        seconds = time.perf_counter() - began
        return result["content"][0]["text"], result.get("isError", False), seconds

    def state(self, server: str) -> str:
        return self.parts.current.get().guards[server].state

    async def status(self, server: str) -> str:
        asked = {"name": "gateway_list_servers", "arguments": {}}
        async with self.http.modern("tools/call", asked) as response:
            text = (await response.json())["result"]["content"][0]["text"]
        found = {each["name"]: each["status"] for each in json.loads(text)["servers"]}
        return str(found[server])

    def configure(self, **more: Any) -> None:
        self.settings = {**self.settings, **more}
        new = self.folder / ".new"
        new.write_text(json.dumps(self.settings))
        new.rename(self.folder / "gateway.yaml")

    async def until(self, holds: Any) -> None:
        async with asyncio.timeout(10):
            while not holds():
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def world(folder: Path, **more: Any) -> AsyncIterator[World]:
    """`api` and `mcp` are sick together; `other` is an API that is always well."""
    sick, sound = Patient(), Patient()
    capabilities = folder / "capabilities"
    capabilities.mkdir()
    async with (
        serving(sick.rest, notices=True) as api,
        serving(sick.mcp, notices=True) as mcp,
        serving(sound.rest) as other,
    ):
        for name, port in (("api", api), ("other", other)):
            (capabilities / f"{name}.yaml").write_text(FILE.format(name=name, port=port))
        servers = {
            "mcp": {"http_url": f"http://127.0.0.1:{mcp}/mcp"},
            "program": {"command": [*COMMAND, "word"], "timeout": "20s"},
        }
        settings = {**SETTINGS, "backends": servers, **more}
        file = folder / "gateway.yaml"
        file.write_text(json.dumps(settings))
        said: dict[tuple[str, ...], Any] = {("server", "port"): 0, ("log", "level"): "error"}
        loaded = understand(file.read_bytes(), str(file), {}, said)
        assert loaded.config is not None, loaded.issues
        configured = Configured(
            Source(str(file), required=True),
            loaded.config,
            lambda data: understand(data, str(file), {}, said),
        )
        async with (
            app.listening(configured) as (parts, port),
            aiohttp.ClientSession() as session,
        ):
            here = World(parts, McpHttp(session, f"http://127.0.0.1:{port}/mcp"), folder, sick)
            here.settings = settings
            assert (await here.call("mcp"))[1] is False
            sick.calls = 0
            yield here


async def fail(here: World, server: str, times: int = 3) -> list[float]:
    """So many calls in vain, which open the circuit; the seconds of each."""
    found = [await here.call(server) for _ in range(times)]
    assert all(failed for _, failed, _ in found), found
    return [seconds for *_, seconds in found]


@pytest.mark.parametrize("server", ["api", "mcp"])
async def test_a_hanging_backend_times_out_opens_its_circuit_and_recovers(  # F2
    tmp_path: Path, server: str
) -> None:
    async with world(tmp_path) as here:
        here.sick.mood = "hangs"
        found = await fail(here, server)
        assert REQUEST <= min(found) < REQUEST + SLACK
        opened = time.perf_counter()
        assert here.state(server) == "open"
        text, failed, _ = await here.call(server)
        assert failed
        assert text.startswith(f"backend '{server}' keeps failing (circuit_open; not_sent)\nnext: ")
        at_once = [(await here.call(server))[2] for _ in range(10)]
        assert min(at_once) < AT_ONCE
        assert here.sick.calls == 3
        assert (await here.status(server)) == "down (it keeps failing: timeout, retry in 1 s)"
        await asyncio.sleep(REST - (time.perf_counter() - opened) + 0.02)
        trying = await asyncio.gather(*(here.call(server) for _ in range(10)))
        assert here.sick.calls == 4, "one probe"
        assert sum("circuit_open" in text for text, *_ in trying) == 9
        assert here.state(server) == "open"
        here.sick.mood = "well"
        await asyncio.sleep(REST + 0.02)
        for state in ("half_open", "closed"):
            assert (await here.call(server))[1] is False
            assert here.state(server) == state
        await here.until(
            lambda: here.parts.current.get().catalog.backends[server].health.reason is None
        )
        assert await here.status(server) == "ok"


async def test_a_hanging_backend_costs_its_neighbours_nothing(tmp_path: Path) -> None:  # F2
    async with world(tmp_path) as here:
        before = [(await here.call("other"))[2] for _ in range(100)]
        here.sick.mood = "hangs"
        hanging = [asyncio.create_task(here.call(one)) for one in ("api", "mcp") for _ in range(20)]
        during = []
        while not all(each.done() for each in hanging):
            text, failed, seconds = await here.call("other")
            assert not failed, text
            during.append(seconds)
        assert here.state("other") == "closed"
        assert statistics.median(during) < max(0.05, 5 * statistics.median(before))
        assert sorted(during)[-3] < REQUEST / 2, "none waits for those that hang"


async def test_no_edit_of_any_file_closes_an_open_circuit(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.sick.mood = "fails"
        for server in ("api", "mcp"):
            await fail(here, server)
        parts = here.parts
        version = parts.current.get().version
        failsafe = json.loads(json.dumps(SETTINGS["failsafe"]))
        failsafe["circuit_breaker"]["reset_timeout"] = "1h"
        here.configure(failsafe=failsafe, log={"level": "error"}, aliases={"a": "api"})
        await here.until(lambda: parts.current.get().aliases == {"a": "api"})
        file = tmp_path / "capabilities" / "api.yaml"
        file.write_text(file.read_text().replace("not always", "seldom"))
        servers = {"mcp": {**here.settings["backends"]["mcp"], "description": "Another"}}
        here.configure(backends=servers)

        def reread() -> bool:
            found = parts.current.get().catalog.backends
            return "seldom" in found["api"].description and found["mcp"].description == "Another"

        await here.until(reread)
        assert parts.current.get().version > version
        here.sick.mood = "well"
        for server in ("api", "mcp"):
            assert here.state(server) == "open"
            assert 3_500 < parts.current.get().guards[server].after <= 3_600
            assert "circuit_open" in (await here.call(server))[0]
        file.unlink()
        await here.until(lambda: "api" not in parts.current.get().catalog.backends)
        text = FILE.format(name="api", port=1)
        file.write_text(text)
        await here.until(lambda: "api" in parts.current.get().catalog.backends)
        assert here.state("api") == "closed", "another backend of the same name"


@pytest.mark.parametrize("server", ["api", "mcp"])
async def test_who_has_no_time_or_goes_away_opens_no_circuit(tmp_path: Path, server: str) -> None:
    async with world(tmp_path) as here:
        here.sick.mood = "hangs"
        for _ in range(5):
            text, failed, seconds = await here.call(server, timeout_ms=50)
            assert failed
            assert "timeout; sent_unknown" in text
            assert seconds < REQUEST
        sent = here.sick.calls
        leaving = [asyncio.create_task(here.call(server)) for _ in range(5)]
        await here.until(lambda: here.sick.calls >= sent + 5)
        for each in leaving:
            each.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        assert here.state(server) == "closed"
        here.sick.mood = "well"
        assert (await here.call(server))[1] is False


async def test_a_server_that_fails_is_asked_as_often_as_its_tool_may_be_repeated(
    tmp_path: Path,
) -> None:
    retry = {"max_attempts": 3, "initial_backoff": "1ms", "idempotent": ["echo"]}
    failsafe = {**SETTINGS["failsafe"], "retry": retry, "circuit_breaker": {"enabled": False}}
    async with world(tmp_path, failsafe=failsafe) as here:
        here.sick.mood = "fails"
        text, failed, _ = await here.call("mcp")
        assert failed
        assert "sent_unknown" in text
        assert here.sick.calls == 3
        await here.call("mcp", "work")
        assert here.sick.calls == 4
        here.configure(failsafe={**failsafe, "retry": {"enabled": False}})
        mcp = here.parts.current.get().guards["mcp"]
        await here.until(lambda: mcp._retries is None)  # type: ignore[attr-defined]
        await here.call("mcp")
        assert here.sick.calls == 5


async def test_progress_begins_the_time_of_a_call_anew_where_that_is_wanted(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        assert "timeout" in (await here.call("mcp", "work"))[0]
        deadline = {"extend_on_progress": True, "most": "5s"}
        here.configure(failsafe={**SETTINGS["failsafe"], "deadline": deadline})
        guards = here.parts.current.get().guards
        await here.until(lambda: guards["mcp"].most == 5)
        text, failed, seconds = await here.call("mcp", "work")
        assert (text, failed) == ("well", False)
        assert seconds > 2 * REQUEST
        assert "timeout" in (await here.call("mcp", "work", timeout_ms=300))[0]
        deadline["most"] = "500ms"
        here.configure(failsafe={**SETTINGS["failsafe"], "deadline": deadline})
        await here.until(lambda: guards["mcp"].most == 0.5)
        text, _, seconds = await here.call("mcp", "work")
        assert "timeout" in text
        assert 0.5 <= seconds < 2 * REQUEST, "less than it takes"


async def test_rates_of_backend_tool_and_key_refuse_with_when_to_come_back(tmp_path: Path) -> None:
    rates = {"requests_per_second": 0.01, "burst_size": 3, "tools": {"work": 0.001}}
    failsafe = {"backends": {"api": {"rate_limit": rates}, "mcp": {"rate_limit": rates}}}
    async with world(tmp_path, failsafe=failsafe) as here:
        answers = [await here.call("api") for _ in range(4)]
        assert [failed for _, failed, _ in answers] == [False, False, False, True]
        assert "(rate_limited; not_sent)\nnext: try again in " in answers[-1][0]
        assert (await here.call("mcp", "work", timeout_ms=1))[1]
        text, _, _ = await here.call("mcp", "work")
        assert text.startswith("tool 'work' of backend 'mcp' is called too often (rate_limited")
        assert (await here.call("other"))[1] is False


async def test_what_is_shown_of_a_backend_that_is_unknown_is_an_error_with_near_names(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as here:
        view = View(here.parts.current.get(), lambda _: None)
        assert str(view.health("api")) == "ok"
        with pytest.raises(Exception, match="no server 'apj'"):
            view.health("apj")


async def test_the_loss_of_a_server_is_one_failure_with_however_many_calls_in_it(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as here:
        pid = int((await here.call("program", "pid"))[0])
        holding = [asyncio.create_task(here.call("program", "hold")) for _ in range(12)]
        await asyncio.sleep(1.1)  # until they are there, and it is back at once when it is gone
        os.kill(pid, signal.SIGKILL)
        for text, failed, _ in await asyncio.gather(*holding):
            assert failed
            assert "; sent_unknown)" in text
        assert here.state("program") == "closed"
        assert int((await here.call("program", "pid"))[0]) != pid
