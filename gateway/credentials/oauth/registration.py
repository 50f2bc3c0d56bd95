"""Who we are to an authorization server: configured, a document of our own, or registered there.

That is the order of the MCP specification; dynamic registration is RFC 7591. What we are to one
server we never are to another.
"""

import time
from collections.abc import Callable

import msgspec

from gateway.credentials.oauth.documents import JSON, Distrusted, Documents, json_object
from gateway.credentials.oauth.metadata import AuthorizationServer
from gateway.credentials.oauth.token_endpoint import Client, Method, method_for
from gateway.credentials.oauth.token_store import TokenStore
from gateway.errors import BackendUnavailable

NAME = "capgate"
CREATED = (200, 201)
CERTAIN = 86_400.0  # seconds
METHODS: tuple[Method, ...] = ("none", "client_secret_basic", "client_secret_post")


class Registered(msgspec.Struct, frozen=True):
    """As registered with one issuer, for one redirect URI and some scopes.

    `made_at` and `expires_at` are of the wall clock.
    """

    client: Client
    redirect_uri: str
    made_at: float
    scopes: frozenset[str] = frozenset()
    expires_at: float | None = None


class Registration:
    """`configured`: as the operator registered us; `document`: URL of our metadata document."""

    def __init__(
        self,
        documents: Documents,
        store: TokenStore,
        configured: Client | None,
        document: str | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._documents = documents
        self._store = store
        self._configured = configured
        self._document = document
        self._clock = clock

    def redirect_uri(self, server: AuthorizationServer) -> str | None:
        """The redirect URI we are registered with there, if it must be that one."""
        known = self._known(server) if self._by_registering(server) else None
        return known.redirect_uri if known else None

    async def client(
        self, server: AuthorizationServer, redirect_uri: str, scopes: frozenset[str]
    ) -> Client:
        """Raises Distrusted when there is no way to be somebody there.

        `scopes` are all that may be asked for: some servers allow no others than the registered.
        """
        if self._configured is not None:
            supported = server.token_endpoint_auth_methods_supported
            if self._configured.method != "none":
                return self._configured
            method = method_for(supported, self._configured)
            return msgspec.structs.replace(self._configured, method=method)
        if not self._by_registering(server):
            return Client(self._document or "")
        known = self._known(server)
        if known is not None:
            if known.redirect_uri == redirect_uri and scopes <= known.scopes:
                return known.client
            scopes |= known.scopes
        made = await self._register(server, redirect_uri, scopes)
        self._store.put(_key(server.issuer), made)
        return made.client

    def forget(self, issuer: str) -> None:
        """It no longer knows us: `invalid_client`."""
        self._store.drop(_key(issuer))

    def doubt(self, issuer: str) -> None:
        """It perhaps no longer knows us; whom it knew yesterday it need not know today."""
        known = self._store.get(_key(issuer), Registered)
        if known is not None and self._clock() - known.made_at > CERTAIN:
            self.forget(issuer)

    def _by_registering(self, server: AuthorizationServer) -> bool:
        if self._configured is not None:
            return False
        return self._document is None or not server.client_id_metadata_document_supported

    def _known(self, server: AuthorizationServer) -> Registered | None:
        known = self._store.get(_key(server.issuer), Registered)
        if known and known.expires_at is not None and known.expires_at <= self._clock():
            return None
        return known

    async def _register(
        self, server: AuthorizationServer, redirect_uri: str, scopes: frozenset[str]
    ) -> Registered:
        if server.registration_endpoint is None:
            raise Distrusted(
                "the authorization server lets nobody register",
                hint="the operator registers the gateway there and sets oauth.client_id, or,"
                " where the server takes a key, its headers",
            )
        asked = {
            "client_name": NAME,
            "application_type": "native",
            "redirect_uris": [redirect_uri],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": _preferred(server),
            **({"scope": " ".join(sorted(scopes))} if scopes else {}),
        }
        answer = await self._documents.post(
            server.registration_endpoint,
            "the registration endpoint",
            msgspec.json.encode(asked),
            JSON,
        )
        told = json_object(answer.body)
        client = _read(told or {}, server) if answer.status in CREATED else None
        if told is None or client is None:
            raise BackendUnavailable(
                f"{server.issuer} did not register us: HTTP {answer.status}",
                hint="the operator registers the gateway there, and sets oauth.client_id",
            )
        end = told.get("client_secret_expires_at")
        until = end if isinstance(end, int) and end > 0 else None
        return Registered(client, redirect_uri, self._clock(), scopes, until)


def _preferred(server: AuthorizationServer) -> Method:
    """A program on somebody's machine keeps no secret, so none where that is allowed."""
    supported = server.token_endpoint_auth_methods_supported
    if supported is None:
        return "none"
    for method in METHODS:
        if method in supported:
            return method
    return "none"


def _read(told: dict[str, object], server: AuthorizationServer) -> Client | None:
    name, secret = told.get("client_id"), told.get("client_secret")
    if not isinstance(name, str) or not name:
        return None
    client = Client(name, secret if isinstance(secret, str) and secret else None)
    told_method = told.get("token_endpoint_auth_method")
    for method in METHODS:
        if method == told_method and (method == "none" or client.secret):
            return msgspec.structs.replace(client, method=method)
    method = method_for(server.token_endpoint_auth_methods_supported, client)
    return msgspec.structs.replace(client, method=method)


def _key(issuer: str) -> str:
    return f"client {issuer}"
