"""`capgate authorize`: the page is printed, the browser's answer awaited, the permission kept."""

import asyncio
import sys

import pytest

from gateway.credentials.means import Shared
from gateway.credentials.oauth.interactive import Interactive
from gateway.credentials.oauth.settings import OAuth
from gateway.http.outgoing import Outgoing
from tests.peers.oauth_world import ask, visit, world

CONFIG = """\
backends:
  it: {{http_url: "{url}", oauth: {{scopes: [read]}}}}
  plain: {{http_url: "{url}"}}
aliases: {{alias: it}}
"""


async def start(folder, *arguments):
    environ = {
        "XDG_STATE_HOME": str(folder / "state"),
        "HOME": str(folder),
        "PATH": "/usr/bin:/bin",
    }
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "authorize", *arguments),
        *("-c", str(folder / "gateway.yaml")),
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize("name", ["it", "alias"])
async def test_a_person_lets_the_gateway_in_from_a_terminal(tmp_path, name):
    async with asyncio.timeout(30), world() as there:
        (tmp_path / "gateway.yaml").write_text(CONFIG.format(url=there.url))
        program = await start(tmp_path, name)
        assert program.stdout is not None
        page = ""
        while not page.startswith("http"):
            page = (await program.stdout.readline()).decode().strip()
        await visit(page)
        rest, wrong = await program.communicate()
        assert (program.returncode, wrong) == (0, b"")
        assert "The gateway may use it now." in rest.decode()
        assert there.logins[0]["scope"] == "read"

        http = Outgoing()
        shared = Shared(http, {"XDG_STATE_HOME": str(tmp_path / "state")})
        serving = Interactive(OAuth(scopes=("read",)), shared.means("it", there.url))
        assert await ask(there.url, serving) == 200
        await serving.aclose()
        await http.aclose()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("other", "no MCP server 'other' (there: asking, broken, it, plain)"),
        ("broken", "did you mean 'url' by 'ulr'?"),
        ("asking", "cannot connect to 127.0.0.1:9"),
        ("plain", "server 'plain' has no oauth:"),
    ],
)
async def test_whom_nobody_can_let_in_is_told_for_both_files(tmp_path, name, words):
    config = CONFIG.format(url="http://127.0.0.1:9/mcp")
    (tmp_path / "gateway.yaml").write_text(f"{config}\nmcp_servers: .mcp.json\n")
    (tmp_path / ".mcp.json").write_text(
        '{"mcpServers": {"asking": {"url": "http://127.0.0.1:9/mcp"}, "broken": {"ulr": "x"}}}'
    )
    program = await start(tmp_path, name)
    _, wrong = await program.communicate()
    assert program.returncode == 1
    assert words in wrong.decode()


async def test_a_person_who_says_no_ends_it(tmp_path):
    async with asyncio.timeout(30), world(denies=True) as there:
        (tmp_path / "gateway.yaml").write_text(CONFIG.format(url=there.url))
        program = await start(tmp_path, "it")
        assert program.stdout is not None
        page = ""
        while not page.startswith("http"):
            page = (await program.stdout.readline()).decode().strip()
        await visit(page)
        _, wrong = await program.communicate()
        assert program.returncode == 1
        assert "access_denied" in wrong.decode()
