"""Uploads, SOAP and streams from an MCP client to a real HTTP API and back."""

import asyncio
import base64
from pathlib import Path

import pytest
from aiohttp import web
from mcp import Client

from tests.integration.conftest import Start
from tests.peers.web import serving

SHOTS = Path(__file__).parents[1] / "unit" / "capability" / "files" / "shots.yaml"
CHAT = """\
capability: 1
name: chat
description: A language model
base_url: {base}
tools:
  ask:
    description: Ask the model.
    args: {{question: {{type: string, required: true}}}}
    post: /chat
    json: {{q: "{{{{ args.question }}}}"}}
    annotations: {{readOnlyHint: true}}
    response: {{as: sse, each: $.t, join: true}}
"""
SOAP = (
    '<s:Envelope xmlns:s="urn:s"><s:Body><GetRateResponse><rate>1.08 {}</rate>'
    "</GetRateResponse></s:Body></s:Envelope>"
)


async def shots(request: web.Request) -> web.Response:
    """The API of the worked file, with aiohttp's reader of multipart bodies."""
    if request.path == "/v1/ocr":
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        told = [file.filename, file.content_type, file.file.read().decode(), str(form.get("lang"))]
        return web.json_response({"text": " ".join(told)})
    if request.path == "/soap":
        sent = await request.text()
        pair = sent.partition("<pair>")[2].partition("</pair>")[0]
        return web.Response(text=SOAP.format(pair), content_type="text/xml")
    return web.json_response({"data": None, "errors": [{"message": "not allowed"}]})


async def test_the_worked_file_uploads_asks_and_reads(start: Start) -> None:
    async with serving(shots) as port:
        text = SHOTS.read_text("utf-8").replace("https://shots.example", f"http://127.0.0.1:{port}")
        files = {"shots": text.replace("env:SHOTS_KEY", "env:PATH")}
        async with start(files) as gateway, Client(f"{gateway.url}/shots") as client:
            image = base64.b64encode(b"pixels").decode()
            result = await client.call_tool("ocr", {"image": image, "lang": "de"})
            assert result.structured_content == "image.png image/png pixels de"
            result = await client.call_tool("fx_soap", {"pair": "EURUSD"})
            assert result.structured_content == "1.08 EURUSD"
            result = await client.call_tool("viewer", {})
            assert result.is_error
            assert "shots.viewer failed: not allowed" in result.content[0].text  # type: ignore[union-attr]
            result = await client.call_tool("ocr", {"image": "no base64!"})
            assert "not base64" in result.content[0].text  # type: ignore[union-attr]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_hears_a_stream_as_progress_while_it_runs(start: Start, mode: str) -> None:
    goes_on = asyncio.Event()

    async def chat(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for text in ("Hel", "lo"):
            await response.write(b'data: {"t": "%s"}\n\n' % text.encode())
            await goes_on.wait()
        return response

    heard: list[tuple[float, str | None]] = []

    async def progress(done: float, _: float | None, message: str | None) -> None:
        heard.append((done, message))
        goes_on.set()  # had it come with the result only, the stream would never end

    async with serving(chat) as port:
        files = {"chat": CHAT.format(base=f"http://127.0.0.1:{port}")}
        async with (
            asyncio.timeout(20),
            start(files) as gateway,
            Client(f"{gateway.url}/chat", mode=mode) as client,
        ):
            told = {"question": "?"}
            result = await client.call_tool("ask", told, progress_callback=progress)
            assert result.content[0].text == "Hello"  # type: ignore[union-attr]
            assert heard[0] == (1, "Hel")
