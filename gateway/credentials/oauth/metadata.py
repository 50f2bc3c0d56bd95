"""What OAuth servers publish about themselves: where it lies, and what of it we believe.

RFC 9728 (protected resource), RFC 8414 and OpenID Connect Discovery (authorization server), in the
order of the MCP specification. Pure.
"""

from typing import Any, TypeVar

import msgspec
from yarl import URL

PROTECTED_RESOURCE = "/.well-known/oauth-protected-resource"
AUTHORIZATION_SERVER = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"
MOST = 64  # entries of a list that are read


class ProtectedResource(msgspec.Struct, frozen=True):
    """RFC 9728 section 2."""

    resource: str
    authorization_servers: tuple[str, ...] = ()
    scopes_supported: tuple[str, ...] | None = None


class AuthorizationServer(msgspec.Struct, frozen=True):
    """RFC 8414 section 2. Endpoints are not checked yet: `Documents.check`."""

    issuer: str
    token_endpoint: str
    authorization_endpoint: str | None = None
    registration_endpoint: str | None = None
    scopes_supported: tuple[str, ...] = ()
    token_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    code_challenge_methods_supported: tuple[str, ...] | None = None
    client_id_metadata_document_supported: bool = False
    authorization_response_iss_parameter_supported: bool = False


Published = TypeVar("Published", ProtectedResource, AuthorizationServer)


def resource_urls(server: str) -> list[str]:
    """Where an MCP server's metadata may lie when it does not say: at its path, at the root."""
    url = URL(server)
    root = str(url.origin()) + PROTECTED_RESOURCE
    path = url.raw_path.rstrip("/")
    return [root + path, root] if path else [root]


def server_urls(issuer: str) -> list[str]:
    """Where an authorization server's metadata may lie (RFC 8414 sections 3.1 and 5)."""
    url = URL(issuer)
    root = str(url.origin())
    path = url.raw_path.rstrip("/")
    if not path:
        return [root + AUTHORIZATION_SERVER, root + OPENID]
    return [root + AUTHORIZATION_SERVER + path, root + OPENID + path, root + path + OPENID]


def default_server(server: str) -> AuthorizationServer:
    """Of 2025-03-26: an MCP server without any metadata is its own, at these paths."""
    root = str(URL(server).origin())
    return AuthorizationServer(
        issuer=root,
        token_endpoint=f"{root}/token",
        authorization_endpoint=f"{root}/authorize",
        registration_endpoint=f"{root}/register",
        code_challenge_methods_supported=("S256",),
    )


def protected_resource(document: dict[str, Any]) -> ProtectedResource | None:
    """None for what is no such document."""
    try:
        found = _read(document, ProtectedResource)
    except msgspec.ValidationError:
        return None
    return msgspec.structs.replace(found, authorization_servers=found.authorization_servers[:MOST])


def authorization_server(document: dict[str, Any]) -> AuthorizationServer | None:
    """None for what is no such document."""
    try:
        return _read(document, AuthorizationServer)
    except msgspec.ValidationError:
        return None


def canonical(server: str) -> str:
    """An MCP server's URL as the resource a token is for (RFC 8707): no query, no slash alone."""
    url = URL(server).with_query(None).with_fragment(None)
    if url.scheme in {"ws", "wss"}:
        url = url.with_scheme("https" if url.scheme == "wss" else "http")
    text = str(url)
    return text.rstrip("/") if url.raw_path == "/" else text


def covers(resource: str, server: str) -> bool:
    """Whether `resource` is the server, or its origin, or a path above it: never another's."""
    try:
        wide, narrow = URL(resource), URL(canonical(server))
        if wide.origin() != narrow.origin() or wide.raw_query_string or wide.raw_fragment:
            return False
    except ValueError:
        return False
    above = wide.raw_path.rstrip("/")
    return narrow.raw_path.rstrip("/") == above or narrow.raw_path.startswith(f"{above}/")


def same_issuer(told: str, asked: str) -> bool:
    """RFC 8414 section 3.3: identical. An empty path may be written as `/` or not."""
    return told == asked or _slashed(told) == _slashed(asked)


def _read(document: dict[str, Any], kind: type[Published]) -> Published:
    """Null is as good as absent."""
    return msgspec.convert({k: v for k, v in document.items() if v is not None}, kind)


def _slashed(issuer: str) -> str:
    scheme, mark, rest = issuer.partition("://")
    return f"{scheme}{mark}{rest}/" if mark and "/" not in rest else issuer
