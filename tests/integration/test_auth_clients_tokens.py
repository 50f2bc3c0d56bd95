"""Clients with tokens of an issuer, before the whole gateway: RFC 9728, RFC 6750, RFC 8707."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from aiohttp import web
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

from tests.peers.issuer import AUDIENCE, Issuer, issuing, new_key
from tests.peers.secured import Secured, secured
from tests.peers.web import serving

JWT = """\
auth:
  enabled: true
  jwt:
    issuer: {issuer}
    audience: {audience}
    clock_skew: 0s
    scopes: [{scopes}]
    jwks_url: {jwks}
"""
KINDS = ["RS256", "ES256", "EdDSA"]


@contextlib.asynccontextmanager
async def trusting(
    folder: Path, kind: str = "ES256", scopes: str = "", jwks: str = "null"
) -> AsyncIterator[tuple[Issuer, Secured]]:
    async with issuing(kind) as issuer:
        text = JWT.format(issuer=issuer.base, audience=AUDIENCE, scopes=scopes, jwks=jwks)
        async with secured(folder, text) as gateway:
            yield issuer, gateway


@pytest.mark.parametrize("kind", KINDS)
async def test_a_token_of_the_issuer_lets_its_subject_in(tmp_path: Path, kind: str) -> None:
    async with (
        trusting(tmp_path, kind) as (issuer, gateway),
        gateway.client(issuer.token()) as client,
    ):
        result = await client.call_tool("gateway_invoke", {"server": "shop", "tool": "hello"})
        assert result.structured_content == {"said": "hello"}
        assert issuer.asked.count("/keys") == 1


async def test_no_other_token_does(tmp_path: Path) -> None:
    """I37."""
    now = int(time.time())
    async with trusting(tmp_path) as (issuer, gateway):
        stranger = Issuer(issuer.base)
        wrong = [
            issuer.token(exp=now - 1),
            issuer.token(aud="https://elsewhere.example"),
            issuer.token(iss="https://evil.example"),
            issuer.token(nbf=now + 60),
            issuer.token(sub=None),
            issuer.token(head={"kid": "../../../etc/passwd"}),
            issuer.token(head={"alg": "none"}),
            issuer.token(head={"alg": "none"}).rsplit(".", 1)[0] + ".",
            issuer.token(head={"alg": "HS256"}),
            issuer.token(head={"crit": ["exp"]}),
            stranger.token(),
        ]
        for token in wrong:
            async with gateway.asking(token, "tools/list", {}) as answer:
                assert answer.status == 401
                assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
        assert await gateway.listed(issuer.token()) == 200


async def test_a_refusal_leads_to_the_metadata_and_they_to_the_issuer(tmp_path: Path) -> None:
    async with trusting(tmp_path, scopes="mcp") as (issuer, gateway):
        async with gateway.asking(None, "tools/list", {}, "/mcp/shop") as answer:
            challenge = answer.headers["WWW-Authenticate"]
        place = f"{gateway.base}/.well-known/oauth-protected-resource/mcp"
        assert challenge == f'Bearer resource_metadata="{place}", scope="mcp"'
        for path, resource in (("", "/mcp"), ("/mcp", "/mcp"), ("/mcp/shop", "/mcp/shop")):
            status, text = await gateway.get(f"/.well-known/oauth-protected-resource{path}")
            assert (status, json.loads(text)) == (
                200,
                {
                    "resource": gateway.base + resource,
                    "authorization_servers": [issuer.base],
                    "bearer_methods_supported": ["header"],
                    "scopes_supported": ["mcp"],
                },
            )
        known = await gateway.get("/.well-known/oauth-protected-resource/mcp/shop")
        unknown = await gateway.get("/.well-known/oauth-protected-resource/mcp/nowhere")
        assert unknown == (200, known[1].replace("shop", "nowhere"))
        for path in ("/x", "/mcp/", "/mcp/a/b", "/mcp/%2e%2e", "x", "amcp/shop", "/MCP"):
            assert (await gateway.get(f"/.well-known/oauth-protected-resource{path}"))[0] == 401


async def test_an_audience_and_a_proxy_say_that_it_is_https(tmp_path: Path) -> None:
    async with trusting(tmp_path) as (_, gateway):
        place = "/.well-known/oauth-protected-resource/mcp"
        _, text = await gateway.get(place, **{"X-Forwarded-Proto": "https"})
        assert json.loads(text)["resource"] == gateway.url.replace("http://", "https://")
        _, text = await gateway.get(place, **{"X-Forwarded-Proto": "javascript"})
        assert json.loads(text)["resource"] == gateway.url


async def test_a_token_without_a_scope_is_told_which(tmp_path: Path) -> None:
    async with trusting(tmp_path, scopes="read, call") as (issuer, gateway):
        async with gateway.asking(issuer.token(scope="read"), "tools/list", {}) as answer:
            assert answer.status == 403
            challenge = answer.headers["WWW-Authenticate"]
            assert 'error="insufficient_scope"' in challenge
            assert 'scope="read call"' in challenge
        assert await gateway.listed(issuer.token(scope="call read")) == 200


async def test_while_the_issuer_is_down_nobody_is_let_in_and_then_everybody(tmp_path: Path) -> None:
    """I30."""
    async with trusting(tmp_path) as (issuer, gateway):
        issuer.down = True
        assert await gateway.listed(issuer.token()) == 503
        assert await gateway.listed(None) == 401
        issuer.down = False
        async with asyncio.timeout(20):  # it is asked again after two seconds
            while (found := await gateway.listed(issuer.token())) == 503:
                await asyncio.sleep(0.1)
        assert found == 200
        issuer.down = True
        assert await gateway.listed(issuer.token(jti="new")) == 200


async def test_a_stream_ends_with_the_token_of_its_caller(tmp_path: Path) -> None:
    async with trusting(tmp_path) as (issuer, gateway), asyncio.timeout(10):
        short = issuer.token(sub="ann", exp=int(time.time()) + 2)
        long = issuer.token(sub="bob")
        flags = {"notifications": {"toolsListChanged": True}}
        async with (
            gateway.asking(long, "subscriptions/listen", flags) as others,
            gateway.asking(short, "subscriptions/listen", flags) as mine,
        ):
            assert (mine.status, others.status) == (200, 200)
            assert b'"result"' in await mine.read()
            assert not others.content.at_eof()
        assert await gateway.listed(short) == 401


async def test_who_is_in_by_token_stays_in_when_a_key_is_added(tmp_path: Path) -> None:
    async with trusting(tmp_path) as (issuer, gateway), asyncio.timeout(10):
        token = issuer.token()
        session = await gateway.opened(token)
        key = "a-key-of-twenty-and-more"
        text = gateway.file.read_text()
        gateway.save(f"{text}  api_keys: [{{name: ci, key: {key}}}]\n")
        while await gateway.listed(key) != 200:
            await asyncio.sleep(0.01)
        assert (await gateway.legacy(token, "tools/list", session))[0] == 200
        assert (await gateway.legacy(key, "tools/list", session))[0] == 404
        assert issuer.asked.count("/keys") == 1


async def test_a_new_key_of_the_issuer_is_fetched_when_it_is_first_used(tmp_path: Path) -> None:
    async with trusting(tmp_path) as (issuer, gateway):
        issuer.keys = {"two": new_key("two")}
        assert await gateway.listed(issuer.token("two")) == 200


class Authorizing(Issuer):
    """It also registers clients and gives them tokens; every person says yes."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_for: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        if request.path == "/.well-known/oauth-authorization-server":
            return web.json_response(
                {
                    "issuer": self.base,
                    "jwks_uri": f"{self.base}/keys",
                    "authorization_endpoint": f"{self.base}/authorize",
                    "token_endpoint": f"{self.base}/token",
                    "registration_endpoint": f"{self.base}/register",
                    "response_types_supported": ["code"],
                    "code_challenge_methods_supported": ["S256"],
                }
            )
        if request.path == "/register":
            told = await request.json()
            return web.json_response({**told, "client_id": "c1"}, status=201)
        if request.path == "/token":
            form = await request.post()
            self.asked_for.append(str(form["resource"]))
            token = self.token(aud=str(form["resource"]))
            told = {"access_token": token, "token_type": "Bearer", "expires_in": 600}
            return web.json_response(told)
        return await super().answer(request)


class Kept:
    """Where the SDK's client keeps what it was given."""

    tokens = client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


async def test_the_sdks_client_finds_the_issuer_by_itself_and_gets_a_token(tmp_path: Path) -> None:
    """Discovery, registration, PKCE and the resource indicator are all the SDK's own doing."""
    issuer = Authorizing()
    async with serving_issuer(issuer) as base, secured(tmp_path, "{}") as gateway:
        text = JWT.format(issuer=base, audience=gateway.url, scopes="", jwks="null")
        gateway.save(text)
        async with asyncio.timeout(10):
            while await gateway.listed(None) != 401:
                await asyncio.sleep(0.01)
        gone_to: list[str] = []

        async def go(url: str) -> None:
            gone_to.append(url)

        async def back() -> AuthorizationCodeResult:
            state = parse_qs(urlsplit(gone_to[0]).query)["state"][0]
            return AuthorizationCodeResult(code="code", state=state)

        about = OAuthClientMetadata(redirect_uris=["http://localhost:1/callback"])  # type: ignore[list-item]
        auth = OAuthClientProvider(gateway.url, about, Kept(), go, back)
        async with (
            httpx2.AsyncClient(auth=auth) as http,
            Client(streamable_http_client(gateway.url, http_client=http)) as client,
        ):
            result = await client.call_tool("gateway_invoke", {"server": "shop", "tool": "hello"})
        assert result.structured_content == {"said": "hello"}
        assert issuer.asked_for == [gateway.url]
        assert urlencode({"resource": gateway.url}) in gone_to[0]


@contextlib.asynccontextmanager
async def serving_issuer(issuer: Issuer) -> AsyncIterator[str]:
    async with serving(issuer.answer) as port:
        issuer.base = f"http://127.0.0.1:{port}"
        yield issuer.base
