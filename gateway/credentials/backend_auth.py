"""`auth:` of an MCP server: the union of all kinds, and the authorizer that comes of the settings.

A new kind is one field and a line in `build`. Reprs show nothing: the texts are secrets.
"""

from collections.abc import Mapping

import msgspec

from gateway.credentials import fixed
from gateway.credentials.authorizer import Authorizer
from gateway.credentials.means import AuthMeans
from gateway.credentials.oauth.settings import OAuth, OAuth2
from gateway.errors import ConfigError


class Basic(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """RFC 7617."""

    username: str
    password: str

    def __post_init__(self) -> None:
        if ":" in self.username:
            raise ValueError("the username of basic cannot hold a colon")

    def __repr__(self) -> str:
        return "<Basic>"


class ApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A key, in a header or in the URL's query."""

    value: str
    header: str | None = None
    """The header's name, such as X-Api-Key."""
    query: str | None = None
    """The query parameter's name; a header is better where there is the choice."""

    def __post_init__(self) -> None:
        if bool(self.header) == bool(self.query):
            raise ValueError("api_key needs either header or query")
        if not self.value:
            raise ValueError("api_key needs a value")

    def __repr__(self) -> str:
        return "<ApiKey>"


class BackendAuth(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the gateway shows to the server: exactly one of these."""

    bearer: str | None = None
    """A token, sent as `Authorization: Bearer …`."""
    basic: Basic | None = None
    """User and password, sent as `Authorization: Basic …`."""
    api_key: ApiKey | None = None
    """A key in a header or in the query."""
    oauth2: OAuth2 | None = None
    """OAuth 2.0 client credentials: the gateway gets tokens by itself."""

    def __post_init__(self) -> None:
        given = [name for name in self.__struct_fields__ if getattr(self, name) is not None]
        if len(given) != 1:
            kinds = ", ".join(self.__struct_fields__)
            raise ValueError(
                f"auth needs exactly one of {kinds}; it has {', '.join(given) or 'none'}"
            )
        for name, value in self.headers.items():
            problem = fixed.header_problem(name, value)
            if problem:
                raise ValueError(problem)

    @property
    def headers(self) -> dict[str, str]:
        """Those that are always the same."""
        if self.bearer is not None:
            return fixed.bearer(self.bearer)
        if self.basic is not None:
            return fixed.basic(self.basic.username, self.basic.password)
        if self.api_key is not None and self.api_key.header:
            return {self.api_key.header: self.api_key.value}
        return {}

    @property
    def query(self) -> dict[str, str]:
        if self.api_key is not None and self.api_key.query:
            return {self.api_key.query: self.api_key.value}
        return {}

    @property
    def header_names(self) -> tuple[str, ...]:
        """The headers this sets, which `headers:` must not set too."""
        return ("Authorization",) if self.oauth2 is not None else tuple(self.headers)

    def __repr__(self) -> str:
        return "<BackendAuth>"


def problem(
    headers: Mapping[str, str], auth: BackendAuth | None, oauth: OAuth | None
) -> str | None:
    """What is wrong with the three together, or None. Shows no value."""
    if auth is not None and oauth is not None and oauth.enabled:
        return "has auth and oauth: a server takes one of them"
    taken = {name.lower() for name in (auth.header_names if auth is not None else ())}
    if oauth is not None and oauth.enabled:
        taken.add("authorization")
    for name, value in headers.items():
        found = fixed.header_problem(name, value)
        if found:
            return found
        if name.lower() in taken:
            return f"{name} is set by auth or oauth already"
    return None


def build(
    headers: Mapping[str, str], auth: BackendAuth | None, oauth: OAuth | None, means: AuthMeans
) -> Authorizer:
    """For settings without a `problem`. Close it with the backend."""
    given = dict(headers)
    query: dict[str, str] = {}
    inner: Authorizer | None = None
    if oauth is not None and oauth.enabled:
        inner = _interactive(oauth, means)
    elif auth is not None and auth.oauth2 is not None:
        inner = _client_credentials(auth.oauth2, means)
    elif auth is not None:
        given.update(auth.headers)
        query = auth.query
    if inner is not None and not given:
        return inner
    about = "auth" if auth is not None else "headers" if given else None
    return fixed.Fixed(given, about, means.learner, query=query, inner=inner)


def _interactive(settings: OAuth, means: AuthMeans) -> Authorizer:
    from gateway.credentials.oauth.interactive import Interactive  # noqa: PLC0415  100 ms to load

    try:
        return Interactive(settings, means)
    except ConfigError as error:  # the store's key: it costs the backends that need the store
        return fixed.Unable(error)


def _client_credentials(settings: OAuth2, means: AuthMeans) -> Authorizer:
    from gateway.credentials.oauth.client_credentials import (  # noqa: PLC0415  100 ms to load
        ClientCredentials,
    )

    return ClientCredentials(settings, means.tokens())
