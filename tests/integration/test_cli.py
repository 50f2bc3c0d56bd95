"""The command line as a person uses it, over files of the test's own."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web
from click.testing import CliRunner, Result

from gateway.cli import cli
from gateway.cli.client_config import CLIENTS
from tests.peers.stdio_mcp import COMMAND
from tests.peers.web import serving

GOOD = """\
capability: 1
description: Items of a shop
base_url: https://shop.example
tools:
  get_item:
    description: One item of the shop by its number.
    args: {id: {type: integer, required: true}}
    get: /items/{{ args.id }}
    examples:
      - args: {id: 7}
        request: {url: "https://shop.example/items/7"}
        reply: {json: {id: 7}}
        result: {id: 7}
"""

ECHO = """\
capability: 1
description: What it was sent
base_url: http://127.0.0.1:{port}
tools:
  echo:
    description: Create nothing.
    args: {{code: {{type: string}}, count: {{type: integer}}}}
    post: /
    json: "{{{{ args }}}}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.yaml").write_text(GOOD)
    return tmp_path


def run(*arguments: str | Path, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in arguments], env=env)


def test_help_lists_every_command() -> None:
    text = run("--help").output
    for name in ("serve", "validate", "tools", "search", "call", "new", "client-config", "schema"):
        assert f"  {name} " in text


def test_help_tells_each_command_in_a_whole_sentence() -> None:
    assert "..." not in run("--help").output.partition("Commands:")[2]


def test_validate_answers_in_sarif_for_code_hosts(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(GOOD.replace("get: ", "gte: "))
    result = run("validate", "--sarif", file)
    [found, *_] = json.loads(result.output)["runs"][0]["results"]
    assert result.exit_code == 1
    assert found["level"] == "error"
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == str(file)


@pytest.mark.parametrize("variable", ["NO_COLOR", "TERM"])
def test_colours_are_left_out_where_they_are_not_wanted(folder: Path, variable: str) -> None:
    words = ["tools", "--capabilities", str(folder)]
    coloured = CliRunner().invoke(cli, words, env={"NO_COLOR": "", "TERM": "xterm"}, color=True)
    plain = CliRunner().invoke(
        cli, words, env={"NO_COLOR": "", "TERM": "xterm", variable: "dumb"}, color=True
    )
    assert "\x1b[" in coloured.output
    assert "\x1b[" not in plain.output


def test_validate_runs_the_examples_and_is_content(folder: Path) -> None:
    result = run("validate", folder)
    assert (result.exit_code, result.output) == (0, "1 file, 1 tool, 1 example: all good\n")


def test_validate_shows_the_offending_line(folder: Path) -> None:
    (folder / "shop.yaml").write_text(GOOD.replace("description: One", "descripton: One"))
    result = run("validate", folder)
    assert result.exit_code == 1
    assert f"{folder}/shop.yaml:6:5" in result.output
    assert "6 |     descripton: One item" in result.output
    assert "did you mean 'description'?" in result.output


def test_validate_finds_an_example_that_does_not_hold(folder: Path) -> None:
    (folder / "shop.yaml").write_text(GOOD.replace("result: {id: 7}", "result: {id: 8}"))
    result = run("validate", folder)
    assert result.exit_code == 1
    assert "shop.yaml:13" in result.output


def test_validate_finds_two_files_of_one_name(folder: Path) -> None:
    (folder / "zweit.yaml").write_text(GOOD.replace("capability: 1", "capability: 1\nname: shop"))
    result = run("validate", folder)
    assert result.exit_code == 1
    assert f"{folder}/zweit.yaml:2:7  name" in result.output
    assert "2 | name: shop" in result.output
    assert "already that of" in result.output


def test_validate_answers_in_json(folder: Path) -> None:
    (folder / "bad.yaml").write_text("capability: 1\n")
    result = run("validate", "--json", folder)
    answer = json.loads(result.output)
    assert (answer["ok"], answer["files"]) == (False, 2)
    assert {issue["severity"] for issue in answer["issues"]} == {"error"}


def test_a_missing_secret_is_told_by_name_and_is_no_failure(folder: Path) -> None:
    secret = "secrets: {key: env:SHOP_KEY}\nauth: {bearer: '{{ secrets.key }}'}\ntools:"
    (folder / "shop.yaml").write_text(GOOD.replace("tools:", secret))
    result = run("validate", folder, env={"SHOP_KEY": None})  # type: ignore[dict-item]
    assert result.exit_code == 0
    assert "missing secret env:SHOP_KEY" in result.output
    assert "all good" in run("validate", folder, env={"SHOP_KEY": "a-secret-value"}).output


def test_validate_refuses_a_path_that_is_not_there(folder: Path) -> None:
    result = run("validate", folder / "gone.yaml")
    assert result.exit_code == 2
    assert "no such file or folder" in result.output


def test_validate_needs_no_capability_file_where_there_are_mcp_servers(tmp_path: Path) -> None:
    config = tmp_path / "gateway.yaml"
    config.write_text("backends: {good: {command: x}}\nmcp_servers: .mcp.json\n")
    (tmp_path / ".mcp.json").write_text('{"mcpServers": {"fine": {"url": "http://h/mcp"}}}')
    result = run("validate", "-c", config)
    assert (result.exit_code, result.output) == (
        0,
        "2 servers, 0 files, 0 tools, 0 examples: all good\n",
    )
    config.write_text("backends: {bad: {comand: x}}\n")
    result = run("validate", "-c", config)
    assert result.exit_code == 1
    assert "did you mean 'command'?" in result.output
    config.write_text("backends: {good: {command: x}}\ncapabilities: {directories: [caps]}\n")
    assert "no such file or folder" in run("validate", "-c", config).output


def test_a_command_about_one_mcp_server_starts_no_other(tmp_path: Path) -> None:
    other = f"import pathlib; pathlib.Path({str(tmp_path / 'started')!r}).touch()"
    backends = {
        "one": {"command": [*COMMAND, "hello"]},
        "other": {"command": [sys.executable, "-S", "-c", other]},
    }
    config = tmp_path / "gateway.yaml"
    config.write_text(json.dumps({"backends": backends, "aliases": {"eins": "one"}}))
    for words in (["call", "one:word"], ["call", "eins:word"]):
        assert run(*words, "-c", config).output == "hello\n"
    assert "1 server, 6 tools" in run("tools", "one", "-c", config).output
    assert "did you mean 'other'?" in run("call", "othr:x", "-c", config).output
    assert not (tmp_path / "started").exists()
    assert "2 servers" in run("tools", "-c", config).output
    assert (tmp_path / "started").exists()


def test_a_wrong_configuration_ends_every_command_with_2(folder: Path) -> None:
    config = folder / "gateway.yaml"
    config.write_text("server: {prot: 1}\n")
    for words in (["tools"], ["validate"], ["search", "x"], ["call", "a:b"], ["serve"]):
        result = run(*words, "-c", config)
        assert result.exit_code == 2, words
        assert "did you mean 'port'?" in result.output


def test_tools_lists_signatures_and_json_has_whole_definitions(folder: Path) -> None:
    assert "get_item(id: integer)" in run("tools", "--capabilities", folder).output
    listed = json.loads(run("tools", "--json", "--capabilities", folder).output)
    assert listed["servers"][0]["tools"][0]["inputSchema"]["required"] == ["id"]


def test_search_finds_and_says_when_it_does_not(folder: Path) -> None:
    found = run("search", "item", "number", "--capabilities", folder)
    assert found.output.startswith("shop:get_item(id: integer)")
    nothing = run("search", "zzzz", "--capabilities", folder)
    assert (nothing.exit_code, nothing.output) == (1, "nothing matches\n")


def test_call_explains_what_went_wrong(folder: Path) -> None:
    result = run("call", "shop:get_itm", "--capabilities", folder)
    assert result.exit_code == 1
    assert "did you mean 'get_item'?" in result.output
    result = run("call", "shop:get_item", "id=x", "--capabilities", folder)
    assert "invalid_arguments; not_sent" in result.output


@pytest.mark.parametrize("text", ["007", "0", "true", "null", "1e5", "{}", "plain", '"quoted"'])
async def test_call_gives_a_text_where_the_tool_wants_one(tmp_path: Path, text: str) -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.json_response(await request.json())

    async with serving(echo) as port:
        (tmp_path / "shop.yaml").write_text(ECHO.format(port=port))
        words = ["call", "shop:echo", f"code={text}", "count=7", "--capabilities", tmp_path]
        result = await asyncio.to_thread(run, *words)
    assert json.loads(result.output) == {"code": text.strip('"'), "count": 7}, result.output


def test_call_advises_a_person_with_commands_and_not_with_meta_tools(folder: Path) -> None:
    result = run("call", "zzzz:x", "--capabilities", folder)
    assert "next: 'capgate tools' names every server" in result.output
    result = run("call", "shop:zzzz", "--capabilities", folder)
    assert "next: 'capgate tools shop' names every tool" in result.output


FILES = """\
capability: 1
description: Files of any kind
base_url: http://127.0.0.1:{port}
tools:
  double:
    description: Send a file twice over.
    args: {{data: {{type: string, contentEncoding: base64, required: true}}}}
    post: /
    bytes: "{{{{ args.data | b64decode }}}}"
    response: {{as: binary, max_bytes: 256}}
  note:
    description: Send a text.
    args: {{text: {{type: string, required: true}}}}
    post: /
    json: {{text: "{{{{ args.text }}}}"}}
    annotations: {{readOnlyHint: true}}
"""


@pytest.mark.parametrize("size", [40, 4000])
async def test_files_go_in_and_come_out_whatever_their_size(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "in.bin").write_bytes(data)

    async def double(request: web.Request) -> web.Response:
        return web.Response(body=await request.read() * 2, content_type="image/png")

    async with serving(double) as port:
        (tmp_path / "files.yaml").write_text(FILES.format(port=port))
        words = ["call", "files:double", f"data=@{tmp_path / 'in.bin'}", "-o", tmp_path / "out"]
        result = await asyncio.to_thread(run, *words, "--capabilities", tmp_path)
    assert (tmp_path / "out").read_bytes() == data * 2
    assert result.output == f"wrote {tmp_path / 'out'}: {size * 2} bytes of image/png\n"


async def test_only_where_base_64_is_wanted_an_at_sign_means_a_file(tmp_path: Path) -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.json_response(await request.json())

    async with serving(echo) as port:
        (tmp_path / "files.yaml").write_text(FILES.format(port=port))
        words = ["call", "files:note", "text=@ann", "-o", tmp_path / "out"]
        result = await asyncio.to_thread(run, *words, "--capabilities", tmp_path)
    assert '"text": "@ann"' in result.output
    assert (result.exit_code, (tmp_path / "out").exists()) == (1, False)
    assert "the answer has no file" in result.output


def test_a_file_that_cannot_be_read_is_told_and_nothing_is_sent(tmp_path: Path) -> None:
    (tmp_path / "files.yaml").write_text(FILES.format(port=9))
    missing = run("call", "files:double", "data=@/no/such", "--capabilities", tmp_path)
    assert missing.exit_code == 2
    assert "/no/such cannot be read: no such file" in missing.output


@pytest.mark.parametrize("words", [["shop"], ["shop:x", "novalue"], ["shop:x", "--args", "[1]"]])
def test_call_refuses_a_malformed_command_line(folder: Path, words: list[str]) -> None:
    assert run("call", *words, "--capabilities", folder).exit_code == 2


def test_a_new_file_is_valid_and_is_never_overwritten(folder: Path) -> None:
    capabilities = folder / "capabilities"
    assert run("new", "my_api", "--directory", capabilities).exit_code == 0
    assert (folder / "schemas" / "capability.schema.json").is_file()
    assert "all good" in run("validate", "--strict", capabilities).output
    again = run("new", "my_api", "--directory", capabilities)
    assert again.exit_code == 1
    assert "left alone" in again.output


def test_a_new_file_needs_a_backend_name_and_the_nearest_is_told(folder: Path) -> None:
    result = run("new", "My-API", "--directory", folder)
    assert result.exit_code == 2
    assert "try my_api" in result.output


@pytest.mark.parametrize("url", ["ftp://x.io", "https://x.io/v1?k=2", "https://{region}.x.io"])
def test_a_new_file_needs_a_base_url_that_will_load(folder: Path, url: str) -> None:
    assert run("new", "api", "--base-url", url, "--directory", folder).exit_code == 2
    assert not (folder / "api.yaml").exists()


@pytest.mark.parametrize("directory", [".", "capabilities", "deep/er"])
def test_the_first_line_of_a_new_file_leads_to_the_schema(tmp_path: Path, directory: str) -> None:
    with contextlib.chdir(tmp_path):
        assert run("new", "api", "--directory", directory).exit_code == 0
    written = tmp_path / directory / "api.yaml"
    first = written.read_text().splitlines()[0]
    assert (written.parent / first.partition("$schema=")[2]).is_file()


@pytest.mark.parametrize(
    ("client", "place"),
    [
        ("claude", ("mcpServers", "url")),
        ("cursor", ("mcpServers", "url")),
        ("vscode", ("servers", "url")),
        ("zed", ("context_servers", "url")),
        ("windsurf", ("mcpServers", "serverUrl")),
        ("gemini", ("mcpServers", "httpUrl")),
    ],
)
def test_client_config_names_the_url(client: str, place: tuple[str, str]) -> None:
    result = CliRunner().invoke(cli, ["client-config", client])
    assert json.loads(result.stdout)[place[0]]["capgate"][place[1]] == "http://127.0.0.1:39400/mcp"


def test_client_config_goes_by_gateway_yaml(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text("server: {port: 8080, host: 0.0.0.0, allow_unauthenticated: true}")
    printed = CliRunner().invoke(cli, ["client-config", "cursor", "-c", str(file)]).stdout
    assert json.loads(printed)["mcpServers"]["capgate"]["url"] == "http://127.0.0.1:8080/mcp"


@pytest.mark.parametrize(
    ("client", "shown"),
    [
        ("claude", '"Authorization": "Bearer ${CAPGATE_KEY}"'),
        ("cursor", '"Authorization": "Bearer ${env:CAPGATE_KEY}"'),
        ("vscode", '"Authorization": "Bearer ${input:capgate-key}"'),
        ("codex", 'bearer_token_env_var = "CAPGATE_KEY"'),
        ("zed", '"Authorization": "Bearer YOUR_KEY"'),
    ],
)
def test_client_config_shows_a_key_where_one_is_asked_for(
    tmp_path: Path, client: str, shown: str
) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text("auth: {enabled: true, bearer_token: auto}")
    assert shown in CliRunner().invoke(cli, ["client-config", client, "-c", str(file)]).stdout
    file.write_text("server: {port: 8080}")
    assert "CAPGATE_KEY" not in run("client-config", client, "-c", file).output
    assert shown in run("client-config", client, "-c", file, "--key").stdout


def test_client_config_makes_no_url_up_where_the_file_does_not_load(tmp_path: Path) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text("auth: {enabled: true, bearer_token: 'env:NOBODY_SET_THIS'}")
    found = run("client-config", "cursor", "-c", file)
    assert found.exit_code == 2
    assert "NOBODY_SET_THIS" in found.output
    assert "39400" not in found.output
    url = "https://gateway.example/mcp"
    assert url in run("client-config", "cursor", "-c", file, "--url", url, "--key").stdout


def test_client_config_names_every_client_it_knows() -> None:
    text = run("client-config", "--help").output
    assert [client for client in CLIENTS if client not in text] == []


def test_client_config_can_start_the_gateway_over_stdio(tmp_path: Path) -> None:
    def started() -> list[str]:
        printed = CliRunner().invoke(cli, ["client-config", "claude-desktop"]).stdout
        arguments: list[str] = json.loads(printed)["mcpServers"]["capgate"]["args"]
        return arguments

    assert started()[:2] == ["serve", "--stdio"]
    with contextlib.chdir(tmp_path):
        assert started()[2:] == ["--capabilities", str(tmp_path / "capabilities")]
        (tmp_path / "gateway.yaml").touch()
        assert started()[2:] == ["-c", str(tmp_path / "gateway.yaml")]
    assert "[mcp_servers.capgate]" in CliRunner().invoke(cli, ["client-config", "codex"]).stdout


def test_schema_is_a_json_schema() -> None:
    for kind in ("capability", "gateway"):
        assert "$schema" in json.loads(run("schema", kind).output)


def test_serve_says_when_the_port_is_taken(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = run("serve", "--port", str(taken.getsockname()[1]), "--capabilities", folder)
    assert result.exit_code == 1
    assert "cannot listen on 127.0.0.1:" in result.output
    assert "address already in use; another gateway may be running; --port" in result.output


def test_where_the_log_is_json_every_line_is(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        environ = {"MCP_GATEWAY_LOG_FORMAT": "json"}
        result = run("serve", "--port", port, "--capabilities", folder, env=environ)
    lines = [json.loads(line) for line in result.output.splitlines()]
    assert (lines[-1]["event"], lines[-1]["reason"]) == ("cannot_listen", "address already in use")


def test_python_m_gateway_is_the_command() -> None:
    environ = {**os.environ, "NO_COLOR": "1"}  # noqa: TID251 (the child needs ours)
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "--version"],
        capture_output=True,
        text=True,
        check=True,
        env=environ,
    )
    assert done.stdout.startswith("capgate, version ")


def test_there_is_nothing_to_serve_over_stdio_without_the_meta_tools(folder: Path) -> None:
    config = folder / "gateway.yaml"
    config.write_text("meta_mcp: {enabled: false}\n")
    result = run("serve", "--stdio", "-c", config)
    assert result.exit_code == 2
    assert "meta_mcp.enabled is false" in result.output


def test_a_working_directory_that_is_gone_is_said_plainly(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    with contextlib.chdir(gone):
        gone.rmdir()
        result = run("tools")
    assert (result.exit_code, result.output) == (
        1,
        "Error: the working directory is there no more\n",
    )
