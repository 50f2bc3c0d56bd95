"""A large file of an API, from the tool that brings it to the client that reads it."""

import base64
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from mcp import Client, MCPError, StdioServerParameters

from tests.integration.conftest import Start, Whole
from tests.peers.web import serving

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 400
SHOTS = """\
capability: 1
name: shots
description: Screenshots
base_url: {base}
tools:
  take:
    description: A screenshot.
    args: {{kind: {{type: string, default: large}}}}
    get: /{{{{ args.kind }}}}
    response: {{as: binary}}
    examples:
      - args: {{}}
        reply: {{headers: {{content-type: image/png}}, base64: {blob}}}
        result: {{type: resource_link, name: take.png, mimeType: image/png, size: {size}}}
"""
ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])
SURFACES = pytest.mark.parametrize("direct", [True, False], ids=["direct", "meta"])


def shots(base: str) -> str:
    return SHOTS.format(base=base, blob=base64.b64encode(PNG).decode(), size=len(PNG))


async def shoot(request: web.Request) -> web.Response:
    body = PNG if request.path == "/large" else PNG[:100]
    return web.Response(body=body, content_type="image/png")


@contextlib.asynccontextmanager
async def shooting(start: Start) -> AsyncIterator[Whole]:
    async with serving(shoot) as port, start({"shots": shots(f"http://127.0.0.1:{port}")}) as whole:
        yield whole


async def take(client: Client, *, direct: bool, kind: str = "large") -> Any:
    if direct:
        return await client.call_tool("take", {"kind": kind})
    called = {"server": "shots", "tool": "take", "arguments": {"kind": kind}}
    return await client.call_tool("gateway_invoke", called)


async def read(client: Client, uri: str) -> bytes:
    (content,) = (await client.read_resource(uri)).contents
    assert (str(content.uri), content.mime_type) == (uri, "image/png")
    return base64.b64decode(content.blob)  # type: ignore[union-attr]


@ERAS
@SURFACES
async def test_a_large_file_is_linked_to_and_read(start: Start, mode: str, direct: bool) -> None:  # noqa: FBT001  a parameter of the test
    async with shooting(start) as gateway:
        url = f"{gateway.url}/shots" if direct else gateway.url
        async with Client(url, mode=mode) as client:
            link, text = (await take(client, direct=direct)).content
            assert (link.type, link.name, link.mime_type, link.size) == (
                *("resource_link", "take.png", "image/png"),
                len(PNG),
            )
            assert str(link.uri) in text.text
            assert await read(client, str(link.uri)) == PNG
            (image,) = (await take(client, direct=direct, kind="small")).content
            assert base64.b64decode(image.data) == PNG[:100]


@ERAS
@SURFACES
async def test_a_file_that_is_not_there_is_told_so(start: Start, mode: str, direct: bool) -> None:  # noqa: FBT001
    async with shooting(start) as gateway:
        url = f"{gateway.url}/shots" if direct else gateway.url
        async with Client(url, mode=mode) as client:
            for uri in ("capgate://shots/files/nix", "capgate://other/files/nix", "file:///etc/x"):
                with pytest.raises(MCPError, match="no resource") as caught:
                    await client.read_resource(uri)
                assert caught.value.error.code == (-32002 if mode == "legacy" else -32602)
            with pytest.raises(MCPError, match="call the tool again"):
                await client.read_resource("capgate://shots/files/nix")


async def test_the_same_over_stdio_with_examples_for_answers(tmp_path: Path) -> None:
    (tmp_path / "shots.yaml").write_text(shots("https://shots.example"))
    serve = ["-m", "gateway", "serve", "--stdio", "--mock", "--capabilities", str(tmp_path)]
    async with Client(StdioServerParameters(command=sys.executable, args=serve)) as client:
        link, _ = (await take(client, direct=False)).content
        assert await read(client, str(link.uri)) == PNG
