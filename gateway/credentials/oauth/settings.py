"""`oauth:` and `auth: {oauth2: …}` of an MCP server, as frozen values; checked when they are read.

Names and defaults are those users bring from mcp-gateway. Reprs show nothing.
"""

from typing import Literal

import msgspec
from yarl import URL

from gateway.credentials.oauth.documents import problem

SECRET_METHODS = ("client_secret_basic", "client_secret_post")
LARGEST_PORT = 65_535


class OAuth2(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """OAuth 2.0 client credentials: the gateway is a client of its own, nobody is asked."""

    client_id: str
    """As the authorization server knows us."""
    client_secret: str | None = None
    """The secret that goes with it."""
    token_url: str | None = None
    """The token endpoint. Either this or `issuer`."""
    issuer: str | None = None
    """The authorization server, whose metadata tells the token endpoint."""
    scope: str | tuple[str, ...] = ""
    """What to ask for: a list, or one text with spaces."""
    audience: str | None = None
    """Sent as `audience`, which some servers want."""
    resource: str | None = None
    """Sent as `resource` (RFC 8707): what the token is for."""
    auth_method: Literal["client_secret_basic", "client_secret_post", "private_key_jwt"] | None = (
        None
    )
    """How to prove who we are; by default what the server's metadata says, else by HTTP Basic."""
    private_key: str | None = None
    """For `private_key_jwt`: the key (EC or RSA) in PEM, such as file:key.pem."""
    key_id: str | None = None
    """For `private_key_jwt`: the key's id, if the server wants one."""

    def __post_init__(self) -> None:
        if (self.token_url is None) == (self.issuer is None):
            raise ValueError("oauth2 needs either token_url or issuer")
        _url("token_url", self.token_url)
        _url("issuer", self.issuer)
        if (self.client_secret is None) == (self.private_key is None):
            raise ValueError("oauth2 needs either client_secret or private_key")
        if self.private_key is not None and self.auth_method in SECRET_METHODS:
            raise ValueError(f"{self.auth_method} needs client_secret")
        if self.private_key is None and self.auth_method == "private_key_jwt":
            raise ValueError("private_key_jwt needs private_key")
        if not self.client_id or self.client_secret == "":
            raise ValueError("client_id and client_secret must not be empty")

    @property
    def scopes(self) -> tuple[str, ...]:
        given = self.scope.split() if isinstance(self.scope, str) else self.scope
        return tuple(given)

    def __repr__(self) -> str:
        return "<OAuth2>"


class OAuth(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Interactive OAuth 2.1: a person lets the gateway in once, by a browser on its machine."""

    enabled: bool = True
    """Off, it is as if it were not here."""
    client_id: str | None = None
    """As the authorization server knows us; by default we register there, if it lets us."""
    client_secret: str | None = None
    """The secret that goes with it."""
    scopes: tuple[str, ...] = ()
    """What to ask for; by default what the server says it needs."""
    issuer: str | None = None
    """The only authorization server to believe; by default the one the server names."""
    callback_host: Literal["localhost", "127.0.0.1", "::1"] | None = None
    """Where the browser brings the answer: 127.0.0.1, but with a `client_id` localhost, as most
    apps are registered; it listens on IPv4 and IPv6."""
    callback_port: int = 0
    """The port there; 0 is any free one."""
    callback_path: str = "/oauth/callback"
    """The path there."""
    token_refresh_buffer_secs: int = 300
    """Seconds before a token's end to renew it."""
    client_metadata_url: str | None = None
    """An https URL of our own client metadata document, for servers that take one."""
    allow_private: bool = False
    """Follow the server to private addresses too. One that is at a private address may anyway."""

    def __post_init__(self) -> None:
        if self.client_secret is not None and self.client_id is None:
            raise ValueError("client_secret needs client_id")
        if self.client_id == "" or self.client_secret == "":
            raise ValueError("client_id and client_secret must not be empty")
        if not 0 <= self.callback_port <= LARGEST_PORT:
            raise ValueError("callback_port is no port number")
        if not self.callback_path.startswith("/") or set(self.callback_path) & set("?# \r\n"):
            raise ValueError("callback_path must be a path that begins with /")
        if self.token_refresh_buffer_secs < 0:
            raise ValueError("token_refresh_buffer_secs must not be negative")
        _url("issuer", self.issuer)
        document = self.client_metadata_url
        _url("client_metadata_url", document)
        if document is not None and (
            not document.startswith("https://") or URL(document).raw_path in {"", "/"}
        ):
            raise ValueError("client_metadata_url must be an https URL with a path")

    @property
    def host(self) -> str:
        return self.callback_host or ("127.0.0.1" if self.client_id is None else "localhost")

    def __repr__(self) -> str:
        return "<OAuth>"


def _url(name: str, text: str | None) -> None:
    """An operator's own URL may be private. Raises ValueError."""
    if text is None:
        return
    reason = problem(text, private=True, home=URL())
    if reason:
        raise ValueError(f"{name} cannot be used: {reason}")
