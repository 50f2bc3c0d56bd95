"""Lets in whoever shows a key that is known, or a token of the issuer that is; nobody else."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from gateway.auth import protected
from gateway.auth.access import Access, NotLetIn, Why
from gateway.auth.expected import Expected
from gateway.auth.keys import Keys
from gateway.domain.identity import Identity

LONGEST = 16_384  # characters of what is shown

_BEARER = re.compile(r"bearer +([!-~]+)", re.IGNORECASE)  # RFC 6750 section 2.1


class Tokens(Protocol):
    """`gateway.auth.tokens.Tokens`, which brings a library that most gateways never need."""

    @property
    def expected(self) -> Expected: ...

    async def identify(self, token: str) -> Identity:
        """Raises NotLetIn or AccessUnavailable."""
        ...

    def holds(self, who: Identity) -> bool: ...


class Doorkeeper:
    """Of one configuration. `public` are paths, to the letter."""

    required = True

    def __init__(self, keys: Keys, tokens: Tokens | None, public: frozenset[str]) -> None:
        self.keys = keys
        self._tokens = tokens
        self.public = public

    @property
    def expires(self) -> bool:
        return self._tokens is not None

    async def identify(self, shown: str | None) -> Identity:
        token = _token(shown)
        who = self.keys.of(token)
        if who is not None:
            return who
        if self._tokens is not None and token.count(".") == protected.DOTS:
            return await self._tokens.identify(token)
        raise NotLetIn(Why.NOTHING if shown is None else Why.INVALID)

    def holds(self, who: Identity, before: Access) -> bool:
        """A key that was exchanged for another of the same name is taken away like any other."""
        known = self.keys.named(who.name)
        if known is not None:
            same = isinstance(before, Doorkeeper) and before.keys.named(who.name) == known
            return same and known[1] == replace(who, agent=known[1].agent)
        return self._tokens is not None and self._tokens.holds(who)

    def challenge(self, origin: str, why: Why) -> str:
        expected = None if self._tokens is None else self._tokens.expected
        return protected.challenge(expected, origin, why)

    def metadata(self, origin: str, path: str) -> Mapping[str, object] | None:
        return (
            None
            if self._tokens is None
            else protected.metadata(self._tokens.expected, origin, path)
        )

    def __repr__(self) -> str:
        return f"<Doorkeeper {self.keys!r}{' and tokens' if self._tokens else ''}>"


def _token(shown: str | None) -> str:
    """What follows `Bearer`; empty, which is nobody's, where the header has anything else in it:
    two of them are joined by a comma and a space.
    """
    if shown is None or len(shown) > LONGEST:
        return ""
    found = _BEARER.fullmatch(shown)
    return found[1] if found else ""
