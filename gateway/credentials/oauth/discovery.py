"""From an MCP server's refusal to the authorization server it trusts, as the MCP revisions say.

Protected-resource metadata first (2025-06-18 and later); an MCP server without any is its own
authorization server, with or without metadata (2025-03-26).
"""

from dataclasses import dataclass

import msgspec

from gateway.credentials.oauth.challenge import Wanted
from gateway.credentials.oauth.documents import Distrusted, Documents
from gateway.credentials.oauth.metadata import (
    AuthorizationServer,
    ProtectedResource,
    authorization_server,
    canonical,
    covers,
    default_server,
    protected_resource,
    resource_urls,
    same_issuer,
    server_urls,
)

PKCE = "S256"


@dataclass(frozen=True, slots=True)
class Found:
    """`resource` is what tokens are asked for (RFC 8707); `scopes` those it lists, None: none."""

    server: AuthorizationServer
    resource: str
    scopes: tuple[str, ...] | None = None


class Discovery:
    """For the MCP server at `url`. `issuer`: the only authorization server that is believed."""

    def __init__(self, documents: Documents, url: str, issuer: str | None = None) -> None:
        self._documents = documents
        self._url = canonical(url)
        self._issuer = issuer

    async def find(self, wanted: Wanted) -> Found:
        """Raises Distrusted for what is not to be trusted, BackendUnavailable for what fails."""
        published = await self._published(wanted)
        if published is None:
            server = await self._own()
            return Found(self._fit(server), self._url)
        if not covers(published.resource, self._url):
            raise Distrusted(
                "the server's OAuth metadata is about another resource than the server"
            )
        server = await self.server(self._chosen(published))
        return Found(self._fit(server), published.resource, published.scopes_supported)

    async def server(self, issuer: str) -> AuthorizationServer:
        """The metadata of one authorization server. Raises as `find`."""
        self._documents.check(issuer, "the authorization server")
        for url in server_urls(issuer):
            document = await self._documents.get(url, "the authorization server's metadata")
            found = authorization_server(document) if document is not None else None
            if found is None:
                continue
            if not same_issuer(found.issuer, issuer):
                raise Distrusted("the authorization server's metadata names another issuer than it")
            return found
        raise Distrusted("the authorization server publishes no metadata")

    async def _published(self, wanted: Wanted) -> ProtectedResource | None:
        what = "the server's OAuth metadata"
        if wanted.resource_metadata is not None:
            document = await self._documents.get(wanted.resource_metadata, what)
            found = protected_resource(document) if document is not None else None
            if found is None:
                raise Distrusted(f"{what} is not where the server says")
            return found
        for url in resource_urls(self._url):
            document = await self._documents.get(url, what)
            if document is not None and (found := protected_resource(document)) is not None:
                return found
        return None

    def _chosen(self, published: ProtectedResource) -> str:
        offered = published.authorization_servers
        if not offered:
            raise Distrusted("the server's OAuth metadata names no authorization server")
        if self._issuer is None:
            return offered[0]
        for issuer in offered:
            if same_issuer(issuer, self._issuer):
                return issuer
        raise Distrusted(
            "the server trusts another authorization server than the configured issuer",
            hint="the operator of the gateway mends oauth.issuer, if that is meant",
        )

    async def _own(self) -> AuthorizationServer:
        """Of 2025-03-26: the MCP server's origin is the authorization server."""
        default = default_server(self._url)
        if self._issuer is not None and not same_issuer(default.issuer, self._issuer):
            return await self.server(self._issuer)
        for url in server_urls(default.issuer):
            document = await self._documents.get(url, "the authorization server's metadata")
            found = authorization_server(document) if document is not None else None
            if found is not None:
                if not same_issuer(found.issuer, default.issuer):
                    raise Distrusted("the server's metadata names another issuer than it")
                return found
        return default

    def _fit(self, server: AuthorizationServer) -> AuthorizationServer:
        """Able to do what we insist on. Raises Distrusted."""
        if PKCE not in (server.code_challenge_methods_supported or ()):
            raise Distrusted(
                "the authorization server does not say that it supports PKCE with S256"
            )
        if server.authorization_endpoint is None:
            raise Distrusted("the authorization server has no authorization endpoint")
        page = self._documents.check(server.authorization_endpoint, "the authorization endpoint")
        self._documents.check(server.token_endpoint, "the token endpoint")
        return msgspec.structs.replace(server, authorization_endpoint=str(page))
