"""The MCP Inspector's command line (Node) as a client of the whole gateway."""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.install import node, npm
from tests.integration.conftest import Start

PACKAGE = "@modelcontextprotocol/inspector"
VERSION = "2.12.0"

FILE = """\
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
        reply: {json: {id: 7, name: Lamp}}
"""


@pytest.fixture(scope="module")
def inspector() -> list[str]:
    """The command; installed once, under .conformance."""
    try:
        program, _ = node()
        modules = npm("inspector", f"{PACKAGE}@{VERSION}")
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"the inspector cannot be installed here: {type(error).__name__}")
    command = modules / ".bin" / "mcp-inspector"
    return [str(program), str(command.resolve()), "--cli"]


async def ask(command: list[str], url: str, *words: str) -> Any:
    def run() -> str:
        done = subprocess.run(
            [*command, url, "--transport", "http", *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=Path(command[1]).parent,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return json.loads(await asyncio.to_thread(run))


async def test_the_inspector_lists_searches_and_calls(start: Start, inspector: list[str]) -> None:
    async with start({"shop": FILE}, mock=True) as gateway:
        listed = await ask(inspector, gateway.url, "--method", "tools/list")
        assert [tool["name"] for tool in listed["tools"]][-1] == "gateway_invoke"
        call = ("--method", "tools/call", "--tool-name")
        found = await ask(
            inspector, gateway.url, *call, "gateway_search_tools", "--tool-arg", "query=item"
        )
        assert json.loads(found["content"][0]["text"])["matches"][0]["tool"] == "get_item"
        direct = await ask(
            inspector, f"{gateway.url}/shop", *call, "get_item", "--tool-arg", "id=7"
        )
        assert direct["structuredContent"] == {"id": 7, "name": "Lamp"}
