"""examples/httpbin, what is no JSON: uploads, bytes, pictures, XML, charsets, streams; and log-ins.

Digest and session are here too, because httpbin answers them with headers and cookies.
"""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, types

from tests.peers.programs import ROOT, Program, gateway
from tests.services.agent import Agent

EXAMPLE = ROOT / "examples" / "httpbin"
TOKEN = "t0ken-canary-6b1f"
PASSWORD = "password-canary_3.4~"  # httpbin compares a digest with its decoded path
PNG, JPEG = b"\x89PNG\r\n", b"\xff\xd8"

ODD = """
capability: 1
description: What no server should do
base_url: {url}
tools: {{brotli: {{description: Brotli unasked for., get: /brotli}}}}
"""
HOSTILE = (
    "../../etc/passwd",
    'a"; filename="evil.sh',
    "a\r\nX-Evil: 1",
    "{{7*7}}",
    "naïve ü 日本 🦊",
    "</text></note><note>",
    "<!ENTITY x SYSTEM 'file:///etc/passwd'>&x;",
    "]]>",
    "--boundary\r\nContent-Disposition: form-data; name=evil",
)


@pytest.fixture(scope="module")
def served(httpbin: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    output = tmp_path_factory.mktemp("gateway") / "log"
    environ = {"HTTPBIN_URL": httpbin.url, "HTTPBIN_TOKEN": TOKEN, "HTTPBIN_PASSWORD": PASSWORD}
    with gateway(output, EXAMPLE / "capabilities", environ=environ) as program:
        yield program


@pytest.fixture(scope="module")
def files(served: Program) -> Agent:
    return Agent(f"{served.url}/mcp", "files")


def encoded(data: str | bytes) -> str:
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


# -- what goes out ------------------------------------------------------------------------------


async def test_a_file_arrives_with_its_fields_beside_it(files: Agent) -> None:
    seen = await files.result(
        "upload", file=encoded("one\r\ntwo"), caption="a & b = ü", tags=["x", "y"]
    )
    assert seen == {
        "files": {"file": "one\r\ntwo"},
        "form": {"caption": "a & b = ü", "tag": ["x", "y"]},
    }


async def test_a_file_that_is_no_text_arrives_byte_for_byte(files: Agent) -> None:
    """httpbin tells such a file as a data URL."""
    data = bytes(range(256))
    seen = await files.result("upload", file=encoded(data), filename="a.bin")
    assert seen["files"]["file"] == f"data:application/octet-stream;base64,{encoded(data)}"
    assert seen["form"] == {}


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_a_hostile_caption_name_or_content_stays_what_it_is(
    files: Agent, hostile: str
) -> None:
    """I47: one file and one field, read by somebody else's parser."""
    seen = await files.result("upload", file=encoded(hostile), filename=hostile, caption=hostile)
    assert seen["files"] == {"file": hostile}
    assert seen["form"] == {"caption": hostile}


async def test_bytes_are_sent_as_they_are(files: Agent) -> None:
    data = bytes(range(256))
    seen = await files.result("send_bytes", data=encoded(data))
    assert seen["length"] == "256"
    assert seen["data"].partition(",")[2] == encoded(data)


@pytest.mark.parametrize("wrong", ["not base64!", "A", "AA==AA=="])
async def test_what_is_no_base64_is_not_sent(files: Agent, wrong: str) -> None:
    assert "not_sent" in await files.refusal("send_bytes", data=wrong)


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_a_hostile_text_stays_text_in_xml(files: Agent, hostile: str) -> None:
    """I47."""
    body = await files.text("send_xml", to=hostile, text=hostile)
    assert body.count("<note") == body.count("</note>") == 1
    assert body.count("<") == 5  # the declaration, and two elements with their ends
    assert "{{7*7}}" in body or "{{" not in hostile


async def test_a_control_that_no_xml_can_hold_is_not_sent(files: Agent) -> None:
    assert "not_sent" in await files.refusal("send_xml", to="x", text="a\x00b")


# -- what comes back ----------------------------------------------------------------------------


@pytest.mark.parametrize(("format", "begins"), [("png", PNG), ("jpeg", JPEG), ("webp", b"RIFF")])
async def test_a_picture_is_a_picture_for_the_model(
    files: Agent, format: str, begins: bytes
) -> None:
    told = await files.call("picture", format=format)
    (picture,) = [one for one in told.content if isinstance(one, types.ImageContent)]
    assert picture.mime_type == f"image/{format}"
    assert base64.b64decode(picture.data).startswith(begins)


async def test_bytes_are_an_embedded_resource_and_the_same_for_a_seed(files: Agent) -> None:
    first, again, other = [
        await files.call("random_bytes", count=64, seed=seed) for seed in (1, 1, 2)
    ]
    assert len(blob(first)) == 64
    assert blob(first) == blob(again) != blob(other)


async def test_bytes_over_the_cap_are_a_link_that_can_be_read(files: Agent) -> None:
    """Up to the cap they are in the result; beyond it, the client fetches them if it wants to."""
    found = await files.call("random_bytes", count=90_000)
    (link,) = [one for one in found.content if isinstance(one, types.ResourceLink)]
    assert link.uri.startswith("capgate://files/files/")
    async with Client(files.url) as client:
        (read,) = (await client.read_resource(link.uri)).contents
    assert isinstance(read, types.BlobResourceContents)
    assert len(base64.b64decode(read.blob)) == 90_000


async def test_xml_is_read_by_names_and_attributes(files: Agent) -> None:
    slides = await files.result("slides")
    assert slides == [
        {"title": "Wake up to WonderWidgets!", "type": "all"},
        {"title": "Overview", "type": "all", "points": slides[1]["points"]},
    ]
    assert len(slides[1]["points"]) == 3


async def test_a_drawing_is_xml(files: Agent) -> None:
    drawing = await files.result("drawing")
    assert (drawing["title"], drawing["box"]) == ("SVG Logo", "0 0 100 100")
    assert drawing["rectangles"][:2] == ["#FF9900", "#FFB13B"]


async def test_text_of_many_scripts_comes_whole(files: Agent) -> None:
    page = await files.text("unicode_page")
    assert "∮ E⋅da = Q" in page
    assert "ሰማይ አይታረስ" in page
    assert "コンニチハ" in page


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_stream_is_told_line_by_line(files: Agent, mode: str) -> None:
    heard: list[float] = []

    async def hear(progress: float, *_: Any) -> None:
        heard.append(progress)

    named = {"server": "files", "tool": "stream", "arguments": {"lines": 5}}
    async with Client(files.url, mode=mode) as client:
        told = await client.call_tool("gateway_invoke", named, progress_callback=hear)
    assert told.content[0].text == "[0,1,2,3,4]"
    assert heard == [1, 2, 3, 4, 5]


async def test_an_encoding_that_nobody_asked_for_is_said_and_not_guessed(
    httpbin: Program, tmp_path: Path
) -> None:
    """httpbin sends Brotli whatever is accepted; we offer gzip and deflate."""
    (tmp_path / "odd.yaml").write_text(ODD.format(url=httpbin.url))
    with gateway(tmp_path / "log", tmp_path) as served:
        said = await Agent(f"{served.url}/mcp", "odd").refusal("brotli")
    assert "'br'" in said or " br" in said


# -- log-ins ------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512"])
async def test_digest_proves_the_password_without_sending_it(
    served: Program, algorithm: str
) -> None:
    digest = Agent(f"{served.url}/mcp", "digest")
    found = await digest.result("who_am_i", algorithm=algorithm)
    assert found == {"authenticated": True, "user": "demo"}


async def test_a_session_logs_in_once_and_its_cookies_go_with_every_call(
    served: Program, httpbin: Program
) -> None:
    """I43: httpbin repeats the cookie; capgate blots it out."""
    session = Agent(f"{served.url}/mcp", "session")
    for _ in range(3):
        assert await session.result("cookies") == {"session": "***", "theme": "dark"}
    assert httpbin.log.count("GET /cookies/set") == 1


async def test_no_log_in_shows_in_the_log(served: Program) -> None:
    """I42."""
    assert TOKEN not in served.log
    assert PASSWORD not in served.log


def blob(told: types.CallToolResult) -> bytes:
    (found,) = [one for one in told.content if isinstance(one, types.EmbeddedResource)]
    assert isinstance(found.resource, types.BlobResourceContents)
    return base64.b64decode(found.resource.blob)
