"""`auth:` of gateway.yaml as frozen values: who may come in, and by what. Keys never show.

Names and defaults are those users bring from mcp-gateway; `jwt`, `agents`, `team` and `org` are
ours. The text below a field is what an editor shows.
"""

from typing import Annotated, Literal

from msgspec import Meta

from gateway.capability.file.model import Duration, Strict, Text

AUTO = "auto"

KeyName = Annotated[
    str,
    Meta(
        pattern=r"^[^\x00-\x1f:]{1,64}$",
        extra={"hint": "at most 64 characters, without a colon; logs and audit show it"},
    ),
]
Path = Annotated[str, Meta(pattern=r"^/", extra={"hint": "a path, such as /health"})]
KeyLevel = Literal["read", "execute", "admin"]


class ClientKey(Strict, frozen=True):
    """One client: what it shows, and what that lets it do. No policy can give it more."""

    key: Text
    """What the client sends as `Authorization: Bearer …`: env:NAME, file:PATH, the key itself, or
    sha256: and 64 hexadecimal digits, so that the key stands nowhere."""
    name: KeyName
    """What the client is called in policies, logs, metrics and audit."""
    team: Text | None = None
    """Its team; policies may speak of it."""
    org: Text | None = None
    """Its organisation; policies may speak of it."""
    level: KeyLevel = "execute"
    """The most it may do: `read` sees definitions, `execute` calls, `admin` sees metrics too."""
    rate_limit: Annotated[int, Meta(ge=0)] = 0
    """Requests a minute; 0: as many as it likes."""
    backends: tuple[Text, ...] = ()
    """Globs of the servers it may use; empty: all."""
    allowed_tools: tuple[Text, ...] = ()
    """Globs of the tools it may use, by name or as server:tool; empty: all."""
    denied_tools: tuple[Text, ...] = ()
    """Globs of tools it may not use, whatever else is said."""
    agents: tuple[Text, ...] = ()
    """Globs of the agents as which it may act, where agents have rules; empty: none."""

    def __repr__(self) -> str:
        return f"<ClientKey {self.name!r}>"


class Claims(Strict, frozen=True):
    """Which claims of a token say what of its caller. A dot leads into an object."""

    name: Text = "sub"
    """Who it is."""
    team: Text = "team"
    """Its team."""
    org: Text = "org"
    """Its organisation."""
    agents: Text = "agents"
    """A list of globs: the agents as which it may act."""


class Jwt(Strict, frozen=True):
    """Tokens that somebody else issues: an OAuth authorization server."""

    issuer: Text
    """The `iss` of its tokens, to the letter."""
    audience: Text | tuple[Text, ...]
    """What `aud` has to name: this gateway, most often by its URL; others' tokens are refused."""
    jwks_url: Text | None = None
    """Where its keys are; by default what its metadata says (RFC 8414, OpenID Connect
    Discovery)."""
    algorithms: tuple[
        Literal[
            "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
        ],
        ...,
    ] = ("RS256", "PS256", "ES256", "EdDSA")
    """How tokens may be signed."""
    clock_skew: Duration = "30s"
    """By how much the two clocks may differ."""
    scopes: tuple[Text, ...] = ()
    """Scopes that a token must have, all of them."""
    claims: Claims = Claims()
    """Which claims say what."""
    level: KeyLevel = "execute"
    """The most that a token lets one do."""
    rate_limit: Annotated[int, Meta(ge=0)] = 0
    """Requests a minute of each caller; 0: as many as it likes."""


class Auth(Strict, frozen=True):
    """Who may come in. On loopback addresses nobody is asked unless this says so."""

    enabled: bool = False
    """Ask every client who it is."""
    bearer_token: Text | None = None
    """One token that may do everything: `auto` makes one up at each start and logs it once; or
    env:NAME, file:PATH, the token itself, or sha256: and its digest."""
    api_keys: tuple[ClientKey, ...] = ()
    """Clients, each with its own key."""
    jwt: Jwt | None = None
    """Tokens that somebody else issues."""
    public_paths: tuple[Path, ...] = ("/health",)
    """Paths that need no key, each to the letter. /health, which tells strangers its status alone,
    /livez and /readyz never do."""

    def __repr__(self) -> str:
        return f"<Auth enabled={self.enabled} {len(self.api_keys)} keys>"
