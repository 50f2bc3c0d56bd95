"""Agents before the whole gateway: real clients, real servers, rules that change meanwhile."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client
from mcp.client.subscriptions import ToolsListChanged

from gateway.runtime.waiting import settled
from tests.peers.live import save
from tests.peers.named_mcp import COMMAND
from tests.peers.programs import ROOT, environment
from tests.peers.secured import Secured, secured, shown

ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])
TOOLS = {"db": ["get_one", "drop_all"], "notes": ["write"]}
BACKENDS = {
    name: {"command": COMMAND[0], "args": [*COMMAND[1:], *tools]} for name, tools in TOOLS.items()
}
RULES: dict[str, Any] = {
    "agents": {
        "reader": {"allow": {"servers": ["db"]}, "deny": {"tools": {"db": ["drop_*"]}}},
        "writer": {"allow": {"servers": ["notes", "archive"]}},
    },
}
FALLBACK = {"deny_on_missing_agent": False}
KEYS = {"reads": "reads-canary-key-0123456789", "both": "both-canary-key-0123456789"}


def settings(**more: Any) -> str:
    return json.dumps({"backends": BACKENDS, "agent_rules": "rules.json", **more})


@contextlib.asynccontextmanager
async def held(
    folder: Path, rules: dict[str, Any] | None = None, *, ruled: bool = True, **more: Any
) -> AsyncIterator[Secured]:
    """The gateway with these rules, once its servers are connected; `ruled`: they are in force."""
    (folder / "rules.json").write_text(json.dumps(rules or RULES))
    text = settings(**more) if ruled else json.dumps({"backends": BACKENDS})
    async with secured(folder, text, (), mock=False) as gateway:
        await settled(gateway.parts.current, 20)
        yield gateway


@contextlib.asynccontextmanager
async def client(
    gateway: Secured, mode: str = "auto", path: str = "", **headers: str
) -> AsyncIterator[Client]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        create_mcp_http_client(named) as http,
        Client(streamable_http_client(gateway.url + path, http_client=http), mode=mode) as made,  # type: ignore[arg-type]
    ):
        yield made


async def invoke(client: Client, server: str, tool: str, **more: Any) -> Any:
    """What the tool says, or the `error` that tells why not."""
    arguments = {"server": server, "tool": tool, **more}
    result = await client.call_tool("gateway_invoke", arguments)
    assert result.structured_content is not None, result
    assert result.is_error is ("error" in result.structured_content)
    return result.structured_content.get("error", result.structured_content)


async def servers(client: Client, **more: Any) -> list[str]:
    result = await client.call_tool("gateway_list_servers", more)
    assert not result.is_error, result
    return [one["name"] for one in json.loads(result.content[0].text)["servers"]]  # type: ignore[union-attr]


@ERAS
async def test_one_client_calls_as_several_agents(tmp_path: Path, mode: str) -> None:
    async with held(tmp_path) as gateway, client(gateway, mode) as one:
        for tool in (await one.list_tools()).tools:
            assert "agent_id" in tool.input_schema["properties"]
        assert await servers(one, agent_id="reader") == ["db"]
        assert await servers(one, agent_id="writer") == ["notes"]
        assert (await invoke(one, "db", "get_one", agent_id="reader"))["tool"] == "get_one"
        assert (await invoke(one, "notes", "write", agent_id="writer"))["tool"] == "write"
        assert await invoke(one, "db", "drop_all", agent_id="reader") == {
            "code": "DENIED_BY_POLICY",
            "message": "agent 'reader' may not call tool 'drop_all' of server 'db'",
            "rule": "agents.reader.deny.tools.db[0]",
        }


@ERAS
async def test_a_client_is_told_in_words_and_in_codes_what_is_wrong(
    tmp_path: Path, mode: str
) -> None:
    async with held(tmp_path) as gateway, client(gateway, mode) as one:
        codes = {}
        for server, tool, agent in (
            ("db", "gone", "reader"),
            ("db", "drop_gone", "reader"),
            ("notes", "write", "reader"),
            ("archive", "write", "writer"),
            ("db", "get_one", "ghost"),
            ("db", "get_one", None),
        ):
            error = await invoke(one, server, tool, agent_id=agent)
            codes[server, tool, agent] = (error["code"], error.get("rule"))
        assert codes == {
            ("db", "gone", "reader"): ("TOOL_NOT_FOUND", None),
            ("db", "drop_gone", "reader"): ("DENIED_BY_POLICY", "agents.reader.deny.tools.db[0]"),
            ("notes", "write", "reader"): ("DENIED_BY_POLICY", "agents.reader.allow.servers"),
            ("archive", "write", "writer"): ("SERVER_UNAVAILABLE", None),
            ("db", "get_one", "ghost"): ("INVALID_AGENT_ID", None),
            ("db", "get_one", None): ("INVALID_AGENT_ID", None),
        }
        result = await one.call_tool("gateway_list_servers", {})
        assert result.is_error
        assert "agent_id, or over HTTP in the header X-Agent-Id" in result.content[0].text  # type: ignore[union-attr]


@ERAS
async def test_a_client_may_be_pinned_to_an_agent_by_its_header(tmp_path: Path, mode: str) -> None:
    async with held(tmp_path) as gateway:
        async with client(gateway, mode, X_Agent_Id="reader") as one:
            assert await servers(one) == ["db"]
            error = await invoke(one, "notes", "write", agent_id="writer")
            assert error["code"] == "INVALID_AGENT_ID"
        async with client(gateway, mode, X_Agent_Id="ghost") as one:
            assert (await invoke(one, "db", "get_one"))["code"] == "INVALID_AGENT_ID"


@ERAS
async def test_in_direct_mode_the_header_says_as_which_agent(tmp_path: Path, mode: str) -> None:
    async with held(tmp_path) as gateway:
        async with client(gateway, mode, "/db", X_Agent_Id="reader") as one:
            assert [tool.name for tool in (await one.list_tools()).tools] == ["get_one"]
            assert not (await one.call_tool("get_one", {})).is_error
            denied = await one.call_tool("drop_all", {})
            assert denied.is_error
            assert "agent 'reader' may not call tool 'drop_all'" in denied.content[0].text  # type: ignore[union-attr]
        for path, status in (("/db", 403), ("/ghost", 403), ("/db/x", 404)):
            assert await gateway.listed(None, f"/mcp{path}") == status
        for server in ("notes", "ghost"):
            async with gateway.asking(
                None, "tools/list", {}, f"/mcp/{server}", **{"X-Agent-Id": "reader"}
            ) as answer:
                assert answer.status == 404


async def test_in_direct_mode_who_names_no_agent_is_the_fallback(tmp_path: Path) -> None:
    rules = {**RULES, "defaults": FALLBACK}
    async with held(tmp_path, rules, default_agent="reader") as gateway:
        async with client(gateway, path="/db") as one:
            assert [tool.name for tool in (await one.list_tools()).tools] == ["get_one"]
        async with client(gateway) as one:
            assert await servers(one) == ["db"]
            assert await servers(one, agent_id="writer") == ["notes"]


async def test_a_fallback_without_rules_and_no_fallback_have_codes_of_their_own(
    tmp_path: Path,
) -> None:
    rules = {**RULES, "defaults": FALLBACK}
    async with held(tmp_path, rules, default_agent="ghost") as gateway, client(gateway) as one:
        error = await invoke(one, "db", "get_one")
        assert error["code"] == "FALLBACK_AGENT_NOT_IN_RULES"
        gateway.save(settings())
        while error["code"] == "FALLBACK_AGENT_NOT_IN_RULES":
            error = await invoke(one, "db", "get_one")
        assert error["code"] == "NO_FALLBACK_CONFIGURED"


async def issues(gateway: Secured, count: int) -> list[Any]:
    """Of /health, once there are that many."""
    while True:
        found = json.loads((await gateway.get("/health"))[1])["reload"]["issues"]
        if len(found) == count:
            return list(found)


async def until(client: Client, wanted: list[str]) -> float:
    """The seconds until the reader sees these servers."""
    began = monotonic()
    while await servers(client, agent_id="reader") != wanted:
        pass
    return monotonic() - began


def last_error(gateway: Secured, file: Path) -> str:
    return gateway.parts.ledger.files[str(file)].last_error or ""


async def test_changed_rules_count_for_the_next_call(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    async with asyncio.timeout(20), held(tmp_path) as gateway, client(gateway) as one:
        [warning] = await issues(gateway, 1)
        assert warning["severity"] == "warning"
        assert warning["path"] == "agents.writer.allow.servers[1]"
        assert warning["message"] == "no server 'archive' is on offer: the rule waits for it"
        for wanted in (["db", "notes"], ["db"], []):
            save(file, json.dumps({"agents": {"reader": {"allow": {"servers": wanted}}}}))
            assert await until(one, wanted) < 2.0  # 0.1 s where nothing else is going on
            assert last_error(gateway, file) == ""
        assert await issues(gateway, 0) == []


async def test_broken_rules_leave_those_before_in_force_and_are_told(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    good = {"agents": {"reader": {"allow": {"servers": ["db"]}}}}
    async with (
        asyncio.timeout(20),
        held(tmp_path, good) as gateway,
        client(gateway) as one,
    ):
        save(file, '{"agents": {"reader": {"allow": {"server": []}}}}')
        [issue] = await issues(gateway, 1)
        assert (issue["severity"], issue["where"]) == ("error", f"{file}:1:34")
        assert issue["hint"] == "did you mean 'servers'?"
        assert "unknown key 'server'" in last_error(gateway, file)
        assert json.loads((await gateway.get("/health"))[1])["status"] == "degraded"
        assert await servers(one, agent_id="reader") == ["db"]

        file.unlink()
        while "no such file" not in last_error(gateway, file):
            await gateway.get("/health")
        assert await servers(one, agent_id="reader") == ["db"]

        save(file, json.dumps({"agents": {"reader": {"allow": {"servers": ["notes"]}}}}))
        await until(one, ["notes"])
        assert await issues(gateway, 0) == []
        assert last_error(gateway, file) == ""


async def test_that_agents_come_to_have_rules_is_told_as_a_change_of_the_tools(
    tmp_path: Path,
) -> None:
    async with (
        asyncio.timeout(20),
        held(tmp_path, ruled=False) as gateway,
        client(gateway) as one,
    ):
        for tool in (await one.list_tools()).tools:
            assert "agent_id" not in tool.input_schema.get("properties", {})
        async with one.listen(tools_list_changed=True) as events:
            gateway.save(settings())
            assert await anext(aiter(events)) == ToolsListChanged()
        for tool in (await one.list_tools()).tools:
            assert "agent_id" in tool.input_schema["properties"]


async def test_rules_that_are_asked_for_later_and_cannot_be_read_change_nothing(
    tmp_path: Path,
) -> None:
    async with asyncio.timeout(20), held(tmp_path) as gateway, client(gateway) as one:
        gateway.save(settings().replace("rules.json", "gone.json"))
        gone = str(tmp_path / "gone.json")
        while gone not in gateway.parts.ledger.files:
            await gateway.get("/health")
        assert await servers(one, agent_id="reader") == ["db"]
        save(tmp_path / "gone.json", json.dumps({"agents": {"reader": {}}}))
        while await servers(one, agent_id="reader"):
            pass


async def test_a_key_acts_only_as_the_agents_that_it_lists_and_an_agent_only_narrows_it(
    tmp_path: Path,
) -> None:
    keys = [
        {"name": "reads", "key": KEYS["reads"], "agents": ["reader"], "allowed_tools": ["get_*"]},
        {"name": "both", "key": KEYS["both"], "agents": ["*"], "denied_tools": ["get_one"]},
    ]
    rules = {"agents": {**RULES["agents"], "all": {"allow": {"servers": ["*"]}}}}
    async with held(tmp_path, rules, auth={"enabled": True, "api_keys": keys}) as gateway:
        async with client(gateway, **shown(KEYS["reads"])) as one:
            assert (await invoke(one, "db", "get_one", agent_id="reader"))["tool"] == "get_one"
            for agent in ("writer", "all", "ghost"):
                error = await invoke(one, "notes", "write", agent_id=agent)
                assert error["code"] == "INVALID_AGENT_ID"
                assert "'reads' may not act as agent" in error["message"]
        async with client(gateway, **shown(KEYS["both"])) as one:
            error = await invoke(one, "db", "get_one", agent_id="all")
            assert error["code"] == "TOOL_NOT_FOUND"  # its key hides it, whatever the agent may
            assert (await invoke(one, "db", "drop_all", agent_id="all"))["tool"] == "drop_all"
        pinned = {**shown(KEYS["reads"]), "X-Agent-Id": "writer"}
        async with client(gateway, **pinned) as one:
            assert (await invoke(one, "notes", "write"))["code"] == "INVALID_AGENT_ID"


def start(*words: str, folder: Path) -> Any:
    return asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "serve", "-c", str(folder / "gateway.yaml"), *words),
        cwd=ROOT,
        env=environment({}),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize("how", [("--port", "0"), ("--stdio",)])
@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (None, "rules.json\n  no such file\n"),
        ("{agents: {}}", "rules.json:1:2\n  not JSON: expecting property name enclosed in"),
        ('{"agents": []}', "rules.json:1:12  agents\n  must be a mapping, not a list\n"),
    ],
)
async def test_without_good_rules_it_does_not_start(
    tmp_path: Path, how: tuple[str, ...], rules: str | None, said: str
) -> None:
    (tmp_path / "gateway.yaml").write_text("agent_rules: rules.json\n")
    if rules is not None:
        (tmp_path / "rules.json").write_text(rules)
    async with asyncio.timeout(30):
        process = await start(*how, folder=tmp_path)
        _, errors = await process.communicate()
    assert process.returncode == 2
    assert said in errors.decode()
    assert "Traceback" not in errors.decode()


@ERAS
async def test_over_stdio_the_fallback_and_agent_id_count(tmp_path: Path, mode: str) -> None:
    (tmp_path / "gateway.yaml").write_text(settings())
    (tmp_path / "rules.json").write_text(json.dumps({**RULES, "defaults": FALLBACK}))
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "gateway", "serve", "--stdio", "-c", str(tmp_path / "gateway.yaml")],
        cwd=ROOT,
        env={"GATEWAY_DEFAULT_AGENT": "reader"},
    )
    async with asyncio.timeout(30), Client(stdio_client(server), mode=mode) as one:
        assert await servers(one) == ["db"]
        assert await servers(one, agent_id="writer") == ["notes"]
        error = await invoke(one, "db", "drop_all")
        assert error["rule"] == "agents.reader.deny.tools.db[0]"


async def test_rules_are_validated_before_they_are_served(tmp_path: Path) -> None:
    (tmp_path / "capabilities").mkdir()
    (tmp_path / "gateway.yaml").write_text("agent_rules: rules.json\n")
    (tmp_path / "rules.json").write_text('{"agents": {"a": {"alow": {}}}}')
    words = ("validate", "-c", str(tmp_path / "gateway.yaml"), "--json")
    async with asyncio.timeout(30):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", *words),
            cwd=ROOT,
            env=environment({}),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
    assert process.returncode == 1
    [issue] = json.loads(out)["issues"]
    assert (issue["line"], issue["column"], issue["hint"]) == (1, 19, "did you mean 'allow'?")
