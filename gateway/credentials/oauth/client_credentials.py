"""OAuth 2.0 client credentials: tokens had without a person, shared by all who need the same."""

import hashlib
import time
from collections.abc import Callable, Mapping

import msgspec
from yarl import URL

from gateway.credentials.base import Pairs
from gateway.credentials.fixed import bearer
from gateway.credentials.known import Known
from gateway.credentials.oauth.discovery import Discovery
from gateway.credentials.oauth.documents import Documents, Http
from gateway.credentials.oauth.settings import OAuth2
from gateway.credentials.oauth.single import Single
from gateway.credentials.oauth.token import Token
from gateway.credentials.oauth.token_endpoint import Client, TokenEndpoint, method_for
from gateway.credentials.secret import Learner
from gateway.errors import BackendUnavailable

EARLY = 30.0  # seconds before its end, or a tenth of its life, to renew a token
SHARE = 0.1
FRESH = 30.0  # seconds in which only one token that is refused is asked for anew
REFUSED = 401


class Tokens:
    """One for the process: who asks for the same as the same client shares the token."""

    def __init__(
        self, http: Http, learner: Learner | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._http = http
        self._learner = learner
        self._clock = clock
        self._all: dict[str, SharedToken] = {}

    def take(self, settings: OAuth2) -> "SharedToken":
        """Give it back with `leave`."""
        key = _key(settings)
        shared = self._all.get(key)
        if shared is None:
            shared = SharedToken(settings, self._http, self._learner, self._clock)
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


class SharedToken:
    """The token of one client at one server for one purpose."""

    def __init__(
        self, settings: OAuth2, http: Http, learner: Learner | None, clock: Callable[[], float]
    ) -> None:
        self.users = 0
        self._settings = settings
        self._clock = clock
        home = settings.token_url or settings.issuer or ""
        self._documents = Documents(http, home)
        self._issuer = settings.issuer or str(URL(home).origin())
        self._known = Known(learner)
        self._known.hold([settings.client_secret, settings.private_key])
        self._token: Token | None = None
        self._dropped_at = float("-inf")
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
        if now - self._dropped_at < FRESH:
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
        settings = self._settings
        token = await (await self._endpoint()).ask(
            "client_credentials",
            scope=" ".join(settings.scopes),
            audience=settings.audience,
            resource=settings.resource,
        )
        self._known.hold([settings.client_secret, settings.private_key, token.access])
        self._token = token
        return token

    async def _endpoint(self) -> TokenEndpoint:
        settings, url, supported = self._settings, self._settings.token_url, None
        if url is None:
            server = await Discovery(self._documents, self._issuer).server(self._issuer)
            url, supported = server.token_endpoint, server.token_endpoint_auth_methods_supported
        client = Client(
            settings.client_id,
            settings.client_secret,
            private_key=settings.private_key,
            key_id=settings.key_id,
        )
        method = settings.auth_method or method_for(supported, client)
        client = msgspec.structs.replace(client, method=method)
        audience = self._issuer if settings.issuer else url
        return TokenEndpoint(self._documents, url, audience, client, self._clock)


class ClientCredentials:
    """The authorizer of one backend."""

    def __init__(self, settings: OAuth2, tokens: Tokens) -> None:
        self._tokens = tokens
        self._shared = tokens.take(settings)
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


def _key(settings: OAuth2) -> str:
    """Equal settings, secret included, share a token; nothing can be read out of it."""
    return hashlib.sha256(msgspec.json.encode(settings)).hexdigest()
