"""An MCP server that wants a token, and its authorization server: well-behaved unless told not to.

`changes` replaces what it answers at a path; `asked` is what came in. Tokens are `access-1`,
`access-2`, …, refresh tokens rotate and are good for one use.
"""

import base64
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from tests.peers.web import serving

RESOURCE = "/.well-known/oauth-protected-resource/mcp"
SERVER = "/.well-known/oauth-authorization-server"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class World:
    """`life` of a token in seconds; `needs` scopes a request; `denies` a person who says no."""

    port: int = 0
    life: int | None = 3600
    needs: frozenset[str] = frozenset()
    denies: bool = False
    refresh: bool = True
    changes: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    logins: list[dict[str, str]] = field(default_factory=list)
    proofs: list[str] = field(default_factory=list)
    registered: list[dict[str, Any]] = field(default_factory=list)
    tokens: dict[str, frozenset[str]] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    refreshes: dict[str, frozenset[str]] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.base}/mcp"

    def count(self, path: str) -> int:
        return sum(one == path for one in self.asked)

    def revoke(self) -> None:
        """No token of now is good any more."""
        self.tokens.clear()

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.base,
            "authorization_endpoint": f"{self.base}/authorize",
            "token_endpoint": f"{self.base}/token",
            "registration_endpoint": f"{self.base}/register",
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
            **self.changes.get("metadata", {}),
        }

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        change = self.changes.get(request.path)
        if callable(change):
            return await change(request)
        if change is not None:
            return web.json_response(change)
        known: dict[str, Answer] = {
            "/mcp": self._mcp,
            RESOURCE: self._resource,
            SERVER: self._server,
            "/authorize": self._authorize,
            "/token": self._token,
            "/register": self._register,
        }
        found = known.get(request.path)
        return await found(request) if found else web.Response(status=404)

    async def _mcp(self, request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        where = f'Bearer resource_metadata="{self.base}{RESOURCE}"'
        if token not in self.tokens:
            return web.Response(status=401, headers={"WWW-Authenticate": where})
        if not self.needs <= self.tokens[token]:
            more = f'{where}, error="insufficient_scope", scope="{" ".join(sorted(self.needs))}"'
            return web.Response(status=403, headers={"WWW-Authenticate": more})
        return web.json_response({"ok": True})

    async def _resource(self, request: web.Request) -> web.Response:
        return web.json_response({"resource": self.url, "authorization_servers": [self.base]})

    async def _server(self, request: web.Request) -> web.Response:
        return web.json_response(self.metadata())

    async def _register(self, request: web.Request) -> web.Response:
        self.registered.append(await request.json())
        name = f"client-{len(self.registered)}"
        return web.json_response({**self.registered[-1], "client_id": name}, status=201)

    async def _authorize(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        self.logins.append(query)
        code = f"code-{len(self.logins)}"
        self.codes[code] = query
        back = {"error": "access_denied"} if self.denies else {"code": code}
        back = {"state": query["state"], **back, **self.changes.get("answer", {})}
        target = f"{query['redirect_uri']}?{urlencode(back)}"
        return web.Response(status=302, headers={"Location": target})

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.forms.append(form)
        self.proofs.append(request.headers.get("Authorization", ""))
        scopes = self._granted(form)
        if scopes is None:
            return web.json_response({"error": "invalid_grant"}, status=400)
        number = len(self.forms)
        access, refresh = f"access-{number}", f"refresh-{number}"
        self.tokens[access] = scopes
        told: dict[str, Any] = {"access_token": access, "token_type": "Bearer"}
        if self.life is not None:
            told["expires_in"] = self.life
        if self.refresh and form["grant_type"] != "client_credentials":
            self.refreshes[refresh] = scopes
            told["refresh_token"] = refresh
        return web.json_response(told)

    def _granted(self, form: dict[str, str]) -> frozenset[str] | None:
        if form["grant_type"] == "client_credentials":
            return frozenset(form.get("scope", "").split())
        if form["grant_type"] == "refresh_token":
            return self.refreshes.pop(form["refresh_token"], None)
        if form["grant_type"] == "password":
            known = self.passwords.get(form["username"]) == form["password"]
            return frozenset() if known else None
        login = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if login is None or login["code_challenge"] != proof:
            return None
        if any(login.get(name) != form.get(name) for name in ("redirect_uri", "resource")):
            return None
        return frozenset(login.get("scope", "").split())


@contextlib.asynccontextmanager
async def world(**settings: Any) -> AsyncIterator[World]:
    made = World(**settings)
    async with serving(made.answer) as port:
        made.port = port
        yield made


async def visit(url: str) -> tuple[int, str]:
    """What a browser does with the page: follow it to the end."""
    async with aiohttp.ClientSession() as browser, browser.get(url) as page:
        return page.status, await page.text()


async def ask(url: str, authorizer: Any) -> int:
    """One request to the server as a transport makes it; the status in the end."""
    async with aiohttp.ClientSession() as http:
        for _ in range(2):
            shown = await authorizer.headers()
            async with http.post(url, headers=dict(shown), data=json.dumps({})) as answer:
                if answer.status not in {401, 403}:
                    return answer.status
                headers = {name.lower(): value for name, value in answer.headers.items()}
                if not await authorizer.challenged(answer.status, headers, shown):
                    return answer.status
    return answer.status
