"""What agent-mcp-gateway's page says of its two files and variables holds for them here, unchanged.

What its rules mean, sentence by sentence, is with the rules; here they come with their servers.
"""

import asyncio
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

import gateway
from gateway.config.load import load, locate
from gateway.credentials.secret import environment
from tests.peers.peer_files import served, taken, world
from tests.peers.programs import ROOT

__all__ = ["world"]  # the fixture

SERVERS, RULES = ".mcp.json", ".mcp-gateway-rules.json"
SECRETS = {
    "BRAVE_API_KEY": "brave-canary",
    "DATABASE_URL": "postgresql://canary",
    "API_TOKEN": "token-canary",
}


@pytest.fixture
def both(world: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The two files in the working directory; the server of its page that is far away is off."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    servers = taken(world, "agent_mcp_gateway", SERVERS)
    servers.write_text(
        servers.read_text().replace(
            '"url": "https://example.com/mcp"', '"disabled": true, "url": "https://example.com/mcp"'
        )
    )
    taken(world, "agent_mcp_gateway", RULES)
    return world


async def invoked(client: Client, agent: str | None, server: str, tool: str) -> Any:
    said = {} if agent is None else {"agent_id": agent}
    return await client.call_tool("gateway_invoke", {"server": server, "tool": tool, **said})


async def code(client: Client, agent: str, server: str, tool: str) -> Any:
    return (await invoked(client, agent, server, tool)).structured_content["error"]["code"]


async def asked(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result
    return json.loads(result.content[0].text)  # type: ignore[union-attr]


async def servers(client: Client, **said: str) -> set[str]:
    found = await asked(client, "gateway_list_servers", **said)
    return {one["name"] for one in found["servers"]}


async def tools(client: Client, agent: str, server: str) -> set[str]:
    found = await asked(client, "gateway_list_tools", server=server, agent_id=agent)
    return {one["name"] for one in found["tools"]}


@pytest.mark.usefixtures("both")
async def test_its_files_beside_the_gateway_count_unasked() -> None:
    async with served() as here, here.client(None) as client:
        assert await servers(client, agent_id="researcher") == {"brave-search"}
        assert await servers(client, agent_id="backend") == {"postgres", "laravel-boost"}
        assert await tools(client, "researcher", "brave-search") == {"brave_web_search"}
        assert await tools(client, "backend", "postgres") == {
            "query",
            "list_tables",
            "list_schemas",
        }
        assert await tools(client, "backend", "laravel-boost") == {
            "get_config",
            "list_routes",
            "database_schema",
        }
        assert await servers(client, agent_id="admin") == {
            "brave-search",
            "postgres",
            "playwright",
            "laravel-boost",
        }
        assert "browser_type" not in await tools(client, "admin", "playwright")
        assert await tools(client, "claude-desktop", "playwright") == {"browser_click"}
        result = await invoked(client, "researcher", "brave-search", "brave_web_search")
        assert result.structured_content["tool"] == "brave_web_search"
        env = await invoked(client, "claude-desktop", "brave-search", "environment")
        assert env.structured_content["BRAVE_API_KEY"] == "brave-canary"


@pytest.mark.usefixtures("both")
async def test_what_is_denied_says_so_whether_there_is_such_a_tool_or_not() -> None:
    async with served() as here, here.client(None) as client:
        for tool in ("drop_table", "drop_nothing"):
            result = await invoked(client, "backend", "postgres", tool)
            assert result.is_error
            assert "(denied; not_sent)" in result.content[0].text
            error = result.structured_content["error"]
            assert error["code"] == "DENIED_BY_POLICY"
            assert error["rule"] == "agents.backend.deny.tools.postgres[0]"
        assert await code(client, "backend", "postgres", "query_all") == "DENIED_BY_POLICY"
        assert await code(client, "nobody", "postgres", "query") == "INVALID_AGENT_ID"
        assert await code(client, "admin", "playwright", "browser_fly") == "TOOL_NOT_FOUND"


@pytest.mark.usefixtures("both")
async def test_who_names_no_agent_acts_as_default_which_may_do_nothing() -> None:
    async with served() as here, here.client(None) as client:
        assert await servers(client) == set()


@pytest.mark.parametrize("folder", ["", "config"])
def test_its_files_are_found_beside_gateway_yaml_and_in_config(world: Path, folder: str) -> None:
    (world / folder).mkdir(exist_ok=True)
    taken(world / folder, "agent_mcp_gateway", SERVERS)
    taken(world / folder, "agent_mcp_gateway", RULES)
    config = read()
    assert config.agent_rules is not None
    assert Path(config.agent_rules) == Path(folder) / RULES
    assert config.mcp_servers is not None
    assert Path(config.mcp_servers) == Path(folder) / SERVERS


def test_a_mcp_json_without_rules_does_not_count(world: Path) -> None:
    taken(world, "agent_mcp_gateway", SERVERS)
    assert read().mcp_servers is None


@pytest.mark.parametrize(
    "text", ["mcp_servers: other.json\n", "backends: {x: {command: 'true'}}\n"]
)
def test_a_mcp_json_does_not_count_where_servers_are_named(world: Path, text: str) -> None:
    taken(world, "agent_mcp_gateway", SERVERS)
    taken(world, "agent_mcp_gateway", RULES)
    (world / "gateway.yaml").write_text(text)
    config = read()
    assert config.agent_rules == RULES
    assert config.mcp_servers != SERVERS


def test_rules_that_gateway_yaml_names_are_the_only_ones(world: Path) -> None:
    taken(world, "agent_mcp_gateway", SERVERS)
    taken(world, "agent_mcp_gateway", RULES)
    (world / "gateway.yaml").write_text("agent_rules: mine.json\n")
    config = read()
    assert (config.agent_rules, config.mcp_servers) == ("mine.json", None)


def test_a_link_to_rules_that_leads_nowhere_opens_nothing(world: Path) -> None:
    (world / RULES).symlink_to(world / "gone.json")
    assert read().agent_rules == RULES


def read(file: str | None = None) -> Any:
    loaded = load(locate(file, environment()), environment())
    assert loaded.config is not None, loaded.issues
    return loaded.config


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("name", "value", "place", "wanted"),
    [
        ("GATEWAY_MCP_CONFIG", "~/a.json", "mcp_servers", "{home}/a.json"),
        ("GATEWAY_RULES", "b.json", "agent_rules", "{home}/here/b.json"),
        ("GATEWAY_DEFAULT_AGENT", "developer", "default_agent", "developer"),
        ("GATEWAY_DEBUG", "true", "meta_mcp.status_tool", True),
        ("GATEWAY_DEBUG", "false", "meta_mcp.status_tool", False),
        ("GATEWAY_AUDIT_LOG", "./audit.jsonl", "audit.file", "{home}/here/audit.jsonl"),
        ("GATEWAY_AUDIT_LOG", "./audit.jsonl", "audit.enabled", True),
        ("GATEWAY_TRANSPORT", "stdio", "meta_mcp.enabled", True),
        ("GATEWAY_INIT_STRATEGY", "eager", "meta_mcp.enabled", True),
    ],
)
def test_its_variables_set_what_they_name(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    place: str,
    wanted: object,
) -> None:
    monkeypatch.setenv(name, value)
    found: Any = read()
    for key in place.split("."):
        found = getattr(found, key)
    assert found == (wanted.format(home=tmp_path) if isinstance(wanted, str) else wanted)


@pytest.mark.usefixtures("world")
def test_a_lazy_start_is_taken_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_INIT_STRATEGY", "lazy")
    loaded = load(locate(None, environment()), environment())
    assert loaded.config is not None
    assert [str(issue.severity) for issue in loaded.issues] == ["warning"]


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("name", ["GATEWAY_TRANSPORT", "GATEWAY_DEBUG", "GATEWAY_INIT_STRATEGY"])
def test_a_variable_that_does_not_fit_is_an_error(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "perhaps")
    loaded = load(locate(None, environment()), environment())
    assert loaded.config is None
    assert loaded.issues[0].file == name


async def test_a_client_starts_it_with_its_variables_and_acts_as_the_default_agent(
    both: Path,
) -> None:
    """As its page has a client's configuration: a program and `env`, nothing else."""
    elsewhere = both / "elsewhere"
    elsewhere.mkdir()
    variables = {
        "GATEWAY_MCP_CONFIG": str(both / SERVERS),
        "GATEWAY_RULES": str(both / RULES),
        "GATEWAY_DEFAULT_AGENT": "researcher",
        "GATEWAY_TRANSPORT": "stdio",
        "GATEWAY_INIT_STRATEGY": "eager",
        "GATEWAY_DEBUG": "true",
        "GATEWAY_AUDIT_LOG": str(both / "audit.jsonl"),
        "PYTHONPATH": str(ROOT),
        **SECRETS,
        "PATH": os.environ["PATH"],  # noqa: TID251  a child's
    }
    started = StdioServerParameters(
        command=sys.executable, args=["-m", "gateway", "serve"], env=variables, cwd=elsewhere
    )
    async with asyncio.timeout(60), Client(stdio_client(started)) as client:
        assert await servers(client) == {"brave-search"}
        async with asyncio.timeout(20):
            while (await invoked(client, None, "brave-search", "brave_web_search")).is_error:
                await asyncio.sleep(0.1)
        refused = await invoked(client, None, "brave-search", "brave_local_search")
        assert refused.is_error
        assert await servers(client, agent_id="backend") == {"postgres", "laravel-boost"}
        status = await asked(client, "gateway_status")
        assert status["reload_status"]["gateway_rules"]["success_count"] == 1
        assert status["policy_state"]["agent_ids"] == [
            "researcher",
            "backend",
            "admin",
            "claude-desktop",
            "default",
        ]
        assert status["available_servers"] == ["brave-search"]
    lines = [json.loads(line) for line in (both / "audit.jsonl").read_text().splitlines()]
    assert any(line.get("agent") == "researcher" for line in lines)


async def test_the_status_tells_of_each_attempt_to_read_a_file(
    both: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_DEBUG", "true")
    async with served() as here, here.client(None) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert "gateway_status" in names

        async def status() -> Any:
            return await asked(client, "gateway_status", agent_id="admin")

        first = await status()
        rules = first["reload_status"]["gateway_rules"]
        assert (rules["attempt_count"], rules["success_count"], rules["last_error"]) == (1, 1, None)
        assert rules["last_attempt"] == rules["last_success"]
        assert first["reload_status"]["mcp_config"]["last_error"] is None
        assert first["policy_state"]["defaults"] == {"deny_on_missing_agent": False}
        assert first["policy_state"]["total_agents"] == 5
        assert set(first["available_servers"]) == {
            "brave-search",
            "postgres",
            "playwright",
            "laravel-boost",
        }
        assert first["config_paths"]["gateway_rules"] == RULES
        assert first["circuits"].keys() == set(first["available_servers"])
        (both / RULES).write_text("{ not json")
        async with asyncio.timeout(15):
            while (again := await status())["reload_status"]["gateway_rules"]["last_error"] is None:
                await asyncio.sleep(0.1)
        rules = again["reload_status"]["gateway_rules"]
        assert (rules["attempt_count"], rules["success_count"]) == (2, 1)
        assert "last good version counts" in again["message"]
        assert await servers(client, agent_id="researcher") == {"brave-search"}


@pytest.mark.usefixtures("both")
async def test_without_debug_there_is_no_status() -> None:
    async with served() as here, here.client(None) as client:
        assert len((await client.list_tools()).tools) == 4
        result = await client.call_tool("gateway_list_servers", {"agent_id": "researcher"})
        assert not result.is_error


async def test_changed_rules_are_live_without_a_restart(both: Path) -> None:
    async with served() as here, here.client(None) as client:
        assert await servers(client, agent_id="researcher") == {"brave-search"}
        rules = json.loads((both / RULES).read_text())
        rules["agents"]["researcher"]["allow"]["servers"] = ["postgres"]
        (both / RULES).write_text(json.dumps(rules))
        async with asyncio.timeout(15):
            while await servers(client, agent_id="researcher") != {"postgres"}:
                await asyncio.sleep(0.1)


async def test_rules_that_go_away_later_loosen_nothing(both: Path) -> None:
    async with served() as here, here.client(None) as client:
        (both / RULES).unlink()
        (both / "gateway.yaml").write_text("log: {level: error}\n")
        async with asyncio.timeout(15):
            while not any(RULES in issue.file for issue in here.parts.current.get().issues):
                await asyncio.sleep(0.1)
        assert await servers(client, agent_id="researcher") == {"brave-search"}
        assert await servers(client) == set()


async def test_what_counts_unasked_is_told_in_one_line(
    both: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gateway.runtime.configured")
    async with gateway.open(_empty(both)):
        told = [record for record in caplog.records if record.getMessage() == "found_beside"]
    assert [(one.__dict__["agent_rules"], one.__dict__["mcp_servers"]) for one in told] == [
        (str(both / RULES), str(both / SERVERS))
    ]


def _empty(folder: Path) -> Path:
    file = folder / "gateway.yaml"
    file.write_text("capabilities: {enabled: false}\n")
    return file
