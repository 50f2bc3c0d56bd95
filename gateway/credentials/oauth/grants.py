"""What a person allowed us at one MCP server: kept, renewed in time, given up when it ends."""

import asyncio
import time
from collections.abc import Callable

import msgspec

from gateway.credentials.known import Known
from gateway.credentials.oauth.documents import Documents
from gateway.credentials.oauth.metadata import AuthorizationServer, canonical
from gateway.credentials.oauth.settings import OAuth
from gateway.credentials.oauth.single import Single
from gateway.credentials.oauth.token import Token, TokenRefused
from gateway.credentials.oauth.token_endpoint import Client, TokenEndpoint
from gateway.credentials.oauth.token_store import TokenStore
from gateway.errors import BackendUnavailable


class Grant(msgspec.Struct, frozen=True):
    """`scopes` were asked for; what came with the token may differ."""

    server: AuthorizationServer
    client: Client
    resource: str
    scopes: frozenset[str]
    token: Token

    def __repr__(self) -> str:
        return f"<Grant {self.server.issuer}>"


class Grants:
    """The grant for the server at `url`; other processes may change it in the store."""

    def __init__(
        self,
        url: str,
        settings: OAuth,
        documents: Documents,
        store: TokenStore,
        known: Known,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._key = f"grant {canonical(url)}"
        self._settings = settings
        self._documents = documents
        self._store = store
        self._known = known
        self._clock = clock
        self._grant: Grant | None = None
        self._renewing: Single[Grant | None] = Single()

    @property
    def current(self) -> Grant | None:
        """Looked up in the store while there is none."""
        return self._grant or self.reread()

    async def live(self) -> Grant | None:
        """One to show now, renewed if it is time. None: only a person can help.

        Raises TokenRefused when it could not be renewed for good, BackendUnavailable when it has
        ended and the authorization server does not answer.
        """
        grant, now = self.current, self._clock()
        if grant is None:
            return None
        if not grant.token.due(now, float(self._settings.token_refresh_buffer_secs)):
            return grant
        if grant.token.refresh is None:
            return None if grant.token.expired(now) else grant
        try:
            return await self.renewed(grant)
        except TokenRefused:
            raise
        except BackendUnavailable:
            if grant.token.expired(now):
                raise
            return grant  # it is good for a while yet

    async def renewed(self, old: Grant) -> Grant | None:
        """In place of `old`, by its refresh token. None: there is none.

        Raises TokenRefused, and then the grant is gone; BackendUnavailable when the authorization
        server does not answer.
        """
        return await self._renewing.run(lambda: self._renew(old))

    async def keep(self, grant: Grant) -> None:
        self._grant = grant
        self._tell()
        await asyncio.to_thread(self._store.put, self._key, grant)

    def drop(self, grant: Grant) -> None:
        """It is worth nothing any more."""
        if self._grant is grant:
            self._grant = None
            self._store.drop(self._key)

    def reread(self) -> Grant | None:
        """What the store has, if it is for the client and issuer that are configured."""
        settings, grant = self._settings, self._store.get(self._key, Grant)
        if grant is None or settings.client_id not in {None, grant.client.id}:
            return None
        if settings.issuer not in {None, grant.server.issuer}:
            return None
        self._grant = grant
        self._tell()
        return grant

    async def aclose(self) -> None:
        await self._renewing.aclose()

    def endpoint(self, server: AuthorizationServer, client: Client) -> TokenEndpoint:
        return TokenEndpoint(
            self._documents, server.token_endpoint, server.issuer, client, self._clock
        )

    async def _renew(self, old: Grant) -> Grant | None:
        grant = self.reread() or old
        if grant.token.access != old.token.access:
            return grant  # another process was here first
        if old.token.refresh is None:
            return None
        try:
            token = await self.endpoint(old.server, old.client).ask(
                "refresh_token", refresh_token=old.token.refresh, resource=old.resource
            )
        except TokenRefused:
            self.drop(grant)
            raise
        new = msgspec.structs.replace(
            token,
            refresh=token.refresh or old.token.refresh,  # it may change with every use
            scopes=old.token.scopes if token.scopes is None else token.scopes,
        )
        made = msgspec.structs.replace(old, token=new)
        await self.keep(made)
        return made

    def _tell(self) -> None:
        own = [self._settings.client_secret]
        if self._grant is not None:
            token = self._grant.token
            own += [self._grant.client.secret, token.access, token.refresh]
        self._known.hold(own)
