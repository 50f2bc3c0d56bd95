"""mcp-gateway's files in a running gateway: served as they are, changed while they are."""

import asyncio
import contextlib
from pathlib import Path

from aiohttp import web
from click.testing import CliRunner, Result
from mcp import Client

from gateway.cli import cli
from gateway.config.model import Directory
from tests.integration.conftest import Start
from tests.peers.web import serving

FILE = """\
fulcrum: "1.0"
name: shop_item
description: One item of the shop.
schema:
  input:
    type: object
    properties:
      id: {{type: integer}}
    required: [id]
providers:
  primary:
    service: rest
    config:
      base_url: http://127.0.0.1:{port}
      path: /items/{{id}}
      params: {{view: short}}
      response_path: item
"""


async def shop(request: web.Request) -> web.Response:
    return web.json_response({"item": {"path": request.path_qs}})


def run(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


async def test_a_folder_of_them_is_served_and_changes_live(start: Start, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    async with serving(shop) as port, asyncio.timeout(20):
        (old / "item.yaml").write_text(FILE.format(port=port))
        directories = (Directory(str(old), "fulcrum"),)
        async with start(capabilities__directories=directories) as gateway:
            url = f"{gateway.base}/mcp/shop_item"
            async with Client(url, mode="legacy") as client:
                found = await client.call_tool("shop_item", {"id": 7})
                assert found.structured_content == {"path": "/items/7?view=short"}
            (old / "item.yaml").write_text(FILE.format(port=port).replace("short", "long"))
            while True:  # the file is watched
                async with Client(url, mode="legacy") as client:
                    found = await client.call_tool("shop_item", {"id": 7})
                if found.structured_content == {"path": "/items/7?view=long"}:
                    break


async def test_a_converted_file_calls_what_the_original_did(tmp_path: Path) -> None:
    async with serving(shop) as port, asyncio.timeout(20):
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "item.yaml").write_text(FILE.format(port=port))
        made = run("convert", tmp_path / "in", tmp_path / "out")
        assert made.exit_code == 0, made.output
        words = ("call", "shop_item:shop_item", "id=7", "--capabilities", tmp_path / "out")
        called = await asyncio.to_thread(run, *words)
    assert '"/items/7?view=short"' in called.output, called.output


def test_convert_tells_what_it_left_and_writes_the_servers_apart(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    (source / "item.yaml").write_text(FILE.format(port=1))
    mcp = "fulcrum: '1.0'\nproviders: {primary: {service: mcp, config: {command: time-mcp}}}\n"
    (source / "time.yaml").write_text(mcp)
    (source / "bad.yaml").write_text(mcp.replace("service: mcp", "service: cli"))
    made = run("convert", source, out)
    assert made.exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == ["gateway.yaml.part", "shop_item.yaml"]
    assert "bad.yaml:2:32: service: cli starts a program (time-mcp)" in made.output
    assert "\nbackends:\n  time: {command: time-mcp}\n" in made.output
    assert "1 tool in 1 file, 1 MCP server written to" in made.output
    assert run("validate", out).exit_code == 0


def test_convert_writes_over_nothing(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    (source / "item.yaml").write_text(FILE.format(port=1))
    assert run("convert", source, source).exit_code == 2
    assert run("convert", source / "item.yaml", source).exit_code == 2
    assert run("convert", source, out).exit_code == 0
    (out / "shop_item.yaml").write_text("mine")
    again = run("convert", source, out)
    assert again.exit_code == 1
    assert "nothing was written" in again.output
    assert (out / "shop_item.yaml").read_text() == "mine"
    assert run("convert", source, out, "--force").exit_code == 0
    assert (out / "shop_item.yaml").read_text() != "mine"


def test_convert_answers_programs_in_json(tmp_path: Path) -> None:
    (tmp_path / "item.yaml").write_text(FILE.format(port=1))
    made = run("convert", tmp_path / "item.yaml", tmp_path / "out", "--json")
    assert '/out/shop_item.yaml": [' in made.output
    (tmp_path / "other.yaml").write_text("capability: 1\n")
    nothing = run("convert", tmp_path / "other.yaml", tmp_path / "out2")
    assert nothing.exit_code == 1
    assert not (tmp_path / "out2").exists()


def test_import_of_servers_prints_the_file_and_tells_the_rest_apart(tmp_path: Path) -> None:
    source = tmp_path / ".mcp.json"
    source.write_text('{"mcpServers": {"a": {"command": "a", "env": {"A_KEY": "very-secret"}}}}')
    made = run("import", "mcp-json", source)
    assert made.exit_code == 0
    assert "very-secret" not in made.output
    assert made.stdout.endswith('backends:\n  a: {command: a, env: {A_KEY: "${A_KEY}"}}\n')
    assert "set where the gateway is started: A_KEY" in made.stderr
    out = tmp_path / "gateway.yaml"
    assert run("import", "mcp-json", source, "-o", out).exit_code == 0
    assert run("import", "mcp-json", source, "-o", out).exit_code == 1
    assert run("import", "mcp-json", source, "-o", out, "--force").exit_code == 0
    assert out.read_text() == made.stdout


def test_import_of_what_is_no_list_of_servers_fails(tmp_path: Path) -> None:
    source = tmp_path / "x.json"
    source.write_text("{}")
    made = run("import", "mcp-json", source)
    assert made.exit_code == 2
    assert "lists no MCP servers" in made.output
    source.write_text('{"mcpServers": {"a": {}}}')
    assert run("import", "mcp-json", source).exit_code == 1


def test_convert_writes_into_no_folder_that_is_served(tmp_path: Path) -> None:
    (tmp_path / "item.yaml").write_text(FILE.format(port=1))
    with contextlib.chdir(tmp_path):
        refused = run("convert", "item.yaml", "capabilities")
        assert refused.exit_code == 2
        assert "tools in capabilities are served at once" in refused.output
        assert not (tmp_path / "capabilities").exists()
        assert run("convert", "item.yaml", "capabilities", "--force").exit_code == 0


def test_foreign_words_start_no_line_and_move_no_cursor(tmp_path: Path) -> None:
    listed = tmp_path / "mcp.json"
    listed.write_text('{"mcpServers": {"a\\n\\u001b[31mb": {"command": "x", "odd\\r": 1}, "c": 1}}')
    told = run("import", "mcp-json", listed)
    assert "note: a  [31mb: it is called a_31mb here" in told.stderr
    assert not set("\r\x1b") & set(told.stderr)
