"""A client for the conformance suite's `auth/*` scenarios: our transport and our authorizer.

python -m tests.peers.oauth_conformance_client SERVER_URL

Whenever a person is needed it opens the page as a browser would, and goes on. What the scenario
tells (`MCP_CONFORMANCE_*`) decides the era and the credentials.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

import aiohttp

from gateway.credentials.backend_auth import BackendAuth, build
from gateway.credentials.means import Shared
from gateway.credentials.oauth.settings import OAuth, OAuth2
from gateway.credentials.secret import environment
from gateway.errors import AuthorizationNeeded
from gateway.http.direct import Direct
from gateway.http.outgoing import Outgoing
from gateway.transports.base import Means, Outbound
from gateway.transports.http import Http

LEGACY = "2025-11-25"
PERSONS = 10  # authorizations at most
DOCUMENT = "https://conformance-test.local/client-metadata.json"
HELLO = {
    "protocolVersion": LEGACY,
    "capabilities": {},
    "clientInfo": {"name": "oauth-conformance-client", "version": "1"},
}
MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": HELLO["clientInfo"],
}


class Deaf:
    def received(self, message, request):
        pass

    def lost(self, reason):
        pass


class Conversation:
    def __init__(self, transport, authorizer, version):
        self.transport = transport
        self.authorizer = authorizer
        self.version = version
        self.persons = 0
        self.ids = iter(range(1, 1000))

    async def run(self):
        if self.version == LEGACY:
            await self.ask("initialize", HELLO)
            note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
            await self.transport.send(
                json.dumps(note).encode(), (("MCP-Protocol-Version", LEGACY),)
            )
        tools = json.loads(await self.ask("tools/list", {}))["tools"]
        for tool in tools:
            await self.ask("tools/call", {"name": tool["name"], "arguments": {}})

    async def ask(self, method, params):
        while True:
            try:
                answer = await self.transport.request(self.message(method, params))
            except AuthorizationNeeded as needed:
                await self.visit(needed.url)
                continue
            assert answer.error is None, answer.error
            return bytes(answer.result)

    def message(self, method, params):
        number = next(self.ids)
        headers = [("MCP-Protocol-Version", self.version)]
        if self.version != LEGACY:
            params = {**params, "_meta": MODERN}
            headers.append(("Mcp-Method", method))
            if "name" in params:
                headers.append(("Mcp-Name", params["name"]))
        body = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        return Outbound(number, method, json.dumps(body).encode(), tuple(headers))

    async def visit(self, url):
        self.persons += 1
        assert self.persons <= PERSONS
        async with aiohttp.ClientSession() as browser, browser.get(url) as page:
            await page.read()
        await self.authorizer.settled()


async def main(url):
    environ = environment()
    scenario = environ.get("MCP_CONFORMANCE_SCENARIO", "")
    version = environ.get("MCP_CONFORMANCE_PROTOCOL_VERSION", LEGACY)
    context = json.loads(environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
    auth, oauth = None, OAuth(client_metadata_url=DOCUMENT)
    if "client-credentials" in scenario:
        issuer = await issuer_of(url)
        keys = {"client_secret": context.get("client_secret")}
        if "private_key_pem" in context:
            keys = {"private_key": context["private_key_pem"]}
        client = OAuth2(client_id=context["client_id"], issuer=issuer, resource=url, **keys)
        auth, oauth = BackendAuth(oauth2=client), None
    elif "client_id" in context:
        oauth = OAuth(client_id=context["client_id"], client_secret=context.get("client_secret"))
    http, outgoing = Direct(public_only=False), Outgoing()
    with tempfile.TemporaryDirectory() as folder:
        shared = Shared(outgoing, {"XDG_STATE_HOME": str(Path(folder))})
        authorizer = build({}, auth, oauth, shared.means("conformance", url))
        transport = await Http(url).connect(Deaf(), Means("conformance", http, authorizer))
        try:
            await Conversation(transport, authorizer, version).run()
        finally:
            await transport.aclose()
            await authorizer.aclose()
            await outgoing.aclose()
            await http.aclose()


async def issuer_of(url):
    """The operator would know it."""
    place = url.replace("/mcp", "/.well-known/oauth-protected-resource/mcp")
    async with aiohttp.ClientSession() as browser, browser.get(place) as page:
        return (await page.json())["authorization_servers"][0]


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
