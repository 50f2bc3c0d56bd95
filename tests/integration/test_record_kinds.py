"""`capgate record` of calls that are no plain JSON: each example holds again offline."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from click.testing import CliRunner, Result

from gateway.cli import cli
from tests.peers.web import serving

FILE = """
capability: 1
name: shop
description: A shop
base_url: ${SHOP_URL:-https://shop.example/v1}
tools:
  ticks: {description: Ticks., get: /ticks, response: {as: ndjson, each: $.n}}
  items:
    description: Items.
    get: /items
    response: {as: xml, select: "$.Items.Item[*]"}
  pages:
    description: Pages.
    get: /pages
    paginate: {items: $.items, next_url: $.next}
  file: {description: A file., get: /file, response: {as: binary, max_bytes: 256}}
  job:
    description: Start a job.
    post: /job
    poll: {every: 1ms}
  upload:
    description: Upload a file.
    steps:
      - {id: start, post: /uploads, response: {map: {at: {header: X-Upload-At}}}}
      - id: send
        put: "{{ steps.start.at }}"
        response: {map: {n: {header: X-N}, s: {status: true}}}
    response: {select: $.send}
"""


async def answer(request: web.Request) -> web.Response:
    here = str(request.url.origin())
    match request.path_qs:
        case "/ticks":
            return web.Response(text='{"n": 1}\n{"n": 2}\n', content_type="application/x-ndjson")
        case "/items":
            body = f"<Items><Item>ü &amp; {here}/items/1</Item></Items>"
            return web.Response(text=body, content_type="text/xml")
        case "/pages":
            return web.json_response({"items": [1], "next": f"{here}/pages?p=2"})
        case "/pages?p=2":
            return web.json_response({"items": [2], "next": None})
        case "/file":
            return web.Response(body=bytes(range(256)) * 2)
        case "/job":
            return web.json_response({}, status=202, headers={"Location": f"{here}/job/1"})
        case "/uploads" | "/up?s=%2F":
            return upload(request.path, here)
    return web.json_response({"done": True})


def upload(path: str, here: str) -> web.Response:
    if path == "/up":
        return web.Response(status=201, headers={"X-N": "7"})
    return web.Response(headers={"X-Upload-At": f"{here}/up?s=%2F", "X-Other": "x"})


def run(*words: object, **env: str) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words], env=env)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[tuple[str, Path]]:
    async with serving(answer) as port:
        file = tmp_path / "shop.yaml"
        file.write_text(FILE)
        yield f"http://127.0.0.1:{port}", file


@pytest.mark.parametrize(
    ("tool", "written"),
    [
        ("ticks", {"result": [1, 2], "text": '{"n": 1}\n{"n": 2}\n'}),
        ("items", {"text": "<Items><Item>ü &amp; https://shop.example/v1/items/1</Item></Items>"}),
        ("pages", {"result": [1, 2], "next": "https://shop.example/v1/pages?p=2"}),
        ("file", {"base64": base64.b64encode(bytes(range(256)) * 2).decode()}),
        ("job", {"result": {"done": True}, "location": "https://shop.example/v1/job/1"}),
        ("upload", {"result": {"n": "7", "s": 201}, "url": "https://shop.example/v1/up?s=%2F"}),
    ],
)
async def test_it_holds_offline_here_and_elsewhere(
    shop: tuple[str, Path], tool: str, written: dict[str, Any]
) -> None:
    """The operator's own host is nobody's business: what is written names the file's base."""
    url, file = shop
    words = ("record", f"shop:{tool}", "--capabilities", file)
    recorded = await asyncio.to_thread(run, *words, SHOP_URL=url)
    assert recorded.exit_code == 0, recorded.output
    (example,) = yaml.safe_load(file.read_text())["tools"][tool]["examples"]
    assert all(value in found(example, name) for name, value in written.items()), example
    assert url not in file.read_text()
    for environ in ({"SHOP_URL": url}, {"SHOP_URL": "http://127.0.0.1:9/api"}, {}):
        checked = await asyncio.to_thread(run, "validate", file, **environ)
        assert "1 example: all good" in checked.output, checked.output


def found(value: Any, name: str) -> list[Any]:
    """All members of this name, at any depth."""
    if isinstance(value, list):
        return [one for each in value for one in found(each, name)]
    if not isinstance(value, dict):
        return []
    below = [one for each in value.values() for one in found(each, name)]
    return [value[name], *below] if name in value else below
