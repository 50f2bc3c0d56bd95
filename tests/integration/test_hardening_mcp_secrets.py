"""What is shown to MCP servers is in nothing that comes out of the gateway, whatever they do with
it: I42, I43 and I44 of the hardening table.
"""

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from aiohttp import web

from tests.peers.gateways import started
from tests.peers.hostile_mcp_gateway import stdio, text, world
from tests.peers.mcp_http import client
from tests.peers.web import serving

CANARY = "canary/8+s3cr3t=kept"
URLS = {
    "http": {"http_url": "http://127.0.0.1:PORT/mcp"},
    "sse": {"sse_url": "http://127.0.0.1:PORT/sse"},
    "ws": {"ws_url": "ws://127.0.0.1:PORT/ws"},
}
CREDENTIALS = {
    "header": {"headers": {"X-Key": CANARY}},
    "bearer": {"auth": {"bearer": CANARY}},
    "basic": {"auth": {"basic": {"username": "me", "password": CANARY}}},
    "key": {"auth": {"api_key": {"header": "X-Api-Key", "value": CANARY}}},
    "query": {"auth": {"api_key": {"query": "key", "value": CANARY}}},
    "oauth": {
        "auth": {
            "oauth2": {
                "token_url": "http://127.0.0.1:PORT/token",
                "client_id": "me",
                "client_secret": CANARY,
            }
        }
    },
}
MIRRORS = ("refusing", "broken", "redirecting", "html", "failing", "forging")


def shapes() -> Iterator[str]:
    yield CANARY
    yield quote(CANARY, safe="")
    for known in ("", "me:"):
        yield base64.b64encode(f"{known}{CANARY}".encode()).decode().rstrip("=")


@pytest.mark.parametrize("way", URLS)
async def test_an_error_that_repeats_our_credential_is_told_without_it(tmp_path, way):
    """I43, also where it is a JSON-RPC error: at the server's own URL and through a meta-tool."""
    backends = {way: {**URLS[way], **CREDENTIALS["bearer"]}}
    async with world(tmp_path, backends=backends) as here:
        error = {"code": -32000, "message": f"no {CANARY}!", "data": {"you": [f"Bearer {CANARY}"]}}
        direct = await here.call(way, "answer", error=error)
        assert direct["error"]["message"] == "no ***!"
        assert direct["error"]["data"] == {"you": ["***"]}
        inner = {"server": way, "tool": "answer", "arguments": {"error": error}}
        meta = {"name": "gateway_invoke", "arguments": inner}
        async with here.client().modern("tools/call", meta) as response:
            assert text(await response.json()).startswith(
                "the server answered with error -32000: no ***!"
            )
        harmless = {"code": -32000, "message": "no such file"}
        assert (await here.call(way, "answer", error=harmless))["error"] == harmless


async def mirror(request: web.Request) -> web.StreamResponse:
    """Says all that it was shown, in the way that the URL names."""
    shown = json.dumps(dict(request.headers)) + request.path_qs
    mode = request.path.split("/")[1]
    if mode == "token":
        token = f"{CANARY}-token"
        return web.json_response({"access_token": token, "token_type": "Bearer", "expires_in": 60})
    if mode == "redirecting":
        return web.Response(status=302, headers={"Location": f"http://127.0.0.1:1/{quote(shown)}"})
    if mode == "html":
        return web.Response(text=shown, content_type="text/html")
    if mode == "refusing":
        said = shown.replace('"', "'")
        challenge = f'Bearer error="invalid_token", error_description="{said}"'
        return web.Response(status=401, text=shown, headers={"WWW-Authenticate": challenge})
    if mode == "broken" or request.method != "POST":
        return web.Response(status=500, text=shown)
    id = json.loads(await request.read()).get("id")
    if mode == "forging":
        return web.json_response({"jsonrpc": "2.0", "id": id, "result": [shown]})
    error = {"code": -32000, "message": shown, "data": shown}
    return web.json_response({"jsonrpc": "2.0", "id": id, "error": error})


async def test_no_credential_is_in_anything_that_leaves_the_gateway(tmp_path):
    """I42, I44: of every kind, with servers that say it all again in every way."""
    folder, file = tmp_path / "capabilities", tmp_path / "servers.yaml"
    folder.mkdir()
    async with serving(mirror) as port:
        backends = {
            f"{kind}-{mode}": {"http_url": f"http://127.0.0.1:{port}/{mode}/mcp", **shown}
            for kind, shown in CREDENTIALS.items()
            for mode in MIRRORS
        }
        backends["program"] = {**stdio(), "env": {"KEY": CANARY}}
        telling = ["/bin/sh", "-c", "echo $KEY >&2; echo $KEY; exit 3"]
        backends["dying"] = {"command": telling, "env": {"KEY": CANARY}}
        whole = {"metrics": {"enabled": True}, "backends": backends}
        file.write_text(json.dumps(whole).replace("PORT", str(port)))
        async with (
            started(folder, "-c", str(file), level="debug") as gateway,
            client(f"http://127.0.0.1:{gateway.port}") as http,
        ):
            said = [await told(http, backend) for backend in backends]
            assert any("error -32000" in one for one in said)
            for page in ("health", "metrics"):
                async with http.http.get(f"http://127.0.0.1:{gateway.port}/{page}") as response:
                    said.append(await response.text())
            said.append(gateway.log)
        for shape in shapes():
            assert [one[:2000] for one in said if shape in one] == []


async def told(http, backend):
    inner = {"server": backend, "tool": "echo", "arguments": {"text": "x"}}
    words = {"name": "gateway_invoke", "arguments": inner}
    async with http.modern("tools/call", words) as response:
        return await response.text()
