"""What mcp-gateway's pages say of its files holds for them here, unchanged."""

import json
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from gateway.config.load import load, locate
from gateway.config.model import Config
from gateway.credentials.secret import environment
from gateway.domain.issue import Issue
from tests.peers.named_mcp import COMMAND
from tests.peers.peer_files import served, taken, world

__all__ = ["world"]  # the fixture

KEYS = {
    "CLIENT_A_KEY": "client-a-key-0123456789",
    "FRONTEND_KEY": "frontend-key-0123456789",
    "BOT_KEY": "bot-key-01234567890123456",
    "READER_KEY": "reader-key-01234567890123",
    "ADMIN_KEY": "admin-key-012345678901234",
}


def read(file: Path) -> tuple[Config, tuple[Issue, ...]]:
    loaded = load(locate(str(file), environment()), environment())
    assert loaded.config is not None, loaded.issues
    return loaded.config, loaded.issues


async def asked(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result
    return json.loads(result.content[0].text)  # type: ignore[union-attr]


async def servers(client: Client) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in (await asked(client, "gateway_list_servers"))["servers"]}


async def tools(client: Client, server: str) -> set[str]:
    found = await asked(client, "gateway_list_tools", server=server)
    return {one["name"] for one in found["tools"]}


async def test_servers_yaml_of_the_quick_start_serves_its_servers(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAVILY_API_KEY", "tavily-canary")
    file = taken(world, "mcp_gateway", "servers.yaml")
    async with served(file, 1.0) as gateway, gateway.client(None) as client:
        found = await servers(client)
        assert found["tavily"]["description"] == "Web search"
        assert found["tavily"]["status"] == "ok"
        assert found["context7"]["description"] == "Documentation lookup"
        search = await asked(client, "gateway_search_tools", query="tavily search")
        assert search["query"] == "tavily search"
        assert search["matches"][0]["server"] == "tavily"
        assert search["matches"][0]["tool"] == "tavily_search"
        assert search["total"] >= 1
        result = await client.call_tool(
            "gateway_invoke",
            {"server": "tavily", "tool": "tavily_search", "arguments": {"query": "MCP"}},
        )
        assert result.structured_content == {
            "tool": "tavily_search",
            "arguments": {"query": "MCP"},
        }
        env = await client.call_tool("gateway_invoke", {"server": "tavily", "tool": "environment"})
        assert env.structured_content["TAVILY_API_KEY"] == "tavily-canary"  # type: ignore[index]
        status, text = await gateway.get("/health")
        assert status == 200
        health = json.loads(text)["backends"]["tavily"]
        assert {"name", "running", "transport", "tools_cached", "request_count"} <= health.keys()
        assert (health["name"], health["running"], health["transport"]) == ("tavily", True, "stdio")
        assert (health["tools_cached"], health["request_count"]) == (5, 2)
        assert health["circuit_state"] == "Closed"


async def test_direct_mode_is_below_the_servers_name(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAVILY_API_KEY", "tavily-canary")
    file = taken(world, "mcp_gateway", "servers.yaml")
    async with served(file, 1.0) as gateway, Client(f"{gateway.url}/tavily") as client:
        assert "tavily_search" in {tool.name for tool in (await client.list_tools()).tools}


def test_a_variable_that_is_not_set_costs_its_own_server_alone(world: Path) -> None:
    config, issues = read(taken(world, "mcp_gateway", "servers.yaml"))
    assert set(config.backends) == {"context7"}
    assert [issue.path for issue in issues] == ["backends.tavily.env.TAVILY_API_KEY"]


def test_every_key_of_the_longer_example_is_understood(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAVILY_API_KEY", "a")
    monkeypatch.setenv("CONTEXT7_TOKEN", "b")
    config, issues = read(taken(world, "mcp_gateway", "all_servers.yaml"))
    assert issues == ()
    assert (config.server.host, config.server.port) == ("127.0.0.1", 39400)
    assert config.server.max_body_size == 10_485_760
    assert config.failsafe.rate_limit.requests_per_second == 100
    assert config.failsafe.health_check.interval == "30s"
    assert config.backends["tavily"].idle_timeout == "5m"
    assert config.backends["context7"].headers == {"Authorization": "Bearer b"}
    assert config.backends["filesystem"].cwd == "/home/user"
    assert not config.backends["experimental"].enabled


def test_what_its_page_calls_defaults_are_the_defaults() -> None:
    config = Config()
    breaker, retry, rate = (
        config.failsafe.circuit_breaker,
        config.failsafe.retry,
        config.failsafe.rate_limit,
    )
    assert (breaker.failure_threshold, breaker.success_threshold) == (5, 3)
    assert (breaker.enabled, breaker.reset_timeout) == (True, "30s")
    assert (retry.enabled, retry.max_attempts) == (True, 3)
    assert (retry.initial_backoff, retry.max_backoff) == ("100ms", "10s")
    assert rate.requests_per_second == 100
    assert (config.meta_mcp.cache_tools, config.meta_mcp.cache_ttl) == (True, "5m")
    assert (config.server.request_timeout, config.server.shutdown_timeout) == ("30s", "30s")


async def test_a_circuit_opens_after_its_failures_and_other_servers_go_on(world: Path) -> None:
    file = world / "servers.yaml"
    file.write_text(
        "failsafe:\n"
        "  circuit_breaker: {failure_threshold: 2, reset_timeout: 15s}\n"
        "  retry: {enabled: false}\n"
        "server: {request_timeout: 200ms}\n"
        f"backends:\n  slow: {{command: {json.dumps([*COMMAND, 'hang'])}}}\n"
        f"  quick: {{command: {json.dumps([*COMMAND, 'get'])}}}\n"
    )
    async with served(file) as gateway, gateway.client(None) as client:

        async def call(server: str, tool: str) -> Any:
            return await client.call_tool("gateway_invoke", {"server": server, "tool": tool})

        said = [(await call("slow", "hang")).content[0].text for _ in range(3)]
        assert ["(timeout; sent_unknown)" in text for text in said] == [True, True, False]
        assert "(circuit_open; not_sent)" in said[2]
        assert not (await call("quick", "get")).is_error
        backends = json.loads((await gateway.get("/health"))[1])["backends"]
        assert backends["slow"]["circuit_state"] == "Open"
        assert backends["quick"]["circuit_state"] == "Closed"


async def test_the_full_example_loads_and_says_what_has_no_effect(world: Path) -> None:
    (world / "servers.env").write_text("export TAVILY_API_KEY='from-a-file'  # a comment\n")
    (world / "capabilities").mkdir()
    file = taken(world, "mcp_gateway", "full.yaml")
    async with served(file) as gateway, gateway.client(None) as client:
        env = await client.call_tool("gateway_invoke", {"server": "tavily", "tool": "environment"})
        assert env.structured_content["TAVILY_API_KEY"] == "from-a-file"  # type: ignore[index]
        issues = gateway.parts.current.get().issues
        assert [(issue.path, str(issue.severity)) for issue in issues] == [
            ("streaming", "warning"),
            ("cache", "warning"),
        ]


async def test_clients_see_the_backends_of_their_keys(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLIENT_A_KEY", KEYS["CLIENT_A_KEY"])
    file = taken(world, "mcp_gateway", "auth.yaml")
    async with served(file) as gateway:
        assert await gateway.listed(None) == 401
        assert await gateway.listed("wrong") == 401
        async with gateway.client(KEYS["CLIENT_A_KEY"]) as client:
            assert set(await servers(client)) == {"tavily"}
            assert "tavily_search" in await tools(client, "tavily")
            hidden = await client.call_tool(
                "gateway_invoke", {"server": "filesystem", "tool": "read_file"}
            )
            assert hidden.is_error
        async with gateway.client("my-literal-key") as client:
            assert set(await servers(client)) == {"tavily", "filesystem"}
        for path in ("/health", "/metrics"):
            assert (await gateway.get(path))[0] == 200
        assert (await gateway.get("/openai/tools"))[0] == 401
        assert set(json.loads((await gateway.get("/health"))[1])) == {"status"}


async def test_keys_are_scoped_to_tools_beneath_the_tool_policy(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, key in KEYS.items():
        monkeypatch.setenv(name, key)
    file = taken(world, "mcp_gateway", "scopes.yaml")
    async with served(file) as gateway:

        async def seen(key: str) -> dict[str, set[str]]:
            async with gateway.client(KEYS[key]) as client:
                found = await servers(client)
                return {name: await tools(client, name) for name in found}

        assert await seen("FRONTEND_KEY") == {
            "tavily": {"tavily_search", "search_news", "read_page", "environment"},
            "filesystem": {"read_file", "search_files"},
        } | {name: set() for name in (await seen("FRONTEND_KEY")).keys() - {"tavily", "filesystem"}}
        bot = await seen("BOT_KEY")
        assert "filesystem_list" not in bot["filesystem"]
        assert {"read_file", "search_files"} <= bot["filesystem"]
        reader = await seen("READER_KEY")
        assert reader["database"] == {"database_read"}
        assert reader["filesystem"] == {"filesystem_list"}
        admin = await seen("ADMIN_KEY")
        assert "database_write" in admin["database"]
        for one in (bot, reader, admin):  # denied to all, by its usual name
            assert not any("write_file" in names for names in one.values())
        async with gateway.client(KEYS["ADMIN_KEY"]) as client:
            result = await client.call_tool(
                "gateway_invoke", {"server": "filesystem", "tool": "write_file"}
            )
            assert result.is_error


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("MCP_GATEWAY_PORT", "8080", ("server", "port", 8080)),
        ("MCP_GATEWAY_HOST", "127.0.0.2", ("server", "host", "127.0.0.2")),
        ("MCP_GATEWAY_LOG_LEVEL", "DEBUG", ("log", "level", "debug")),
        ("MCP_GATEWAY_LOG_FORMAT", "json", ("log", "format", "json")),
        ("MCP_GATEWAY_SERVER__PORT", "8081", ("server", "port", 8081)),
        ("MCP_GATEWAY_META_MCP__CACHE_TOOLS", "false", ("meta_mcp", "cache_tools", False)),
        (
            "MCP_GATEWAY_SERVER__ALLOWED_HOSTS",
            '["a.example"]',
            ("server", "allowed_hosts", ("a.example",)),
        ),
    ],
)
def test_its_variables_set_what_they_name(
    world: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, place: tuple[Any, ...]
) -> None:
    monkeypatch.setenv(name, value)
    file = world / "servers.yaml"
    file.write_text("server: {port: 39400}\n")
    monkeypatch.setenv("MCP_GATEWAY_CONFIG", str(file))
    loaded = load(locate(None, environment()), environment())
    assert loaded.config is not None
    section, key, wanted = place
    assert getattr(getattr(loaded.config, section), key) == wanted


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MCP_GATEWAY_SERVER__PROT", "1", "no key 'server.prot'"),
        ("MCP_GATEWAY_SERVER__PORT", "many", "does not fit server.port"),
        ("MCP_GATEWAY_SERVER__REQUEST_TIMEOUT", "soon", "no duration"),
        ("MCP_GATEWAY_FAILSAFE__RETRY", "3", "has keys of its own"),
        ("MCP_GATEWAY_PORT", "tcp://10.0.0.1:80", "must be a port number"),
    ],
)
@pytest.mark.usefixtures("world")
def test_a_variable_that_does_not_fit_is_an_error(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    loaded = load(locate(None, environment()), environment())
    assert loaded.config is None
    assert said in "\n".join(map(str, loaded.issues))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("playbooks: {enabled: true}\n", "leave it out"),
        ("mtls: {enabled: true}\n", "proxy"),
        ("routing_profiles: {a: {}}\n", "policies"),
        ("security: {tool_policy: {deny: ['exec_*'], allow: [exec_ls]}}\n", "a deny always holds"),
        ("env_files: [here.env]\n", "line 1 of here.env is no NAME=value"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_advice(world: Path, text: str, said: str) -> None:
    (world / "here.env").write_text("secret-canary\n")
    file = world / "gateway.yaml"
    file.write_text(text)
    loaded = load(locate(str(file), environment()), environment())
    assert loaded.config is None
    told = "\n".join(map(str, loaded.issues))
    assert said in told
    assert "secret-canary" not in told


def test_the_process_environment_stands_above_the_files_and_later_files_above_earlier(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (world / "one.env").write_text("A=one\nB=one\nC=one\n")
    (world / "two.env").write_text("B=two\nC=two\n")
    monkeypatch.setenv("C", "process")
    file = world / "gateway.yaml"
    file.write_text(
        "env_files: [one.env, two.env, gone.env]\n"
        "backends: {x: {command: 'true', env: {A: '${A}', B: '${B}', C: '${C}'}}}\n"
    )
    config, _ = read(file)
    assert config.backends["x"].env == {"A": "one", "B": "two", "C": "process"}
