"""Callers who show a token that somebody else has issued to them.

A token that was good is remembered until it ends or the issuer's keys are to be fetched anew: to
verify one takes as long as a call. Times are those of the wall clock, of which tokens speak (F12).
"""

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import replace

from gateway.auth.claims import Accepted, accepted
from gateway.auth.expected import Expected
from gateway.auth.issuer import Issuer
from gateway.auth.signed import claims_of, taken_apart
from gateway.credentials.oauth.documents import Http
from gateway.domain.identity import Identity

MOST_TOKENS = 4_096  # remembered
MOST_CALLERS = 65_536  # of whom we know until when they are let in


class Tokens:
    """`clock` never goes back, `wall` tells the time."""

    def __init__(
        self,
        expected: Expected,
        http: Http,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.expected = expected
        self._issuer = Issuer(expected.issuer, expected.jwks_url, http, clock)
        self._wall = wall
        self._salt = secrets.token_bytes(32)
        self._generation = 0
        self._good: dict[bytes, Accepted] = {}
        self._until: dict[Identity, float] = {}  # as its claims have it, and as no agent

    async def identify(self, token: str) -> Identity:
        """Raises NotLetIn or AccessUnavailable."""
        mark = hashlib.blake2b(token.encode(), digest_size=32, key=self._salt).digest()
        found = self._good.get(mark)
        if (
            found is not None
            and self._issuer.current(self._generation)
            and self._wall() < found.until
        ):
            return found.who
        parts = taken_apart(token, self.expected.algorithms)
        keys = await self._issuer.keys(parts.kid)
        keys.verify(parts)
        found = accepted(claims_of(parts), self.expected, self._wall())
        self._remember(mark, found)
        return found.who

    def holds(self, who: Identity) -> bool:
        return self._wall() < self._until.get(replace(who, agent=None), 0.0)

    def _remember(self, mark: bytes, found: Accepted) -> None:
        if self._generation != self._issuer.generation or len(self._good) >= MOST_TOKENS:
            self._good.clear()
            self._generation = self._issuer.generation
        self._good[mark] = found
        self._until[found.who] = max(found.until, self._until.pop(found.who, 0.0))
        if len(self._until) > MOST_CALLERS:
            del self._until[next(iter(self._until))]

    def __repr__(self) -> str:
        return f"<Tokens of {self.expected.issuer}>"
