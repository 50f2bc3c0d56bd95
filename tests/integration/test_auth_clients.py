"""Clients with keys, before the whole gateway over real HTTP."""

import asyncio
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from mcp.shared.exceptions import MCPError

from gateway.config.load import understand
from gateway.credentials.redact import forms
from tests.peers import mcp1
from tests.peers.gateways import started as capgate
from tests.peers.programs import ROOT as ROOT_FOLDER
from tests.peers.secured import ACCEPT, META, VERSION, Secured, secured, shown
from tests.peers.web import serving

ANN, BOB, ROOT = "ann-canary-key-0123456789", "bob-canary-key-0123456789", "root-canary-0123456789"
PATHS = ["/mcp", "/mcp/", "/mcp/shop", "/mcp/nowhere", "/metrics", "/openai/tools", "/x", "/"]


def settings(*keys: str, more: str = "") -> str:
    return f"auth:\n  enabled: true\n  api_keys: [{', '.join(keys)}]\n{more}"


HASHED = "sha256:" + hashlib.sha256(BOB.encode()).hexdigest()
ANN_KEY = f"{{name: ann, key: '{ANN}'}}"
BOB_KEY = f"{{name: bob, key: '{HASHED}', team: web}}"
ROOT_KEY = f"{{name: root, key: '{ROOT}', level: admin}}"
ALL = settings(ANN_KEY, BOB_KEY, ROOT_KEY)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("key", [ANN, BOB])
async def test_a_client_with_a_key_lists_and_calls(tmp_path: Path, mode: str, key: str) -> None:
    async with secured(tmp_path, ALL) as gateway, gateway.client(key, mode) as client:
        assert len((await client.list_tools()).tools) == 4
        result = await client.call_tool("gateway_invoke", {"server": "shop", "tool": "hello"})
        assert result.structured_content == {"said": "hello"}


async def test_a_client_of_the_sdks_first_version_shows_its_key_too(tmp_path: Path) -> None:
    try:
        python = mcp1.install()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"mcp 1.x cannot be installed here: {type(error).__name__}")
    async with secured(tmp_path, ALL, ("weather",)) as gateway:
        for key, ends in ((BOB, True), ("wrong", False)):
            process = await asyncio.create_subprocess_exec(
                *(python, mcp1.__file__, gateway.url, f"Authorization: Bearer {key}"),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            async with asyncio.timeout(60):
                out, _ = await process.communicate()
            assert (process.returncode == 0) is ends
            assert (b"gateway_invoke" in out) is ends


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_with_a_wrong_key_gets_nowhere(tmp_path: Path, mode: str) -> None:
    async with secured(tmp_path, ALL) as gateway:
        with pytest.raises((ExceptionGroup, MCPError)):
            async with gateway.client("wrong", mode):
                raise AssertionError
        counted = gateway.parts.metrics.render().decode()
        assert "capgate_calls_total{" not in counted


async def test_all_refusals_are_the_same(tmp_path: Path) -> None:
    """I28, I32."""
    wrong: list[dict[str, str]] = [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": f"bearer\t{ANN}"},
        {"Authorization": f"Bearer {ANN[:-1]}"},
        {"Authorization": f"Basic {ANN}"},
        {"Authorization": "Bearer kö"},
        {"Authorization": "Bearer " + "x" * 8000},
        {"X-Api-Key": ANN},
        {"Cookie": f"token={ANN}"},
    ]
    seen = set()
    async with secured(tmp_path, ALL) as gateway:
        for path in (*PATHS, f"/mcp?access_token={ANN}", "/.well-known/oauth-protected-resource"):
            for headers in wrong:
                for method in ("GET", "POST", "DELETE"):
                    url = gateway.base + path
                    async with gateway.http.request(method, url, headers=headers) as answer:
                        challenge = answer.headers["WWW-Authenticate"].partition(",")[0]
                        seen.add((answer.status, await answer.read(), challenge.split()[0]))
    [(status, body, challenge)] = seen
    assert (status, challenge) == (401, "Bearer")
    assert json.loads(body)["error"]["data"] == {"code": "unauthenticated"}


async def test_two_authorization_headers_are_none_and_the_connection_is_kept(
    tmp_path: Path,
) -> None:
    """I28. What follows a refusal on its connection is answered as if it had not been."""
    async with secured(tmp_path, ALL) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", port(gateway))
        line = f"Authorization: Bearer {ANN}\r\n"
        twice = f"GET /health HTTP/1.1\r\nHost: localhost\r\n{line}{line}\r\n"
        once = f"GET /health HTTP/1.1\r\nHost: localhost\r\n{line}\r\n"
        body = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{not read"
        writer.write((twice + body + once).encode())
        statuses = [(await answer(reader))[0] for _ in range(3)]
        writer.close()
        await writer.wait_closed()
    assert statuses == [401, 401, 200]


def port(gateway: Secured) -> int:
    return int(gateway.base.rpartition(":")[2])


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return int(head.split()[1]), await reader.readexactly(length)


async def test_only_public_paths_are_to_the_letter(tmp_path: Path) -> None:
    """I4, I32."""
    more = "  public_paths: [/metrics]\n"
    async with secured(tmp_path, settings(ANN_KEY, more=more)) as gateway:
        for path in ("/livez", "/readyz", "/health", "/metrics", "/health?x=1", "/metrics?y"):
            assert (await gateway.get(path))[0] == 200, path
        for path in ("/health/", "/HEALTH", "/healthz", "/health/x", "/metrics/", "/metric"):
            assert (await gateway.get(path))[0] == 401, path


async def test_health_tells_each_as_much_as_concerns_him(tmp_path: Path) -> None:
    """I32."""
    bound = f"{{name: ann, key: '{ANN}', backends: [shop]}}"
    async with secured(tmp_path, settings(bound, BOB_KEY, ROOT_KEY)) as gateway:
        status, text = await gateway.get("/health")
        assert (status, json.loads(text)) == (200, {"status": "healthy"})
        assert (await gateway.get("/health", "wrong"))[0] == 401
        mine = json.loads((await gateway.get("/health", ANN))[1])
        assert set(mine) == {"status", "version", "backends"}
        assert set(mine["backends"]) == {"shop"}
        everything = json.loads((await gateway.get("/health", ROOT))[1])
        assert set(everything["backends"]) == {"shop", "bank"}
        assert everything["reload"]["version"] >= 1


async def test_a_server_that_a_key_may_not_see_has_no_url(tmp_path: Path) -> None:
    """I39."""
    bound = f"{{name: ann, key: '{ANN}', backends: [shop]}}"
    async with secured(tmp_path, settings(bound, BOB_KEY)) as gateway:
        found = []
        for path in ("/mcp/bank", "/mcp/nowhere"):
            async with gateway.asking(ANN, "tools/list", {}, path) as answer:
                found.append((answer.status, await answer.read()))
        assert found[0] == found[1]
        assert found[0][0] == 404
        assert await gateway.listed(ANN, "/mcp/shop") == 200
        assert await gateway.listed(BOB, "/mcp/bank") == 200


SLOW = """\
capability: 1
name: slow
description: Takes its time
base_url: {base}
tools: {{wait: {{description: Waits., get: /wait}}}}
"""


@pytest.mark.parametrize("legacy", [False, True])
async def test_a_call_in_flight_ends_as_it_would_have(tmp_path: Path, legacy: bool) -> None:  # noqa: FBT001
    """I36."""
    asked, let_go = asyncio.Event(), asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        asked.set()
        await let_go.wait()
        return web.json_response({"done": True})

    async with serving(slow) as at, secured(tmp_path, ALL, mock=False) as gateway:
        (tmp_path / "capabilities" / "slow.yaml").write_text(
            SLOW.format(base=f"http://127.0.0.1:{at}")
        )
        async with asyncio.timeout(10):
            while await gateway.listed(ANN, "/mcp/slow") != 200:
                await asyncio.sleep(0.01)
            session = await gateway.opened(ANN)
            invoke = {"name": "gateway_invoke", "arguments": {"server": "slow", "tool": "wait"}}
            calling = asyncio.create_task(
                gateway.legacy(ANN, "tools/call", session, **invoke)
                if legacy
                else called(gateway, ANN, invoke)
            )
            await asked.wait()
            gateway.save(settings(BOB_KEY))
            while await gateway.listed(ANN) != 401:
                await asyncio.sleep(0.01)
            let_go.set()
            status, *_, body = await calling
    assert status == 200
    assert '"done": true' in json.dumps(body)


async def called(gateway: Secured, key: str, params: dict[str, Any]) -> tuple[int, Any]:
    name = {"Mcp-Name": str(params["name"])}
    async with gateway.asking(key, "tools/call", params, **name) as answer:
        return answer.status, (await answer.json())["result"]["structuredContent"]


async def test_metrics_need_an_admin(tmp_path: Path) -> None:
    """I32."""
    async with secured(tmp_path, ALL) as gateway:
        found = [(await gateway.get("/metrics", key))[0] for key in (None, ANN, ROOT)]
        assert found == [401, 403, 200]


async def test_a_session_belongs_to_its_key(tmp_path: Path) -> None:
    """I40."""
    async with secured(tmp_path, ALL) as gateway:
        session = await gateway.opened(ANN)
        status, _, found = await gateway.legacy(ANN, "tools/list", session)
        assert (status, len(found["result"]["tools"])) == (200, 4)
        unknown = await gateway.legacy(BOB, "tools/list", "0" * 32)
        assert await gateway.legacy(BOB, "tools/list", session) == unknown
        assert unknown[0] == 404
        headers = shown(BOB) | {"Mcp-Session-Id": session, "Accept": "text/event-stream"}
        for method in ("GET", "DELETE"):
            async with gateway.http.request(method, gateway.url, headers=headers) as theirs:
                assert theirs.status == 404
        assert (await gateway.legacy(None, "tools/list", session))[0] == 401
        assert (await gateway.legacy(ANN, "tools/list", session))[0] == 200


async def test_a_key_that_is_taken_away_ends_what_is_open_and_nothing_of_others(
    tmp_path: Path,
) -> None:
    """I36."""
    async with secured(tmp_path, ALL) as gateway:
        session = await gateway.opened(ANN)
        kept = await gateway.opened(BOB)
        unasked = shown(ANN) | {"Mcp-Session-Id": session, "Accept": "text/event-stream"}
        flags = {"notifications": {"toolsListChanged": True}}
        async with (
            gateway.http.get(gateway.url, headers=unasked) as stream,
            gateway.asking(ANN, "subscriptions/listen", flags) as listening,
            gateway.asking(BOB, "subscriptions/listen", flags) as others,
            asyncio.timeout(10),
        ):
            assert (stream.status, listening.status) == (200, 200)
            gateway.save(settings(BOB_KEY, ROOT_KEY))
            await stream.read()
            told = await listening.read()
            assert b'"result"' in told  # a graceful end
            while await gateway.listed(ANN) != 401:
                await asyncio.sleep(0.01)
            assert not others.content.at_eof()
            assert await gateway.listed(BOB) == 200
            assert (await gateway.legacy(BOB, "tools/list", kept))[0] == 200
            gateway.save(ALL)
            while await gateway.listed(ANN) != 200:
                await asyncio.sleep(0.01)
            assert (await gateway.legacy(ANN, "tools/list", session))[0] == 404


async def test_a_key_that_is_exchanged_for_another_ends_what_it_opened(tmp_path: Path) -> None:
    """I36."""
    flags = {"notifications": {"toolsListChanged": True}}
    async with (
        secured(tmp_path, ALL) as gateway,
        gateway.asking(ANN, "subscriptions/listen", flags) as listening,
        asyncio.timeout(10),
    ):
        gateway.save(ALL.replace(ANN, ANN[::-1]))
        assert b'"result"' in await listening.read()
        assert (await gateway.listed(ANN), await gateway.listed(ANN[::-1])) == (401, 200)


async def test_who_takes_his_time_to_send_a_request_is_asked_again(tmp_path: Path) -> None:
    """I36. The request began with a key that counted."""
    sent = {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen"}
    params = {"notifications": {"toolsListChanged": True}, "_meta": META}
    body = json.dumps({**sent, "params": params}).encode()
    lines = {
        "Host": "localhost",
        "Authorization": f"Bearer {ANN}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Accept": ACCEPT,
        "MCP-Protocol-Version": VERSION,
        "Mcp-Method": "subscriptions/listen",
    }
    head = "POST /mcp HTTP/1.1\r\n" + "".join(f"{a}: {b}\r\n" for a, b in lines.items())
    async with secured(tmp_path, ALL) as gateway, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port(gateway))
        writer.write(head.encode() + b"\r\n" + body[:10])
        await writer.drain()
        assert await gateway.listed(ANN) == 200  # the other request has come to its body by now
        gateway.save(settings(BOB_KEY, ROOT_KEY))
        while await gateway.listed(ANN) != 401:
            await asyncio.sleep(0.01)
        writer.write(body[10:])
        status, said = await answer(reader)
        writer.close()
        await writer.wait_closed()
    assert (status, b"unauthenticated" in said) == (401, True)


async def test_a_file_that_no_longer_loads_lets_in_whom_it_let_in_before(tmp_path: Path) -> None:
    async with secured(tmp_path, ALL) as gateway:
        gateway.save("auth: {enabled: true}\n")
        async with asyncio.timeout(10):
            while not gateway.parts.current.get().issues:
                await asyncio.sleep(0.01)
        assert (await gateway.listed(ANN), await gateway.listed("x")) == (200, 401)


@pytest.mark.parametrize("form", ["text", "json"])
async def test_a_made_up_token_is_told_once_and_stays(tmp_path: Path, form: str) -> None:
    """I42."""
    text = f"auth: {{enabled: true, bearer_token: auto}}\nlog: {{format: {form}}}\n"
    if form == "json":  # its first line is no plain one
        return await made_up_in_json(tmp_path, text)
    async with capgate(folder(tmp_path), settings=text) as gateway:
        [token] = re.findall("told once: (.{43})$", gateway.log, re.MULTILINE)
        url = f"http://127.0.0.1:{gateway.port}/health"
        async with aiohttp.ClientSession(headers=shown(token)) as http, asyncio.timeout(10):
            before = (await told(http, url))["reload"]["version"]
            (tmp_path / "gateway.yaml").write_text(f"{text}aliases: {{a: b}}\n")
            while (await told(http, url))["reload"]["version"] == before:
                await asyncio.sleep(0.01)
    assert gateway.log.count(token) == 1
    return None


async def made_up_in_json(tmp_path: Path, text: str) -> None:
    config = tmp_path / "gateway.yaml"
    config.write_text(text)
    argv = [sys.executable, "-m", "gateway", "serve", "--port", "0", "-c", str(config)]
    process = await asyncio.create_subprocess_exec(
        *argv, cwd=ROOT_FOLDER, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    lines = []
    async with asyncio.timeout(30):
        while not lines or lines[-1]["event"] != "bearer_token_made":
            lines.append(json.loads(await process.stderr.readline()))
    process.terminate()
    rest = await process.stderr.read()
    await process.wait()
    assert len(lines[-1]["token"]) == 43
    assert lines[-1]["token"].encode() not in rest


async def told(http: aiohttp.ClientSession, url: str) -> Any:
    async with http.get(url) as answer:
        assert answer.status == 200
        return await answer.json()


def folder(tmp_path: Path) -> Path:
    found = tmp_path / "capabilities"
    found.mkdir()
    return found


async def test_keys_show_nowhere(tmp_path: Path) -> None:
    """I42."""
    token = "one-token-canary-0123456789"
    text = f"{ALL}  bearer_token: '{token}'\n"
    async with capgate(folder(tmp_path), settings=text, level="debug") as gateway:
        base = f"http://127.0.0.1:{gateway.port}"
        shows = []
        async with aiohttp.ClientSession() as http:
            for key in (ANN, BOB, ROOT, token, "wrong", f"{ANN}x"):
                for path in ("/health", "/metrics", "/mcp", "/nowhere"):
                    async with http.get(base + path, headers=shown(key)) as answer:
                        shows.append(f"{answer.headers} {await answer.text()}")
    validated = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "validate", "-c", str(tmp_path / "gateway.yaml")),
        cwd=ROOT_FOLDER,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await validated.communicate()
    everything = "\n".join([*shows, gateway.log, said.decode()])
    for canary in (ANN, BOB, ROOT, token):
        for form in forms(canary):
            assert form not in everything
    loaded = understand(text.encode(), "gateway.yaml", {}, {}).config
    for canary in (ANN, BOB, ROOT, token):
        assert canary not in repr(loaded)


async def test_refusals_are_counted_and_logged_as_one_line(tmp_path: Path) -> None:
    async with capgate(folder(tmp_path), settings=ALL) as gateway:
        url = f"http://127.0.0.1:{gateway.port}/mcp"
        async with aiohttp.ClientSession() as http:
            for _ in range(50):
                async with http.post(url) as answer:
                    assert answer.status == 401
    assert gateway.log.count("callers_refused") == 1


async def test_switching_it_off_opens_nothing_where_other_machines_reach(tmp_path: Path) -> None:
    """What the file says of the address from now on is not where the process listens."""
    text = f"server: {{host: 0.0.0.0}}\n{ALL}"
    async with secured(tmp_path, text) as gateway:
        assert await gateway.listed(None) == 401
        gateway.save("aliases: {a: shop}\n")
        async with asyncio.timeout(10):
            while "a" not in gateway.parts.current.get().aliases:
                await asyncio.sleep(0.01)
        assert (await gateway.listed(None), await gateway.listed(ANN)) == (401, 200)
