"""The public keys of an issuer: fetched when they are needed, kept, and fetched anew.

One fetch at a time, however many wait for it. A key that we do not have is asked for at once, but
not more often than `APART`: a stranger's token can make us ask. When the issuer does not answer,
the keys that we have are good for `USABLE`; without any, nobody can be identified.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from gateway.auth.signed import PublicKeys
from gateway.credentials.oauth.documents import Documents, Http
from gateway.credentials.oauth.metadata import same_issuer, server_urls
from gateway.errors import AccessUnavailable, BackendUnavailable, GatewayError

log = logging.getLogger(__name__)

FRESH = 600.0  # seconds after which keys are fetched anew, while they are used
USABLE = 3600.0  # seconds for which keys are used while they cannot be fetched
APART = 30.0  # seconds between two fetches for a key that we lack
AGAIN = 2.0  # seconds between two attempts while we have none

MEANT = "if that is a private address and meant, name it in auth.jwt.jwks_url"


class Issuer:
    """`clock` never goes back."""

    def __init__(
        self,
        issuer: str,
        jwks_url: str | None,
        http: Http,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._given = jwks_url
        self._documents = Documents(http, jwks_url or issuer, meant=MEANT)
        self._clock = clock
        self._keys: PublicKeys | None = None
        self._fetched = self._tried = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self.generation = 0  # counts how often keys came

    async def keys(self, kid: str | None) -> PublicKeys:
        """Those that count now, fetched anew where none may be the one called `kid`. Raises
        AccessUnavailable.
        """
        now = self._clock()
        age = now - self._fetched
        if self._keys is None or age > USABLE:
            if now - self._tried >= AGAIN or self._fetching is not None:
                await self._fetch()
        elif not self._keys.known(kid):
            if now - self._tried >= APART or self._fetching is not None:
                await self._fetch()
        elif age > FRESH and now - self._tried >= APART:
            self._begin()
        if self._keys is None or self._clock() - self._fetched > USABLE:
            raise AccessUnavailable("the keys of the issuer cannot be had")
        return self._keys

    def current(self, generation: int) -> bool:
        """Whether the keys are still those of that generation, and need not be fetched anew."""
        return generation == self.generation and self._clock() - self._fetched <= FRESH

    async def _fetch(self) -> None:
        await asyncio.shield(self._begin())

    def _begin(self) -> asyncio.Task[None]:
        if self._fetching is None:
            self._tried = self._clock()
            self._fetching = asyncio.get_running_loop().create_task(self._renew())
            self._fetching.add_done_callback(self._ended)
        return self._fetching

    def _ended(self, _task: asyncio.Task[None]) -> None:
        self._fetching = None

    async def _renew(self) -> None:
        """What fails is logged, and leaves the keys as they were."""
        try:
            url = self._given or await self._told()
            document = await self._documents.get(url, "the keys of the issuer")
            found = PublicKeys(document or {})
            if not len(found):
                raise BackendUnavailable("the issuer publishes no key that we can use")
        except GatewayError as error:
            log.warning("issuer_failed", extra={"issuer": self._issuer, "reason": str(error)})
            return
        self._keys, self._fetched = found, self._clock()
        self.generation += 1

    async def _told(self) -> str:
        """Where its metadata say that its keys are (RFC 8414, OpenID Connect Discovery)."""
        for url in server_urls(self._issuer):
            found = await self._documents.get(url, "the metadata of the issuer")
            if found is None or not same_issuer(str(found.get("issuer")), self._issuer):
                continue
            where = found.get("jwks_uri")
            if isinstance(where, str):
                return where
        raise BackendUnavailable("the issuer does not say where its keys are")
