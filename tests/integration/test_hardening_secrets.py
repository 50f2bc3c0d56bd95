"""No secret leaves: not in a result, an error or a log, whole or cut (I42, I43, I44)."""

import base64
import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from urllib.parse import quote, quote_plus

from aiohttp import web

from tests.peers import gateways
from tests.peers.hostile import ask, called, got
from tests.peers.web import serving

SECRETS = {
    "BEARER_TOKEN": "canary-bearer+a/b==7f3e",
    "HEADER_KEY": "canary header'key-91b2",
    "QUERY_KEY": "canary/query+k=&?4d5c",
    "USER_NAME": "canary-user-33",
    "USER_WORD": "canary:w\u00f6rd-8a8a",
    "BODY_KEY": 'canary"body\\key-6c1d',
}
AUTH = {
    "bearing": '{bearer: "{{ secrets.bearer }}"}',
    "naming": '{header: {X-Api-Key: "{{ secrets.header }}"}}',
    "asking": '{query: {apiKey: "{{ secrets.query }}"}}',
    "based": '{basic: {username: "{{ secrets.user }}", password: "{{ secrets.word }}"}}',
}
API = """\
capability: 1
name: {name}
description: An API
base_url: http://127.0.0.1:{port}
secrets:
  bearer: env:BEARER_TOKEN
  header: env:HEADER_KEY
  query: env:QUERY_KEY
  user: env:USER_NAME
  word: env:USER_WORD
  body: env:BODY_KEY
auth: {auth}
retry: {{max: 0}}
tools:
  plain: &tool
    description: Say back what was said.
    args: {{how: {{type: string, required: true}}}}
    post: /{{{{ args.how | segments }}}}
    json: {{key: "{{{{ secrets.body }}}}"}}
  kept:
    description: Say back what was said.
    args: {{how: {{type: string, required: true}}}}
    get: /{{{{ args.how | segments }}}}
    cache: {{ttl: 10ms, revalidate: true}}
  mapped:
    <<: *tool
    response:
      map: {{said: $.said}}
      text: "{{{{ result.said | truncate(40) }}}} {{{{ result }}}}"
  promised:
    <<: *tool
    output: {{type: object, properties: {{said: {{type: integer}}}}}}
  ruled:
    <<: *tool
    errors:
      - status: 4xx
        message: "{{{{ body.error | truncate(40) }}}} {{{{ body }}}} {{{{ headers }}}}"
  short:
    <<: *tool
    response: {{max_bytes: 256}}
"""


def said(request: web.Request, body: str) -> str:
    return json.dumps(dict(request.headers)) + request.path_qs + request.query_string + body


def credential(request: web.Request) -> str:
    shown = request.headers.get("Authorization", request.headers.get("X-Api-Key", ""))
    found = shown.partition(" ")[2] if shown.startswith(("Bearer", "Basic")) else shown
    return found or request.query["apiKey"]


async def echo(request: web.Request) -> web.Response:
    """Says back all it was sent, or (`/cut/N/STATUS`) the credential alone after N letters."""
    body = await request.text()
    kind, *rest = request.path[1:].split("/")
    text = said(request, body)
    if kind == "cut":
        text = "x" * int(rest[0]) + credential(request) + "y" * 5_000
    status = int(rest[-1]) if rest else 200
    if kind == "text" or (rest and rest[-1] == "299"):
        return web.Response(text=text, status=200, content_type="text/plain")
    if kind == "broken":
        return web.Response(text='{"a":' + text, content_type="application/json")
    if kind == "typed":
        found = web.Response(body=b"{")
        found.headers["Content-Type"] = f"application/{credential(request)}+json"
        return found
    if kind == "packed":
        return web.Response(body=b"{", headers={"Content-Encoding": credential(request)})
    if kind == "bytes":
        return web.Response(body=b"\0\xff" + text.encode(), content_type="application/octet-stream")
    if kind == "tagged" and "If-None-Match" in request.headers:
        return web.Response(status=304, headers={"ETag": '"1"'})
    found = {"said": text, "error": text, "list": [text]}
    return web.json_response(found, status=status, headers={"ETag": '"1"', "X-Echo": "1"})


HOWS = (
    *("say", "text", "broken", "typed", "packed", "bytes", "tagged", "tagged"),
    *("say/401", "say/404", "say/500", "cut/240/200", "cut/275/200", "cut/3985/400"),
    *(f"cut/{length}/{status}" for length in (0, 25, 185, 480) for status in (200, 299, 400)),
)


TOOLS = ("plain", "kept", "mapped", "promised", "ruled", "short")
LISTS: dict[str, dict[str, str]] = {
    "gateway_list_servers": {},
    "gateway_search_tools": {"query": "say"},
    "gateway_list_tools": {"server": "based"},
}


def spellings(secret: str) -> Iterator[str]:
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield quote(secret)
    yield quote(secret, safe="")
    yield quote_plus(secret)
    for before in (b"", b"z", b"zz"):
        encoded = base64.b64encode(before + secret.encode()).decode()
        yield encoded[4:-4]


def leaked(text: str) -> list[str]:
    """Spellings of secrets in `text`, and pieces of them: half of one is half the work."""
    found = [spelling for secret in SECRETS.values() for spelling in spellings(secret)]
    pieces = [secret[at : at + 12] for secret in SECRETS.values() for at in range(len(secret) - 11)]
    return [needle for needle in {*found, *pieces} if needle in text]


async def test_an_api_that_says_our_secrets_back_is_not_heard(tmp_path: Path) -> None:
    """I42, I43, I44."""
    async with serving(echo) as port:
        for name, auth in AUTH.items():
            text = API.format(name=name, port=port, auth=auth)
            (tmp_path / f"{name}.yaml").write_text(text)
        async with gateways.started(tmp_path, environ=SECRETS, level="debug") as gateway:
            blotted = 0
            for server, tool, how in product(AUTH, TOOLS, HOWS):
                call = {"server": server, "tool": tool, "arguments": {"how": how}}
                reply = await ask(gateway.port, called("gateway_invoke", call))
                found = leaked(reply.body.decode())
                assert (reply.status, found) == (200, []), (server, tool, how, reply.body)
                blotted += b"***" in reply.body
            assert blotted > len(AUTH) * len(TOOLS)  # it did come back
            for page in ("/health", "/metrics"):
                assert not leaked((await ask(gateway.port, got(page))).body.decode())
            for name, arguments in LISTS.items():
                reply = await ask(gateway.port, called(name, arguments))
                assert not leaked(reply.body.decode())
            assert not leaked(gateway.log)
            assert "http_exchange" in gateway.log
