"""What an OAuth client is told about whom to ask for a token: RFC 9728 and RFC 6750. Pure."""

from collections.abc import Mapping

from gateway.auth.access import Why
from gateway.auth.expected import Expected

WELL_KNOWN = "/.well-known/oauth-protected-resource"
DOTS = 2  # of a signed token in its compact form (RFC 7515 section 7.1)


def challenge(expected: Expected | None, origin: str, why: Why) -> str:
    """The `WWW-Authenticate` of a refusal. It always leads to the metadata of `/mcp`, so that no
    path is told from another.
    """
    parts = []
    if expected is not None:
        place = _origin(expected, origin)
        parts.append(f'resource_metadata="{place}{WELL_KNOWN}/mcp"')
        if expected.scopes:
            parts.append(f'scope="{" ".join(expected.scopes)}"')
    if why:
        parts.append(f'error="{why}"')
    return f"Bearer {', '.join(parts)}" if parts else "Bearer"


def metadata(expected: Expected, origin: str, path: str) -> Mapping[str, object]:
    """Of the MCP URL at `path` of `origin`."""
    found: dict[str, object] = {
        "resource": _origin(expected, origin) + path,
        "authorization_servers": [expected.issuer],
        "bearer_methods_supported": ["header"],
    }
    if expected.scopes:
        found["scopes_supported"] = list(expected.scopes)
    return found


def _origin(expected: Expected, origin: str) -> str:
    """An audience that names the same host knows better than we whether it is HTTPS."""
    _, _, host = origin.partition("://")
    for audience in expected.audiences:
        scheme, found, rest = audience.partition("://")
        if found and rest.partition("/")[0].lower() == host.lower():
            return f"{scheme}://{host}"
    return origin
