"""examples/prometheus and the shipped prometheus.yaml, before a real Prometheus."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.peers.programs import ROOT, capgate, console, free_port, gateway
from tests.services.agent import Agent
from tests.services.install import debian
from tests.services.starting import service, wanted

EXAMPLE = ROOT / "examples" / "prometheus"
SHIPPED = ROOT / "capabilities" / "prometheus.yaml"
PATIENCE = 20  # seconds until it has looked at both of its targets

HOSTILE = (
    'x"} or vector(1) #',
    "a\\",
    'a\\" b',
    "line\nend",
    "größe 日本 🦊",
    "{{7*7}}",
    "a&query=up",
    "'",
)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    found = wanted("Prometheus", lambda: debian("prometheus"))
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    settings = folder / "prometheus.yml"
    text = (EXAMPLE / "prometheus.yml").read_text().replace("9090", str(port))
    odd = {"targets": ["127.0.0.1:1"], "labels": {"odd": HOSTILE[0]}}
    more = f"  - job_name: odd\n    static_configs: [{json.dumps(odd)}]\n"
    settings.write_text(text + more)
    argv = [
        found.program,
        f"--config.file={settings}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    ready = f"http://127.0.0.1:{port}/-/ready"
    with service(argv, folder / "log", ready, found.environ) as program:
        yield program.url


@pytest.fixture(scope="module")
def url(prometheus: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    output = tmp_path_factory.mktemp("gateway") / "log"
    environ = {"PROMETHEUS_URL": prometheus}
    with gateway(output, EXAMPLE / "capabilities", SHIPPED, environ=environ) as program:
        yield f"{program.url}/mcp"


@pytest.fixture(scope="module")
def fleet(url: str) -> Agent:
    return Agent(url, "fleet")


@pytest.fixture(scope="module")
def shipped(url: str) -> Agent:
    return Agent(url, "prometheus")


async def watched(fleet: Agent) -> Any:
    """What `check_services` says, once Prometheus has looked at all of its targets."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await fleet.call("check_services")
            assert not found.is_error, found.content
            if len(found.structured_content) == 3:
                return found
            await asyncio.sleep(0.1)


async def test_a_form_asks_and_the_nested_answer_becomes_lines(fleet: Agent) -> None:
    found = await watched(fleet)
    jobs = {each["job"]: each["up"] for each in found.structured_content}
    assert jobs == {"shop": "0", "odd": "0", "prometheus": "1"}
    assert "shop on 127.0.0.1:1 is DOWN" in found.content[0].text.splitlines()


async def test_an_argument_narrows_the_fixed_query(fleet: Agent) -> None:
    await watched(fleet)
    found = await fleet.result("check_services", job="shop")
    assert [each["job"] for each in found] == ["shop"]


@pytest.mark.parametrize("tool", ["check_services", "availability"])
async def test_an_argument_cannot_leave_its_place_in_the_query(fleet: Agent, tool: str) -> None:
    assert "not_sent" in await fleet.refusal(tool, job=HOSTILE[0])


@pytest.mark.parametrize("value", HOSTILE)
async def test_a_hostile_label_value_is_only_ever_a_value(fleet: Agent, value: str) -> None:
    """I47: `tojson` quotes it as PromQL quotes; only the one series has it."""
    await watched(fleet)
    found = await fleet.result("find_series", label="odd", value=value)
    assert {each["labels"]["odd"] for each in found} == ({value} if value == HOSTILE[0] else set())


async def test_series_are_found_by_a_label(fleet: Agent) -> None:
    await watched(fleet)
    found = await fleet.result("find_series", label="job", value="shop", limit=100)
    assert {each["name"] for each in found} >= {"up", "scrape_duration_seconds"}
    assert {each["labels"]["instance"] for each in found} == {"127.0.0.1:1"}
    assert len(await fleet.result("find_series", label="job", value="shop", limit=2)) == 2


async def test_numbers_in_texts_become_a_line_a_service(fleet: Agent) -> None:
    await watched(fleet)
    found = await fleet.result("availability", period="1m")
    parts = {each["job"]: each["part"] for each in found}
    assert parts == {"shop": "0", "odd": "0", "prometheus": "1"}
    said = (await fleet.text("availability", period="1m")).splitlines()
    assert said[-1].startswith("prometheus on ")
    assert said[-1].endswith(": 100.0 %")


async def test_lists_in_lists_come_through(fleet: Agent) -> None:
    await watched(fleet)
    now = datetime.now(UTC)
    period = {"start": (now - timedelta(seconds=5)).isoformat(), "end": now.isoformat()}
    (series,) = await fleet.result("history", **period, step="1s", job="prometheus")
    assert series["points"][-1][1] == "1"
    assert abs(series["points"][-1][0] - now.timestamp()) < 5
    assert await fleet.result("history", **period, job="nobody") == []


async def test_the_largest_metrics_are_counted(fleet: Agent) -> None:
    await watched(fleet)
    found = await fleet.result("largest_metrics", limit=3)
    assert len(found) == 3
    assert found[0]["series"] >= found[2]["series"] >= 1


async def test_the_shipped_tools_read_a_real_prometheus(fleet: Agent, shipped: Agent) -> None:
    await watched(fleet)
    now = await shipped.result("query", query='up{job="prometheus"}')
    assert now["result"][0]["value"][1] == "1"
    targets = await shipped.result("list_targets")
    health = {each["job"]: each["health"] for each in targets}
    assert health == {"prometheus": "up", "shop": "down", "odd": "down"}
    jobs = await shipped.result("list_metrics", label="job", match=["up"])
    assert sorted(jobs) == ["odd", "prometheus", "shop"]
    assert await shipped.result("list_alerts") == []
    period = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:05:00Z"}
    assert await shipped.result("query_range", query="up", **period) == {"series": []}


async def test_the_query_languages_own_error_reaches_the_agent(shipped: Agent) -> None:
    assert "Prometheus refused (bad_data)" in await shipped.refusal("query", query="up ==")


async def test_the_readme_says_what_happens(fleet: Agent, prometheus: str) -> None:
    await watched(fleet)
    commands = console(EXAMPLE / "README.md")
    assert commands
    for words, answer in commands:
        said = await asyncio.to_thread(capgate, words, {"PROMETHEUS_URL": prometheus})
        said = said.replace(prometheus.removeprefix("http://"), "127.0.0.1:9090")
        said = "\n".join(line for line in said.splitlines() if not line.startswith("odd "))
        assert said == answer
