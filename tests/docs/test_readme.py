"""The README's first screen and snippets do what they say, with a peer in place of the web."""

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from aiohttp import web

from tests.peers.programs import CAPGATE, ROOT, capgate, console, environment, gateway
from tests.peers.web import serving

README = ROOT / "README.md"
TEXT = README.read_text("utf-8")
API = "https://api.frankfurter.dev"
CALL, ANSWER = next(found for found in console(README) if found[0][0] == "call")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


async def frankfurter(request: web.Request) -> web.StreamResponse:
    """Answers what the README shows, if asked for just that."""
    assert request.raw_path == "/v1/latest?base=EUR&symbols=USD%2CJPY"
    return web.json_response(json.loads(ANSWER))


def written(folder: Path, port: int) -> Path:
    """The README's capability file, with a peer in the place of the API."""
    yaml = blocks("yaml")[0]
    assert API in yaml
    (folder / "rates.yaml").write_text(yaml.replace(API, f"http://127.0.0.1:{port}"))
    return folder


def test_the_first_file_has_nine_lines() -> None:
    assert len(blocks("yaml")[0].splitlines()) == 9


async def test_the_first_call_gives_the_answer_that_is_shown(tmp_path: Path) -> None:
    async with serving(frankfurter) as port:
        words = [*CALL, "--capabilities", str(written(tmp_path, port))]
        assert await asyncio.to_thread(capgate, words, {}) == ANSWER


async def test_the_python_client_prints_the_rates(tmp_path: Path) -> None:
    async with serving(frankfurter) as port:
        with gateway(tmp_path / "log", written(tmp_path, port)) as served:
            script = blocks("python")[0].replace("http://127.0.0.1:39400", served.url)
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", script),
                stdout=asyncio.subprocess.PIPE,
                env=environment({}),
            )
            said, _ = await process.communicate()
    found, rates = said.decode().strip().splitlines()
    assert process.returncode == 0
    assert json.loads(found)["matches"][0]["tool"] == "latest"
    assert rates == str(json.loads(ANSWER)["rates"])


def test_the_clients_settings_are_those_that_capgate_prints() -> None:
    printed = [json.loads(capgate(["client-config", name], {})) for name in ("cursor", "vscode")]
    assert [json.loads(block) for block in blocks("json")] == printed


async def test_every_command_it_names_exists() -> None:
    for words, _ in console(README):
        process = await asyncio.create_subprocess_exec(
            *CAPGATE, words[0], "--help", stdout=asyncio.subprocess.DEVNULL, cwd=ROOT
        )
        assert await process.wait() == 0, words[0]


def links() -> Iterator[str]:
    for link in re.findall(r"\]\(([^)#]+)\)", TEXT):
        if "://" not in link:
            yield link


def test_every_link_leads_somewhere() -> None:
    assert [link for link in links() if not (ROOT / link).exists()] == []
