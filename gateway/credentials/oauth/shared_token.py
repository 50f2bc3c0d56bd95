"""Tokens had without a person: what they are asked for with, kept, renewed and shared."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Literal

import msgspec
from yarl import URL

from gateway.credentials.known import Known
from gateway.credentials.oauth.discovery import Discovery
from gateway.credentials.oauth.documents import Documents, Http
from gateway.credentials.oauth.single import Single
from gateway.credentials.oauth.token import Token, TokenRefused
from gateway.credentials.oauth.token_endpoint import Client, Method, TokenEndpoint, method_for
from gateway.credentials.oauth.token_store import TokenStore
from gateway.credentials.secret import Learner
from gateway.errors import BackendUnavailable, ConfigError

EARLY = 30.0  # seconds before its end, or a tenth of its life, to renew a token
SHARE = 0.1
FRESH = 30.0  # seconds in which only one token that is refused is asked for anew
MEANT = (
    "if that is a private address and meant, the operator names the address itself in token_url, "
    "or sets allow_private: true in capabilities:"
)
PASSING = ("temporarily_unavailable", "server_error", "slow_down")  # may be otherwise at once
WORN_OUT = "invalid_grant"  # RFC 6749 section 5.2: this refresh token or password is no good

GrantType = Literal["client_credentials", "refresh_token", "password"]
Try = tuple[str, dict[str, str | None]]  # a grant type, and what it takes


class Wanted(msgspec.Struct, frozen=True):
    """All that makes one token another than the next. Either `token_url` or `issuer` is set.

    `private`: whether the server may be at an address that is not public; None: this is known to
    be an operator's own URL.
    """

    client_id: str
    grant: GrantType = "client_credentials"
    client_secret: str | None = None
    token_url: str | None = None
    issuer: str | None = None
    refresh_token: str | None = None
    username: str | None = None
    password: str | None = None
    scopes: tuple[str, ...] = ()
    audience: str | None = None
    resource: str | None = None
    params: tuple[tuple[str, str], ...] = ()
    auth_method: Method | None = None
    private_key: str | None = None
    key_id: str | None = None
    private: bool | None = None

    @property
    def key(self) -> str:
        """Equal ones, secrets included, share a token; nothing can be read out of it."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()

    @property
    def secrets(self) -> tuple[str | None, ...]:
        return self.client_secret, self.private_key, self.password, self.refresh_token

    def __repr__(self) -> str:
        return "<Wanted>"


class Tokens:
    """One for the process: who asks for the same as the same client shares the token.

    `store` keeps refresh tokens that a server has put in the place of the operator's.
    """

    def __init__(
        self,
        http: Http,
        learner: Learner | None = None,
        clock: Callable[[], float] = time.time,
        store: Callable[[], TokenStore] | None = None,
    ) -> None:
        self._http = http
        self._learner = learner
        self._clock = clock
        self._store = store
        self._all: dict[str, SharedToken] = {}

    def take(self, wanted: Wanted) -> "SharedToken":
        """Give it back with `leave`."""
        key = wanted.key
        shared = self._all.get(key)
        if shared is None:
            kept = Kept(wanted, self._store)
            shared = SharedToken(wanted, self._http, self._learner, self._clock, kept)
            self._all[key] = shared
        shared.users += 1
        return shared

    async def leave(self, shared: "SharedToken") -> None:
        shared.users -= 1
        if not shared.users:
            for key in [key for key, one in self._all.items() if one is shared]:
                del self._all[key]
            await shared.aclose()

    def __repr__(self) -> str:
        return f"<Tokens {len(self._all)}>"


class Kept:
    """The newest refresh token, where servers give another one with every use.

    That in the place of the operator's outlives a restart: the operator's is worth nothing any
    more. It is kept under a digest of his, so that a new one of his counts at once.
    """

    def __init__(self, wanted: Wanted, store: Callable[[], TokenStore] | None) -> None:
        own = wanted.refresh_token
        self._store = store if own is not None else None
        told = f"{wanted.token_url}\n{wanted.client_id}\n{own}"
        self._key = f"refresh {hashlib.sha256(told.encode()).hexdigest()}"
        self._own = own
        self.newest: str | None = None

    async def read(self) -> str | None:
        """Another process may have been here. Raises BackendUnavailable for a broken store."""
        store = self._opened()
        if store is not None:
            self.newest = await asyncio.to_thread(store.get, self._key, str) or self.newest
        return self.newest

    async def put(self, token: str) -> None:
        if token in (self.newest, self._own if self.newest is None else None):
            return
        self.newest = token
        store = self._opened()
        if store is not None:
            await asyncio.to_thread(store.put, self._key, token)

    def drop(self) -> None:
        self.newest = None
        store = self._opened()
        if store is not None:
            store.drop(self._key)

    def _opened(self) -> TokenStore | None:
        try:
            return None if self._store is None else self._store()
        except ConfigError as error:
            raise BackendUnavailable(str(error), hint=error.hint) from None


class SharedToken:
    """The token of one client at one server for one purpose."""

    def __init__(
        self,
        wanted: Wanted,
        http: Http,
        learner: Learner | None,
        clock: Callable[[], float],
        kept: Kept,
    ) -> None:
        self.users = 0
        self._wanted = wanted
        self._clock = clock
        self._kept = kept
        home = wanted.token_url or wanted.issuer or ""
        self._documents = Documents(http, home)
        if wanted.private is not None:
            self._documents = Documents(http, "", private=wanted.private, meant=MEANT)
        self._issuer = wanted.issuer or str(URL(home).origin())
        self._known = Known(learner)
        self._known.hold(wanted.secrets)
        self._token: Token | None = None
        self._dropped_at = float("-inf")
        self._no: tuple[float, TokenRefused] | None = None
        self._getting: Single[Token] = Single()

    async def get(self) -> Token:
        """A live one. Raises BackendUnavailable when none can be had."""
        token, now = self._token, self._clock()
        if token is not None and not self._due(token, now):
            return token
        try:
            return await self._getting.run(self._fetch)
        except BackendUnavailable:
            if token is None or token.expired(now):
                raise
            return token  # it is good for a while yet

    def refused(self, access: str) -> bool:
        """A server took it not; whether asking for another one makes sense."""
        token = self._token
        if token is None or token.access != access:
            return True
        now = self._clock()
        if 0 <= now - self._dropped_at < FRESH:  # else the clock was set back
            return False  # so is the one that was asked for in its place
        self._token, self._dropped_at = None, now
        return True

    async def aclose(self) -> None:
        await self._getting.aclose()
        self._known.release()

    @property
    def issuer(self) -> str:
        return self._issuer

    def _due(self, token: Token, now: float) -> bool:
        life = (token.expires_at or now) - token.got_at
        return token.due(now, max(EARLY, SHARE * life))

    async def _fetch(self) -> Token:
        """Who was refused for good does not ask again at once: accounts are locked for less."""
        no = self._no
        if no is not None and 0 <= self._clock() - no[0] < FRESH:
            raise no[1].again()
        self._no = None
        try:
            return await self._fetched()
        except TokenRefused as error:
            if error.error not in PASSING:
                self._no = self._clock(), error
            raise

    async def _fetched(self) -> Token:
        wanted, newest = self._wanted, None
        if wanted.grant != "client_credentials":
            newest = await self._kept.read()
        token = await self._granted(await self._endpoint(), list(_tries(wanted, newest)))
        self._known.hold([*wanted.secrets, token.access, token.refresh, newest])
        self._token = token
        if token.refresh is not None and wanted.grant != "client_credentials":
            await self._kept.put(token.refresh)
        return token

    async def _granted(self, endpoint: TokenEndpoint, tries: list[Try]) -> Token:
        wanted = self._wanted
        common: dict[str, str | None] = {
            "scope": " ".join(wanted.scopes),
            "audience": wanted.audience,
            "resource": wanted.resource,
            **dict(wanted.params),
        }
        for grant, params in tries[:-1]:
            try:
                return await endpoint.ask(grant, **common, **params)
            except TokenRefused as error:
                if error.error != WORN_OUT:
                    raise
                self._kept.drop()  # what the operator gave may be good all the same
        grant, params = tries[-1]
        return await endpoint.ask(grant, **common, **params)

    async def _endpoint(self) -> TokenEndpoint:
        wanted, url, supported = self._wanted, self._wanted.token_url, None
        if url is None:
            server = await Discovery(self._documents, self._issuer).server(self._issuer)
            url, supported = server.token_endpoint, server.token_endpoint_auth_methods_supported
        client = Client(
            wanted.client_id,
            wanted.client_secret,
            private_key=wanted.private_key,
            key_id=wanted.key_id,
        )
        method = wanted.auth_method or method_for(supported, client)
        client = msgspec.structs.replace(client, method=method)
        audience = self._issuer if wanted.issuer else url
        return TokenEndpoint(self._documents, url, audience, client, self._clock)


def _tries(wanted: Wanted, newest: str | None) -> Iterator[Try]:
    """What to show, in order; the next one only where the one before is worn out."""
    if newest is not None and newest != wanted.refresh_token:
        yield "refresh_token", {"refresh_token": newest}
    if wanted.grant == "refresh_token":
        yield "refresh_token", {"refresh_token": wanted.refresh_token}
    elif wanted.grant == "password":
        yield "password", {"username": wanted.username, "password": wanted.password}
    else:
        yield "client_credentials", {}
