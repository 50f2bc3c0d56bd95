"""Interactive OAuth 2.1 for one MCP server: what a refusal leads to.

The gateway never opens a browser. When only a person can go on, the page to open is in the error's
hint and in the log, and a listener waits for the browser's answer.
"""

from collections.abc import Mapping

from gateway.credentials.base import Pairs
from gateway.credentials.fixed import bearer
from gateway.credentials.known import Known
from gateway.credentials.means import AuthMeans
from gateway.credentials.oauth.awaited import Awaited
from gateway.credentials.oauth.callback import Callback, Place
from gateway.credentials.oauth.challenge import MOST_SCOPES, Wanted, wanted
from gateway.credentials.oauth.discovery import Discovery, Found
from gateway.credentials.oauth.documents import Distrusted, Documents
from gateway.credentials.oauth.flow import Authorization, choose_scopes, new_state
from gateway.credentials.oauth.grants import Grant, Grants
from gateway.credentials.oauth.metadata import AuthorizationServer, canonical
from gateway.credentials.oauth.registration import Registration
from gateway.credentials.oauth.settings import OAuth
from gateway.credentials.oauth.single import Single
from gateway.credentials.oauth.token import TokenRefused
from gateway.credentials.oauth.token_endpoint import Client
from gateway.errors import BackendUnavailable, UpstreamFailed

MOST_STEPS = 2  # authorizations for one set of scopes that a server still finds insufficient
STEP_MEMORY = 3600.0  # seconds
REFUSED, FORBIDDEN = 401, 403


class Interactive:
    """An Authorizer. `ready` of the means is called when a person has let us in."""

    def __init__(self, settings: OAuth, means: AuthMeans) -> None:
        self._settings = settings
        self._means = means
        self._store = means.store()
        self._known = Known(means.learner)
        self._known.hold([settings.client_secret])
        documents = Documents(means.http, means.url, private=settings.allow_private)
        own = Client(settings.client_id, settings.client_secret) if settings.client_id else None
        self._discovery = Discovery(documents, means.url, settings.issuer)
        self._registration = Registration(
            documents, self._store, own, settings.client_metadata_url, means.clock
        )
        self._grants = Grants(means.url, settings, documents, self._store, self._known, means.clock)
        self._asking: Single[bool] = Single()
        self._awaited: Awaited | None = None
        self._renewed: str | None = None  # the token we got in place of one that was refused
        self._steps: dict[frozenset[str], list[float]] = {}

    async def headers(self) -> Pairs:
        try:
            grant = await self._grants.live()
        except TokenRefused as error:
            self._forget_if_unknown(error)
            grant = None
        if grant is not None:
            if self._awaited is not None:
                await self._spare(self._awaited, grant)
            return _shown(grant)
        if self._awaited is not None and not self._awaited.over:
            raise self._awaited.error()
        return ()  # the server says what it wants

    def query(self) -> Pairs:
        return ()

    async def challenged(self, status: int, headers: Mapping[str, str], shown: Pairs = ()) -> bool:
        want = wanted(headers)
        if status == FORBIDDEN and want.error == "insufficient_scope":
            return await self._asking.run(lambda: self._step_up(want, shown))
        if status != REFUSED:
            return False
        return await self._asking.run(lambda: self._let_in(want, shown))

    async def begin(self, want: Wanted) -> str:
        """Start an authorization whatever we have already; gives the page to open."""
        found = await self._found(want)
        await self._ask_person(found, self._first_scopes(found, want))
        return self._awaited.url if self._awaited else ""

    async def settled(self) -> None:
        """Wait for the person. Raises BackendUnavailable when it came to nothing."""
        if self._awaited is not None:
            await self._awaited.result()

    async def aclose(self) -> None:
        await self._asking.aclose()
        await self._grants.aclose()
        if self._awaited is not None:
            await self._awaited.aclose()
        self._known.release()

    def __repr__(self) -> str:
        return f"<Interactive {self._means.name}>"

    # -- a refusal ------------------------------------------------------------------------------

    async def _let_in(self, want: Wanted, shown: Pairs) -> bool:
        """True: there is something else to show. Raises AuthorizationNeeded."""
        grant = self._grants.current
        if grant is not None and _shown(grant) != shown:
            return True
        if self._awaited is not None and not self._awaited.over:
            raise self._awaited.error()
        if grant is not None and self._news(grant):
            return True
        found = await self._found(want)
        if grant is not None and await self._renew(grant, found):
            return True
        if grant is not None:
            self._grants.drop(grant)
        await self._ask_person(found, self._first_scopes(found, want, grant))
        raise self._needed()

    def _news(self, grant: Grant) -> bool:
        """Whether another process has put something newer into the store."""
        kept = self._grants.reread()
        return kept is not None and kept.token.access != grant.token.access

    async def _renew(self, grant: Grant, found: Found) -> bool:
        """Without a person, if the same server is still in charge; once for each refusal."""
        if grant.server.issuer != found.server.issuer or grant.token.access == self._renewed:
            return False
        try:
            new = await self._grants.renewed(grant)
        except TokenRefused as error:
            self._forget_if_unknown(error)
            return False
        if new is None:
            return False
        self._renewed = new.token.access
        return True

    async def _step_up(self, want: Wanted, shown: Pairs) -> bool:
        """Ask the person for more: all we asked for before, and what is missing now."""
        grant = self._grants.current
        if grant is not None and _shown(grant) != shown:
            return True
        had = frozenset() if grant is None else grant.scopes | frozenset(grant.token.scopes or ())
        scopes = had | want.scopes
        waiting = self._awaited
        if waiting is not None and not waiting.over:
            if scopes <= waiting.asked.scopes:
                raise waiting.error()
            scopes |= waiting.asked.scopes
        self._count(scopes)
        await self._ask_person(await self._found(want), scopes)
        raise self._needed()

    def _count(self, scopes: frozenset[str]) -> None:
        """Raises UpstreamFailed when asking for these has not helped."""
        now = self._means.clock()
        for asked, times in [*self._steps.items()]:  # what a server asks for may differ each time
            if now - times[-1] >= STEP_MEMORY:
                del self._steps[asked]
        recent = [at for at in self._steps.get(scopes, ()) if now - at < STEP_MEMORY]
        if len(recent) >= MOST_STEPS or len(scopes) > MOST_SCOPES:
            raise UpstreamFailed(
                "the server finds our permission insufficient, and more of it did not help",
                hint="the operator of the gateway sees to oauth.scopes, or to the account used",
            )
        self._steps[scopes] = [*recent, now]

    # -- a person -------------------------------------------------------------------------------

    async def _found(self, want: Wanted) -> Found:
        """Raises Distrusted when the client id was made for another authorization server."""
        found = await self._discovery.find(want)
        settings = self._settings
        if settings.client_id is not None and settings.issuer is None:
            key = f"issuer {canonical(self._means.url)} {settings.client_id}"
            bound = self._store.get(key, str)
            if bound is None:
                self._store.put(key, found.server.issuer)
            elif bound != found.server.issuer:
                raise Distrusted(
                    "the server now names another authorization server than oauth.client_id "
                    "was used with",
                    hint="if that is meant, the operator of the gateway sets oauth.issuer",
                )
        return found

    def _first_scopes(
        self, found: Found, want: Wanted, before: Grant | None = None
    ) -> frozenset[str]:
        chosen = choose_scopes(self._settings.scopes, want.scopes, found.scopes, found.server)
        return chosen | before.scopes if before is not None else chosen

    async def _ask_person(self, found: Found, scopes: frozenset[str]) -> None:
        before = self._awaited
        if before is not None:
            await before.aclose()
            if before.unanswered:  # perhaps the page says that nobody knows us there
                self._registration.doubt(before.asked.server.issuer)
        state = new_state()
        callback = await self._listen(found.server, state)
        try:
            most = scopes | frozenset(found.scopes or ())
            client = await self._registration.client(found.server, callback.redirect_uri, most)
        except BaseException:
            await callback.aclose()
            raise
        asked = Authorization(
            found.server, client.id, callback.redirect_uri, found.resource, scopes, state
        )

        async def exchange(code: str) -> None:
            await self._exchange(asked, client, code)

        self._awaited = Awaited(self._means.name, asked, callback, exchange)

    async def _listen(self, server: AuthorizationServer, state: str) -> Callback:
        """At the configured port, else at the one we are registered with, else at any."""
        settings, known = self._settings, self._registration.redirect_uri(server)
        place = Place(settings.host, settings.callback_port, settings.callback_path)
        if not place.port and known is not None:
            again = Callback(Place(place.host, _port(known), place.path))
            try:
                await again.open(state)
            except BackendUnavailable:
                pass  # taken: we register anew, for another
            else:
                return again
        callback = Callback(place)
        await callback.open(state)
        return callback

    async def _exchange(self, asked: Authorization, client: Client, code: str) -> None:
        try:
            token = await self._grants.endpoint(asked.server, client).ask(
                "authorization_code",
                code=code,
                redirect_uri=asked.redirect_uri,
                code_verifier=asked.verifier,
                resource=asked.resource,
            )
        except TokenRefused as error:
            self._forget_if_unknown(error)
            raise
        grant = Grant(asked.server, client, asked.resource, asked.scopes, token)
        await self._grants.keep(grant)
        self._means.ready()

    async def _spare(self, awaited: Awaited, grant: Grant) -> None:
        """Wait no longer for what another process was given."""
        if not awaited.answered and awaited.asked.scopes <= grant.scopes:
            await awaited.aclose()
        if awaited.over and self._awaited is awaited:
            self._awaited = None

    def _forget_if_unknown(self, error: TokenRefused) -> None:
        """Register anew where they know us no more."""
        if error.error in {"invalid_client", "unauthorized_client"}:
            self._registration.forget(error.issuer)

    def _needed(self) -> BackendUnavailable:
        if self._awaited is None:
            return BackendUnavailable("the server wants a person's permission first")
        return self._awaited.error()


def _shown(grant: Grant) -> Pairs:
    return tuple(bearer(grant.token.access).items())


def _port(redirect_uri: str) -> int:
    port = redirect_uri.partition("://")[2].partition("/")[0].rpartition(":")[2]
    return int(port) if port.isdigit() else 0
