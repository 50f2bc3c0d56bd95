"""OAuth 2.0 client credentials of one MCP server: what is shown to it."""

from collections.abc import Mapping

from gateway.credentials.base import Pairs
from gateway.credentials.fixed import bearer
from gateway.credentials.oauth.settings import OAuth2
from gateway.credentials.oauth.shared_token import Tokens, Wanted
from gateway.errors import BackendUnavailable

REFUSED = 401


class ClientCredentials:
    """The authorizer of one backend."""

    def __init__(self, settings: OAuth2, tokens: Tokens) -> None:
        self._tokens = tokens
        self._shared = tokens.take(wanted(settings))
        self._left = False

    async def headers(self) -> Pairs:
        token = await self._shared.get()
        return tuple(bearer(token.access).items())

    def query(self) -> Pairs:
        return ()

    async def challenged(self, status: int, headers: Mapping[str, str], shown: Pairs = ()) -> bool:
        if status != REFUSED:
            return False
        access = dict(shown).get("Authorization", "").removeprefix("Bearer ")
        if self._shared.refused(access):
            return True
        raise BackendUnavailable(
            f"the server refuses the token that {self._shared.issuer} just gave (HTTP 401)",
            hint="the operator of the gateway sees to scope, audience and resource of auth.oauth2",
        )

    async def aclose(self) -> None:
        if not self._left:
            self._left = True
            await self._tokens.leave(self._shared)

    def __repr__(self) -> str:
        return f"<ClientCredentials {self._shared.issuer}>"


def wanted(settings: OAuth2) -> Wanted:
    return Wanted(
        settings.client_id,
        client_secret=settings.client_secret,
        token_url=settings.token_url,
        issuer=settings.issuer,
        scopes=settings.scopes,
        audience=settings.audience,
        resource=settings.resource,
        auth_method=settings.auth_method,
        private_key=settings.private_key,
        key_id=settings.key_id,
    )
