"""Tools as functions of OpenAI's API: fetched, one of them named by a model, and it is called."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner

from gateway import app
from gateway.cli import cli
from gateway.config.load import Source, understand
from gateway.domain import openai
from gateway.domain.call import Relayed
from gateway.domain.identity import OPERATOR
from gateway.domain.tool import ToolRef
from gateway.runtime.configured import Configured
from gateway.runtime.view import View

SERVER = str(Path(__file__).parents[1] / "peers" / "backend_sdk_server.py")
PATIENCE = 20.0
SHOP = """\
capability: 1
description: Items of a shop
base_url: https://shop.example
tools:
  get_item:
    description: One item of the shop by its number.
    args:
      id: {type: integer, required: true}
      fields: {type: array, items: {type: string}}
    get: /items/{{ args.id }}
    query: {fields: "{{ args.fields }}"}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "capabilities").mkdir()
    (tmp_path / "capabilities" / "shop.yaml").write_text(SHOP)
    backends = {"my.peer": {"command": [sys.executable, SERVER]}}
    (tmp_path / "gateway.yaml").write_text(
        json.dumps({"log": {"level": "error"}, "server": {"port": 0}, "backends": backends})
    )
    return tmp_path


def configured(folder: Path, **more: Any) -> Configured:
    source = Source(str(folder / "gateway.yaml"))
    file = folder / "gateway.yaml"
    file.write_text(json.dumps({**json.loads(file.read_text()), **more}))

    def read(data: bytes) -> Any:
        return understand(data, source.file, {}, {})

    config = read(file.read_bytes()).config
    assert config is not None
    return Configured(source, config, read)


async def up(parts: app.Parts, name: str = "my.peer") -> View:
    async with asyncio.timeout(PATIENCE):
        while not parts.current.get().catalog.backends[name].tools:
            await asyncio.sleep(0.02)
    return View(parts.current.get(), parts.observe, OPERATOR)


async def fetched(port: int, **headers: str) -> tuple[int, Any]:
    url = f"http://127.0.0.1:{port}/openai/tools"
    async with aiohttp.request("GET", url, headers=headers) as response:
        assert response.content_type == "application/json"
        return response.status, await response.json()


async def test_what_a_model_names_is_found_again_and_called(folder: Path) -> None:
    async with app.listening(configured(folder)) as (parts, port):
        view = await up(parts)
        _, body = await fetched(port)
        functions = {one["function"]["name"]: one["function"] for one in body["tools"]}
        named = next(name for name in functions if "echo" in name)
        assert functions[named]["parameters"]["required"] == ["text"]
        ref = openai.ref_of(named, view.snapshot.catalog)
        assert ref == ToolRef("my.peer", "echo")
        assert body["names"][named] == {"server": "my.peer", "tool": "echo"}
        result = await view.call(ref, {"text": "hello"})
        assert isinstance(result, Relayed)
        assert b"hello" in bytes(result.raw)
        item = functions["mcp_shop__get_item"]["parameters"]
        assert item["properties"]["id"]["type"] == "integer"


async def test_the_page_changes_with_what_is_offered_and_only_then(folder: Path) -> None:
    async with app.listening(configured(folder)) as (parts, port):
        await up(parts)
        before = (await fetched(port))[1]
        assert (await fetched(port))[1] == before
        file = folder / "capabilities" / "shop.yaml"
        file.write_text(SHOP.replace("get_item", "find_item"))
        async with asyncio.timeout(PATIENCE):
            while "mcp_shop__find_item" not in (await fetched(port))[1]["names"]:
                await asyncio.sleep(0.05)


async def test_a_caller_gets_what_it_may_use_and_a_stranger_nothing(folder: Path) -> None:
    auth = {
        "enabled": True,
        "api_keys": [
            {"name": "all", "key": "a-key-for-everything"},
            {"name": "shop", "key": "a-key-for-the-shop-alone", "backends": ["shop"]},
        ],
    }
    async with app.listening(configured(folder, auth=auth)) as (parts, port):
        await up(parts)
        every = (await fetched(port, Authorization="Bearer a-key-for-everything"))[1]
        some = (await fetched(port, Authorization="Bearer a-key-for-the-shop-alone"))[1]
        assert [*some["names"]] == ["mcp_shop__get_item"]
        assert len(every["names"]) > len(some["names"])
        assert (await fetched(port))[0] == 401


async def test_only_reading_is_allowed(folder: Path) -> None:
    async with app.listening(configured(folder)) as (_, port):
        url = f"http://127.0.0.1:{port}/openai/tools"
        async with aiohttp.request("POST", url, json={}) as response:
            assert response.status == 405


def test_the_command_gives_the_same(folder: Path) -> None:
    words = ["tools", "--format", "openai", "-c", str(folder / "gateway.yaml")]
    both = json.loads(CliRunner().invoke(cli, words).output)
    one = json.loads(CliRunner().invoke(cli, [*words, "shop"]).output)
    assert [*one["names"]] == ["mcp_shop__get_item"]
    assert one["tools"][0] in both["tools"]
    assert len(both["tools"]) > 1
