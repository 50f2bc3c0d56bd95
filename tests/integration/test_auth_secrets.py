"""A canary in every kind of `auth`, before an API that repeats all it is sent (I42, I43, I44)."""

import base64
import contextlib
import json
import logging
from urllib.parse import quote, quote_plus

import pytest
from aiohttp import web

from gateway.errors import GatewayError
from tests.peers.rest_files import Desk
from tests.peers.web import serving

CANARY = "canary+of/the=secret 7"
LIVE = "live-canary-of-the-server"
FILE = """\
capability: 1
name: api
description: Repeats what it is sent
base_url: {base}
secrets: {{s: env:S}}
auth: {auth}
retry: {{max: 0}}
tools:
  fine: {{description: Reads., get: /fine}}
  bad: {{description: Reads., get: /bad}}
  refused: {{description: Reads., get: /refused}}
"""
S = '"{{ secrets.s }}"'
KINDS = {
    "bearer": f"{{bearer: {S}}}",
    "basic": f"{{basic: {{username: u, password: {S}}}}}",
    "header": f"{{header: {{X-Key: {S}}}}}",
    "query": f"{{query: {{key: {S}}}}}",
    "digest": f"{{digest: {{username: u, password: {S}}}}}",
    "oauth2": "{oauth2: {grant: client_credentials, token_url: BASE/token, client_id: me, "
    f"client_secret: {S}}}}}",
    "oauth2 post": "{oauth2: {grant: refresh_token, token_url: BASE/token, client_id: me, "
    f"refresh_token: {S}}}}}",
    "session token": f"{{session: {{login: {{post: /login, form: {{p: {S}}}}}, token: $.token}}}}",
    "session cookie": f"{{session: {{login: {{get: /login, query: {{p: {S}}}}}}}}}",
    "session basic": f"{{session: {{login: {{get: /login}}, basic: {{username: u, password: {S}}}, "
    "token_header: X-Token}}",
    "handshake": "{session: {handshake: {status: 401, header: X-Token}}}",
    "hmac": f"{{hmac: {{secret: {S}, message: x, header: X-S, prefix: {S}}}}}",
    "aws_sigv4": f"{{aws_sigv4: {{region: r, service: s, access_key: me, secret_key: {S}, "
    f"session_token: {S}}}}}",
}


async def echo(request):
    """All of the request, in its answer and its headers; the login and the token endpoint too."""
    body = await request.text()
    seen = {"url": str(request.url), "body": body, "headers": dict(request.headers)}
    told = {"seen": seen, "raw": [list(map(str, each)) for each in request.raw_headers]}
    headers = {"X-Token": LIVE}
    status = {"/bad": 500, "/refused": 401}.get(request.path, 200)
    if request.path == "/token":
        told |= {"access_token": LIVE, "refresh_token": f"{LIVE}-2", "token_type": "Bearer"}
    if request.path == "/login":
        told["token"] = LIVE
        headers["Set-Cookie"] = f"sid={LIVE}; Path=/"
    if status == 401:
        headers["WWW-Authenticate"] = f'Digest realm="{quote(CANARY)}", nonce="n", qop="auth"'
    told["message"] = json.dumps(told)
    return web.json_response(told, status=status, headers=headers)


def forms():
    yield from (CANARY, quote(CANARY), quote(CANARY, safe=""), quote_plus(CANARY), LIVE)
    for text in (CANARY, f"u:{CANARY}", f"me:{quote_plus(CANARY)}", LIVE):
        yield base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("kind", KINDS)
async def test_no_secret_shows_in_a_result_an_error_a_log_line_or_a_repr(kind, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    shown = []
    async with serving(echo) as port, Desk(folder=tmp_path) as desk:
        base = f"http://127.0.0.1:{port}"
        text = FILE.format(base=base, auth=KINDS[kind].replace("BASE", base))
        backend = await desk.open(text, {"S": CANARY})
        for tool in ("fine", "bad", "refused", "refused", "fine"):
            with contextlib.suppress(GatewayError):
                result = await desk.call(backend, tool)
                shown.append(f"{result.content} {result.structured!r}")
                continue
            try:
                await desk.call(backend, tool)
            except GatewayError as error:
                shown += [error.explain(), repr(error)]
        credential = backend._carrier.credential
        shown += [repr(backend), repr(credential), repr(backend.listing), repr(backend._compiled)]
        inner = vars(credential).values()
        shown += [repr(value) for value in inner if not isinstance(value, str)]
    everything = "\n".join([*shown, caplog.text, str([vars(each) for each in caplog.records])])
    assert len(shown) > 8
    assert [form for form in forms() if form in everything] == []
    assert "***" in everything or kind in ("digest", "hmac", "aws_sigv4")
