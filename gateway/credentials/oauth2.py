"""`oauth2:` of a capability file: what a token is asked for with. No person has a part in it."""

from collections.abc import Callable
from typing import Literal

import msgspec
from yarl import URL

from gateway.credentials.base import Text
from gateway.credentials.oauth.documents import problem

NEEDS = {"refresh_token": ("refresh_token",), "password": ("username", "password")}
RESERVED = frozenset(  # parameters that have a key of their own, or that we make
    {
        *("grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type"),
        *("refresh_token", "username", "password", "scope", "audience", "resource"),
        *("body", "include_client_id", "code_verifier", "self"),  # the library's words
    }
)
TEXTS = (
    *("client_id", "client_secret", "refresh_token", "username", "password"),
    *("audience", "resource", "private_key", "key_id"),
)


class OAuth2(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """OAuth 2.0: a token from a token endpoint, had anew before it ends, or when it is refused."""

    grant: Literal["client_credentials", "refresh_token", "password"]
    """What the token is given for."""
    token_url: str
    """The token endpoint: https, or http to this machine. It may read `vars`."""
    client_id: str
    """As the authorization server knows us."""
    client_secret: str | None = None
    """The secret that goes with it."""
    refresh_token: str | None = None
    """Of `grant: refresh_token`: what a person's permission left behind."""
    username: str | None = None
    """Of `grant: password`."""
    password: str | None = None
    """Of `grant: password`."""
    scopes: tuple[str, ...] = ()
    """What to ask for."""
    audience: str | None = None
    """Sent as `audience`, which some servers want."""
    resource: str | None = None
    """Sent as `resource` (RFC 8707): what the token is for."""
    params: dict[str, str] = {}
    """More parameters for the token endpoint: name → value."""
    auth_method: (
        Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"] | None
    ) = None
    """How to prove who we are; by default by HTTP Basic, and without a secret not at all."""
    private_key: str | None = None
    """Of `private_key_jwt`: the key (EC or RSA) in PEM."""
    key_id: str | None = None
    """Of `private_key_jwt`: the key's id, if the server wants one."""

    def __post_init__(self) -> None:
        for grant, names in NEEDS.items():
            for name in names:
                self._check_name(grant, name)
        if self.grant == "client_credentials" and not (self.client_secret or self.private_key):
            raise ValueError("grant client_credentials needs client_secret or private_key")
        self._check_proof()
        for name in self.params:
            if name in RESERVED:
                raise ValueError(f"params cannot set {name}")

    def _check_name(self, grant: str, name: str) -> None:
        given = getattr(self, name) is not None
        if given and grant != self.grant:
            raise ValueError(f"{name} is for grant {grant}, not {self.grant}")
        if not given and grant == self.grant:
            raise ValueError(f"grant {grant} needs {name}")

    def _check_proof(self) -> None:
        if self.client_secret is not None and self.private_key is not None:
            raise ValueError("oauth2 takes either client_secret or private_key")
        if self.private_key is None and self.auth_method == "private_key_jwt":
            raise ValueError("private_key_jwt needs private_key")
        if self.private_key is not None and self.auth_method not in (None, "private_key_jwt"):
            raise ValueError(f"{self.auth_method} takes no private_key")
        if self.auth_method in ("client_secret_basic", "client_secret_post") and (
            self.client_secret is None
        ):
            raise ValueError(f"{self.auth_method} needs client_secret")

    @property
    def header_names(self) -> tuple[str, ...]:
        return ("Authorization",)

    @property
    def texts(self) -> tuple[Text, ...]:
        """`token_url` is among them: it is asked for once, and reads no secret."""
        given = [(name, getattr(self, name)) for name in TEXTS]
        return (
            Text(("token_url",), self.token_url, (), secret=False),
            *(Text((name,), text) for name, text in given if text is not None),
            *(Text(("scopes", str(at)), text) for at, text in enumerate(self.scopes)),
            *(Text(("params", name), text) for name, text in self.params.items()),
        )

    def problem(self, constant: Callable[[str], str]) -> str | None:
        """Why `token_url` cannot be used, or None. `constant` renders what reads `vars` alone."""
        reason = problem(constant(self.token_url), private=True, home=URL())
        return f"token_url cannot be used: {reason}" if reason else None
