"""examples/prometheus and the shipped prometheus.yaml, before a real Prometheus if there is one."""

import asyncio
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from mcp import Client

from tests.peers.programs import ROOT, capgate, console, free_port, gateway, running

EXAMPLE = ROOT / "examples" / "prometheus"
SHIPPED = ROOT / "capabilities" / "prometheus.yaml"
PROMETHEUS = shutil.which("prometheus")
PATIENCE = 20  # seconds until it has looked at both of its targets

pytestmark = pytest.mark.skipif(
    PROMETHEUS is None, reason="no prometheus on the PATH (Debian: apt-get install prometheus)"
)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    settings = folder / "prometheus.yml"
    settings.write_text((EXAMPLE / "prometheus.yml").read_text().replace("9090", str(port)))
    argv = [
        PROMETHEUS or "",
        f"--config.file={settings}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with running(argv, folder / "log", port) as program:
        yield program.url


@pytest.fixture(scope="module")
def url(prometheus: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    output = tmp_path_factory.mktemp("gateway") / "log"
    environ = {"PROMETHEUS_URL": prometheus}
    with gateway(output, EXAMPLE / "capabilities", SHIPPED, environ=environ) as program:
        yield f"{program.url}/mcp"


async def call(url: str, ref: str, **arguments: Any) -> Any:
    server, _, tool = ref.partition(":")
    async with Client(url) as client:
        return await client.call_tool(
            "gateway_invoke", {"server": server, "tool": tool, "arguments": arguments}
        )


async def watched(url: str) -> Any:
    """What `check_services` says, once Prometheus has looked at both of its targets."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await call(url, "fleet:check_services")
            assert not found.is_error, found.content
            if len(found.structured_content) == 2:
                return found
            await asyncio.sleep(0.1)


async def test_a_form_asks_and_the_nested_answer_becomes_lines(url: str) -> None:
    found = await watched(url)
    jobs = {each["job"]: each["up"] for each in found.structured_content}
    assert jobs == {"shop": "0", "prometheus": "1"}
    assert found.content[0].text.splitlines()[0] == "shop on 127.0.0.1:1 is DOWN"


async def test_an_argument_narrows_the_fixed_query(url: str) -> None:
    await watched(url)
    found = await call(url, "fleet:check_services", job="shop")
    assert [each["job"] for each in found.structured_content] == ["shop"]


async def test_an_argument_cannot_leave_its_place_in_the_query(url: str) -> None:
    found = await call(url, "fleet:check_services", job='x"} or vector(1) #')
    assert found.is_error
    assert "not_sent" in found.content[0].text


async def test_the_shipped_tools_read_a_real_prometheus(url: str) -> None:
    await watched(url)
    now = await call(url, "prometheus:query", query='up{job="prometheus"}')
    assert now.structured_content["result"][0]["value"][1] == "1"
    targets = await call(url, "prometheus:list_targets")
    health = {each["job"]: each["health"] for each in targets.structured_content}
    assert health == {"prometheus": "up", "shop": "down"}
    jobs = await call(url, "prometheus:list_metrics", label="job", match=["up"])
    assert sorted(jobs.structured_content) == ["prometheus", "shop"]
    alerts = await call(url, "prometheus:list_alerts")
    assert alerts.structured_content == []
    trend = await call(
        url,
        "prometheus:query_range",
        query="up",
        start="2026-01-01T00:00:00Z",
        end="2026-01-01T00:05:00Z",
    )
    assert trend.structured_content == {"series": []}


async def test_the_query_languages_own_error_reaches_the_agent(url: str) -> None:
    found = await call(url, "prometheus:query", query="up ==")
    assert found.is_error
    assert "Prometheus refused (bad_data)" in found.content[0].text


async def test_the_readme_says_what_happens(url: str, prometheus: str) -> None:
    await watched(url)
    commands = console(EXAMPLE / "README.md")
    assert commands
    for words, answer in commands:
        said = await asyncio.to_thread(capgate, words, {"PROMETHEUS_URL": prometheus})
        assert said.replace(prometheus.removeprefix("http://"), "127.0.0.1:9090") == answer
