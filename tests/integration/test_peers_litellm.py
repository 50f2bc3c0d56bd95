"""What litellm-rs has as configuration and as a library, in our words: the same comes of it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import gateway
from gateway.config.load import load, locate
from gateway.config.servers import kind
from gateway.credentials.secret import environment
from tests.peers.live import save
from tests.peers.named_mcp import COMMAND
from tests.peers.peer_files import FIXTURES, served, taken, world

__all__ = ["world"]  # the fixture

ADMIN, READER = "admin-key-012345678901234", "reader-key-01234567890123"


@pytest.fixture
def keys(world: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ADMIN_KEY", ADMIN)
    monkeypatch.setenv("READER_KEY", READER)
    return taken(world, "litellm", "gateway.yaml")


def test_each_of_its_transports_and_kinds_of_authentication_is_here(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MCP_DATABASE_TOKEN", "SLACK_MCP_KEY", "MCP_PASSWORD", "MCP_CLIENT_SECRET"):
        monkeypatch.setenv(name, f"{name}-canary")
    file = taken(world, "litellm", "transports.yaml")
    loaded = load(locate(str(file), environment()), environment())
    assert loaded.issues == ()
    assert loaded.config is not None
    assert {name: kind(one).label for name, one in loaded.config.backends.items()} == {
        "over-http": "http",
        "over-sse": "sse",
        "over-websocket": "websocket",
        "with-oauth": "http",
        "over-stdio": "stdio",
    }
    assert "canary" not in repr(loaded.config.backends["over-http"].auth)


async def test_its_levels_decide_by_key_team_and_everyone(keys: Path) -> None:
    async with served(keys) as here:

        async def seen(key: str) -> dict[str, set[str]]:
            async with here.client(key) as client:
                listed = await client.call_tool("gateway_list_servers", {})
                names = [one["name"] for one in json.loads(listed.content[0].text)["servers"]]  # type: ignore[union-attr]
                found = {}
                for name in names:
                    result = await client.call_tool("gateway_list_tools", {"server": name})
                    tools = json.loads(result.content[0].text)["tools"]  # type: ignore[union-attr]
                    found[name] = {tool["name"] for tool in tools}
                return found

        admin, reader = await seen(ADMIN), await seen(READER)
        assert "database_read" in admin["database"]
        assert reader["filesystem"] == {"read_file"}
        assert {"query_rows", "database_read"} <= reader["database"]  # sees it all, by level read
        for one in (admin, reader):  # a deny holds whoever it speaks of
            assert "write_row" not in one["database"]
        async with here.client(READER) as client:

            async def call(tool: str) -> Any:
                return await client.call_tool(
                    "gateway_invoke", {"server": "database", "tool": tool}
                )

            assert not (await call("query_rows")).is_error
            refused = await call("database_read")
            assert refused.is_error
            assert "(denied; not_sent)" in refused.content[0].text
            hidden, missing = await call("write_row"), await call("write_raw")
            assert hidden.is_error
            assert missing.is_error
            assert "(denied" not in hidden.content[0].text


async def test_the_same_policies_hold_for_a_library(keys: Path) -> None:
    async with gateway.open(keys) as gw:
        reader = gw.acting("reader")
        assert {tool.ref.name for tool in reader.tools("filesystem")} == {"read_file"}
        await reader.call("database", "query_rows")
        with pytest.raises(gateway.AuthorizationError) as denied:
            await reader.call("database", "database_read")
        assert denied.value.rule
        with pytest.raises(gateway.ToolNotFound):
            await reader.call("database", "write_row")
        who = await gw.identify(f"Bearer {READER}")
        assert (who.name, who.team, who.org) == ("reader", "web", "acme")
        assert [one.name for one in gw.acting(who).servers()] == ["database", "filesystem"]
        with pytest.raises(gateway.AuthenticationError):
            await gw.identify("Bearer wrong")
        with pytest.raises(gateway.AuthenticationError):
            await gw.identify(None)
        # the operator, of whom no policy speaks
        assert "write_row" in {tool.ref.name for tool in gw.tools("database")}
        # one registered at run time is held to the same rules
        await gw.register("later", {"command": [*COMMAND, "read_x", "delete_x"]})
        assert [one.name for one in reader.servers()] == ["database", "filesystem"]
        renamed(keys)
        async with asyncio.timeout(15):
            while "reader" in await names(gw):
                await asyncio.sleep(0.05)
        with pytest.raises(gateway.AuthenticationError, match="no API key is named 'reader'"):
            reader.servers()


def renamed(file: Path) -> None:
    save(file, file.read_text().replace("name: reader", "name: other"))


async def names(gw: gateway.Capgate) -> set[str]:
    return {(await gw.identify(f"Bearer {key}")).name for key in (ADMIN, READER)}


async def test_agents_narrow_what_a_program_does_for_them(world: Path) -> None:
    rules = {"agents": {"web": {"allow": {"servers": ["a"], "tools": {"a": ["get_*"]}}}}}
    (world / "rules.json").write_text(json.dumps(rules))
    settings = {
        "agent_rules": str(world / "rules.json"),
        "backends": {
            "a": {"command": [*COMMAND, "get_x", "put_x"]},
            "b": {"command": [*COMMAND, "get_y"]},
        },
    }
    async with gateway.open(settings) as gw:
        web = gw.acting(agent="web")
        assert [str(tool.ref) for tool in web.tools()] == ["a:get_x"]
        await web.call("a", "get_x")
        with pytest.raises(gateway.AuthorizationError):
            await gw.call("a", "put_x", agent="web")
        with pytest.raises(gateway.InvalidAgent):
            gw.acting(agent="nobody")
        await gw.call("b", "get_y")


async def test_tools_are_functions_for_openai_and_back() -> None:
    async with gateway.open() as gw:
        await gw.register("numbers", {"command": [*COMMAND, "add"]})
        [function] = gw.openai_tools()
        assert function["type"] == "function"
        assert function["function"]["name"] == "mcp_numbers__add"
        assert function["function"]["description"] == "Does add."
        assert function["function"]["parameters"]["type"] == "object"
        result = await gw.call_function("mcp_numbers__add", '{"a": 1}')
        assert result.structured_content == {"tool": "add", "arguments": {"a": 1}}
        with pytest.raises(gateway.ToolNotFound):
            await gw.call_function("mcp_numbers__sub")
        with pytest.raises(gateway.InvalidArguments):
            await gw.call_function("mcp_numbers__add", "[1]")


@pytest.mark.parametrize("file", sorted(FIXTURES.glob("*/*.yaml")), ids=lambda file: file.stem)
def test_a_fixture_is_plain_yaml(file: Path) -> None:
    assert isinstance(yaml.safe_load(file.read_text()), dict)
