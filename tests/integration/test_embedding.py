"""The gateway as a library: opened, filled and called by a program of somebody else."""

import asyncio
import gc
import json
import logging
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import gateway
from gateway.domain.identity import Identity
from tests.peers.named_mcp import COMMAND
from tests.peers.web import serving

SHOP = """\
capability: 1
name: shop
description: Items of a shop
base_url: {base}
tools:
  get_item:
    description: One item of the shop by its number.
    args:
      id: {{type: integer, required: true}}
    get: /items/{{{{ args.id }}}}
    response: {{map: {{id: $.id, name: $.name}}}}
"""
UNREACHED = SHOP.format(base="http://127.0.0.1:9")


async def shop(request: web.Request) -> web.Response:
    number = request.path.rpartition("/")[2]
    if number == "404":
        return web.json_response({"message": "no such item"}, status=404)
    return web.json_response({"id": int(number), "name": f"Item {number}", "cost": 3})


def small(*tools: str) -> dict[str, Any]:
    return {"command": [*COMMAND, *tools]}


async def test_an_empty_gateway_has_nothing_and_reads_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "capabilities").mkdir()
    (tmp_path / "capabilities" / "shop.yaml").write_text(UNREACHED)
    monkeypatch.chdir(tmp_path)
    async with gateway.open() as gw:
        assert gw.servers() == []
        assert gw.tools() == []
        assert gw.search("item") == []


async def test_a_server_is_registered_listed_called_and_unregistered() -> None:
    async with gateway.open() as gw:
        server = await gw.register("numbers", small("add", "fail"))
        assert (server.name, server.status, server.tools) == ("numbers", "ok", 2)
        assert [one.name for one in gw.servers()] == ["numbers"]
        assert [tool.ref.name for tool in gw.tools("numbers")] == ["add", "fail"]
        assert gw.tool("numbers", "add").description == "Does add."
        assert next(str(tool.ref) for tool in gw.search("add")) == "numbers:add"
        result = await gw.call("numbers", "add", {"a": 1})
        assert result.structured_content == {"tool": "add", "arguments": {"a": 1}}
        assert json.loads(result.text) == result.structured_content
        await gw.unregister("numbers")
        assert gw.servers() == []
        with pytest.raises(gateway.ServerNotFound):
            await gw.call("numbers", "add")


async def test_a_capability_is_registered_as_text_or_as_what_the_text_holds() -> None:
    async with serving(shop) as port, gateway.open() as gw:
        text = SHOP.format(base=f"http://127.0.0.1:{port}")
        server = await gw.register_capability(text)
        assert (server.name, server.transport, server.tools) == ("shop", "rest", 1)
        assert (await gw.call("shop", "get_item", {"id": 7})).structured_content == {
            "id": 7,
            "name": "Item 7",
        }
        other = {
            "capability": 1,
            "name": "other",
            "description": "Another",
            "base_url": f"http://127.0.0.1:{port}",
            "tools": {"first": {"description": "The first item.", "get": "/items/1"}},
        }
        await gw.register_capability(other)
        assert (await gw.call("other", "first")).structured_content["id"] == 1


async def test_an_alias_is_another_name_of_a_server() -> None:
    async with gateway.open() as gw:
        await gw.register("numbers", small("add"))
        await gw.alias("n", "numbers")
        assert gw.get("n").name == "numbers"
        assert [tool.ref.backend for tool in gw.tools("n")] == ["numbers"]
        assert (await gw.call("n", "add")).structured_content["tool"] == "add"
        with pytest.raises(gateway.ConfigError, match="taken"):
            await gw.alias("n", "numbers")
        with pytest.raises(gateway.ServerNotFound):
            await gw.alias("m", "nobody")
        await gw.unregister("n")
        assert [one.name for one in gw.servers()] == ["numbers"]
        with pytest.raises(gateway.ServerNotFound):
            gw.get("n")


async def test_a_name_is_taken_once_unless_it_is_to_be_replaced() -> None:
    async with gateway.open() as gw:
        await gw.register("numbers", small("add"))
        with pytest.raises(gateway.ConfigError, match="taken"):
            await gw.register("numbers", small("multiply"))
        with pytest.raises(gateway.ConfigError, match="taken"):
            await gw.register_capability(UNREACHED.replace("name: shop", "name: numbers"))
        assert [tool.ref.name for tool in gw.tools()] == ["add"]
        await gw.register("numbers", small("multiply"), replace=True)
        assert [tool.ref.name for tool in gw.tools()] == ["multiply"]


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("n", {}, "command"),
        ("n", {"comand": "x"}, "did you mean 'command'"),
        ("n", {"http_url": "ftp://x"}, "no http or https URL"),
        ("n", {"http_url": "http://127.0.0.1:9", "timeout": "soon"}, "no duration"),
        ("n", {"http_url": "${NOBODY_SET_THIS}"}, "NOBODY_SET_THIS is not set"),
        ("a b", {"command": "true"}, "letters, digits"),
    ],
)
async def test_settings_that_do_not_fit_are_refused_with_the_reason(
    name: str, settings: Mapping[str, Any], said: str
) -> None:
    async with gateway.open() as gw:
        with pytest.raises(gateway.ConfigError, match=said):
            await gw.register(name, settings)
        assert gw.servers() == []


async def test_a_capability_that_does_not_load_is_refused_with_its_issues() -> None:
    async with gateway.open() as gw:
        with pytest.raises(gateway.ConfigError, match="base_url"):
            await gw.register_capability("capability: 1\nname: x\ndescription: d\ntools: {}\n")
        assert gw.servers() == []


async def test_a_server_that_cannot_be_started_is_there_and_says_so() -> None:
    async with gateway.open() as gw:
        server = await gw.register("gone", {"command": "/nonexistent/program"}, wait=10)
        assert server.status == "down"
        assert server.reason
        with pytest.raises(gateway.BackendUnavailable) as caught:
            await gw.call("gone", "anything")
        assert caught.value.reached == "not_sent"


async def test_each_thing_that_goes_wrong_has_its_class() -> None:
    async with serving(shop) as port, gateway.open() as gw:
        await gw.register("numbers", small("add", "fail", "hang"))
        await gw.register_capability(SHOP.format(base=f"http://127.0.0.1:{port}"))
        with pytest.raises(gateway.ServerNotFound, match="no server 'number'") as caught:
            gw.get("number")
        assert "numbers" in str(caught.value.hint)
        with pytest.raises(gateway.ToolNotFound):
            await gw.call("numbers", "ad")
        with pytest.raises(gateway.InvalidArguments):
            await gw.call("shop", "get_item", {"id": "x"})
        with pytest.raises(gateway.ToolFailed) as failed:
            await gw.call("numbers", "fail", {"a": 1})
        assert failed.value.result.structured_content["arguments"] == {"a": 1}
        with pytest.raises(gateway.ExecutionError, match="no such item") as refused:
            await gw.call("shop", "get_item", {"id": 404})
        assert refused.value.reached == "completed"
        with pytest.raises(gateway.DeadlineExceeded) as late:
            await gw.call("numbers", "hang", timeout=0.2)
        assert late.value.reached == "sent_unknown"


async def test_settings_made_in_code_open_a_gateway(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(UNREACHED)
    settings = {"backends": {"numbers": small("add")}, "aliases": {"n": "numbers"}}
    async with gateway.open(settings, capabilities=[tmp_path]) as gw:
        assert [one.name for one in gw.servers()] == ["numbers", "shop"]
        assert gw.get("n").tools == 1
        with pytest.raises(gateway.ConfigError, match="stands in a file"):
            await gw.unregister("numbers")
        with pytest.raises(gateway.ConfigError, match="taken"):
            await gw.register("numbers", small("add"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"server": {"prot": 1}}, "did you mean 'port'"),
        ({"backends": {"a": {}}}, "command"),
        ({"mcp_servers": 7}, "mcp_servers"),
    ],
)
async def test_settings_that_are_wrong_open_nothing(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(gateway.ConfigError, match=said):
        async with gateway.open(settings):
            raise AssertionError("it opened")


async def test_a_file_that_is_not_there_opens_nothing(tmp_path: Path) -> None:
    with pytest.raises(gateway.ConfigError, match="no such file"):
        async with gateway.open(tmp_path / "gateway.yaml"):
            raise AssertionError("it opened")


async def test_what_is_registered_survives_a_reload_of_the_file_and_rests_under_its_name(
    tmp_path: Path,
) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text("aliases: {}\n")
    async with gateway.open(file) as gw:
        await gw.register("mine", small("add"))
        file.write_text(f"backends:\n  theirs: {{command: {json.dumps([*COMMAND, 'get'])}}}\n")
        await until(gw, {"mine": ["add"], "theirs": ["get"]})
        file.write_text(f"backends:\n  mine: {{command: {json.dumps([*COMMAND, 'get'])}}}\n")
        await until(gw, {"mine": ["get"]})
        file.write_text("aliases: {}\n")
        await until(gw, {"mine": ["add"]})


async def until(gw: gateway.Capgate, wanted: dict[str, list[str]]) -> None:
    """Wait until exactly these tools are offered."""

    def offered() -> dict[str, list[str]]:
        return {one.name: [tool.ref.name for tool in gw.tools(one.name)] for one in gw.servers()}

    async with asyncio.timeout(10):
        while offered() != wanted:
            await asyncio.sleep(0.02)


async def test_two_gateways_in_one_process_know_nothing_of_each_other() -> None:
    async with gateway.open() as one, gateway.open() as other:
        await one.register("numbers", small("add"))
        await other.register("numbers", small("multiply"))
        assert [tool.ref.name for tool in one.tools()] == ["add"]
        assert [tool.ref.name for tool in other.tools()] == ["multiply"]
        await one.unregister("numbers")
        assert (await other.call("numbers", "multiply")).structured_content["tool"] == "multiply"


async def test_the_logging_signals_and_collector_of_the_program_stay_as_they_are(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in ("gateway", "watchfiles"):  # as in a program where nobody has set them
        caplog.set_level(logging.NOTSET, name)
    root = logging.getLogger()
    before = [*root.handlers], root.level, signal.getsignal(signal.SIGINT), gc.get_freeze_count()
    settings = {"log": {"level": "debug"}, "capabilities": {"enabled": False}}
    async with gateway.open(settings) as gw:
        await gw.register_capability(UNREACHED)
        levels = {name: logging.getLogger(name).level for name in ("gateway", "watchfiles")}
    after = [*root.handlers], root.level, signal.getsignal(signal.SIGINT), gc.get_freeze_count()
    assert before == after
    assert levels == {"gateway": 0, "watchfiles": 0}


async def test_secrets_are_masked_in_a_log_of_the_program(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SHOP_KEY", "canary-4711-secret")
    secret = "secrets:\n  key: env:SHOP_KEY\nauth: {bearer: '{{ secrets.key }}'}\n"
    async with gateway.open() as gw:
        await gw.register_capability(UNREACHED + secret)
        caplog.handler.addFilter(gw.log_filter())
        log = logging.getLogger("a.program")
        log.warning("it is %s", "canary-4711-secret", extra={"shown": "canary-4711-secret"})
        assert "canary-4711-secret" not in caplog.text
        assert caplog.records[-1].__dict__["shown"] == "***"


async def test_calls_are_counted_like_those_of_every_other_front() -> None:
    async with gateway.open() as gw:
        await gw.register("numbers", small("add", "fail"))
        await gw.call("numbers", "add")
        with pytest.raises(gateway.ToolFailed):
            await gw.call("numbers", "fail")
        with pytest.raises(gateway.ToolNotFound):
            await gw.call("numbers", "none")
        assert gw._parts.ledger.calls["numbers"] == 2
        assert b'tool="add"' in gw._parts.metrics.render()


async def test_calls_are_written_down_as_audit_says(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    async with gateway.open({"audit": {"enabled": True, "file": str(file)}}) as gw:
        await gw.register("numbers", small("add"))
        await gw.call("numbers", "add")
        with pytest.raises(gateway.ToolNotFound):
            await gw.acting(Identity("visitor")).call("numbers", "none")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(lines) == 2


async def test_a_rate_limit_is_an_error_of_its_own() -> None:
    settings = {"failsafe": {"rate_limit": {"requests_per_second": 0.01, "burst_size": 1}}}
    async with gateway.open(settings) as gw:
        await gw.register("numbers", small("add"))
        await gw.call("numbers", "add")
        with pytest.raises(gateway.RateLimited) as limited:
            await gw.call("numbers", "add")
        assert limited.value.after > 1


async def test_an_open_circuit_is_an_error_of_its_own() -> None:
    settings = {
        "failsafe": {"circuit_breaker": {"failure_threshold": 1}, "retry": {"enabled": False}}
    }
    async with gateway.open(settings) as gw:
        await gw.register("numbers", small("hang"))
        with pytest.raises(gateway.DeadlineExceeded):
            await gw.call("numbers", "hang", timeout=0.2)
        await gw.register("other", small("add"))
        assert (await gw.call("other", "add")).text


async def test_mocked_tools_answer_from_the_examples_of_their_files(tmp_path: Path) -> None:
    example = "    examples:\n      - args: {id: 7}\n        reply: {json: {id: 7, name: Lamp}}\n"
    (tmp_path / "shop.yaml").write_text(UNREACHED + example)
    async with gateway.open(capabilities=[tmp_path], mock=True) as gw:
        result = await gw.call("shop", "get_item", {"id": 7})
        assert result.structured_content == {"id": 7, "name": "Lamp"}


async def test_an_identity_of_the_programs_own_is_held_to_its_grant() -> None:
    who = Identity("visitor")
    async with gateway.open() as gw:
        await gw.register("numbers", small("add"))
        visitor = gw.acting(who)
        assert [one.name for one in visitor.servers()] == ["numbers"]
        with pytest.raises(gateway.AuthenticationError, match="no API key is named 'nobody'"):
            gw.acting("nobody")
        for caller in (gw, visitor):  # a name that a program failed to find gives nobody's rights
            with pytest.raises(gateway.AuthenticationError, match="no API key is named ''"):
                await caller.call("numbers", "add", who="")
