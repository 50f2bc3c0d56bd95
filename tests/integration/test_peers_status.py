"""What gateway_status tells to whom."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.peers.named_mcp import COMMAND
from tests.peers.peer_files import served, world

__all__ = ["world"]  # the fixture

ROOT, ANN = "root-key-0123456789012345", "ann-key-01234567890123456"
RULES = {
    "agents": {
        "web": {"allow": {"servers": ["a"]}},
        "hidden-agent": {"allow": {"servers": ["a", "b"]}},
    },
    "defaults": {"deny_on_missing_agent": False},
}
SETTINGS = f"""\
auth:
  enabled: true
  api_keys:
    - {{key: {ROOT}, name: root, level: admin, agents: ["*"]}}
    - {{key: {ANN}, name: ann, agents: [web]}}
agent_rules: rules-canary.json
meta_mcp: {{status_tool: true}}
backends:
  a: {{command: {json.dumps([*COMMAND, "get"])}}}
  b: {{command: {json.dumps([*COMMAND, "get"])}}}
"""


@pytest.fixture
def file(world: Path) -> Path:
    (world / "rules-canary.json").write_text(json.dumps(RULES))
    found = world / "gateway.yaml"
    found.write_text(SETTINGS)
    return found


async def asked(client: Client, agent: str) -> Any:
    result = await client.call_tool("gateway_status", {"agent_id": agent})
    assert not result.is_error, result
    return json.loads(result.content[0].text)  # type: ignore[union-attr]


async def test_an_administrator_learns_everything(file: Path) -> None:
    async with served(file) as here, here.client(ROOT) as client:
        status = await asked(client, "hidden-agent")
        assert status["policy_state"]["agent_ids"] == ["web", "hidden-agent"]
        assert status["config_paths"]["gateway_rules"] == str(file.parent / "rules-canary.json")
        assert status["available_servers"] == ["a", "b"]
        assert status["message"] == "all is well"
        assert set(status["reload_status"]) == {"gateway_yaml", "gateway_rules"}
        assert status["circuits"] == {"a": {"state": "closed"}, "b": {"state": "closed"}}


async def test_others_learn_counts_and_what_they_see(file: Path) -> None:
    async with served(file) as here, here.client(ANN) as client:
        result = await client.call_tool("gateway_status", {"agent_id": "web"})
        text = result.content[0].text  # type: ignore[union-attr]
        assert "canary" not in text
        assert "hidden-agent" not in text
        status = json.loads(text)
        assert status["policy_state"] == {
            "total_agents": 2,
            "defaults": {"deny_on_missing_agent": False},
        }
        assert status["available_servers"] == ["a"]
        assert set(status["circuits"]) == {"a"}
        assert status["reload_status"]["gateway_rules"]["success_count"] == 1


async def test_an_error_of_a_file_is_for_administrators_alone(file: Path) -> None:
    async with (
        served(file) as here,
        here.client(ANN) as ann,
        here.client(ROOT) as root,
    ):
        rules = file.parent / "rules-canary.json"
        rules.write_text('{"agents": canary}')
        async with asyncio.timeout(15):
            while not (await asked(root, "web"))["reload_status"]["gateway_rules"]["last_error"]:
                await asyncio.sleep(0.05)
        seen, whole = await asked(ann, "web"), await asked(root, "hidden-agent")
        assert "canary" not in json.dumps(seen)
        assert seen["reload_status"]["gateway_rules"]["last_error"]
        assert "rules-canary.json" in whole["reload_status"]["gateway_rules"]["last_error"]
        assert "last good version counts" in seen["message"]


async def test_the_four_stay_as_they_are_beside_it(file: Path) -> None:
    async with served(file) as here, here.client(ROOT) as client:
        tools = (await client.list_tools()).tools
        assert [tool.name for tool in tools][-1] == "gateway_status"
        assert len(tools) == 5
