"""Who may come in at all: what a request shows, made into an identity.

The rule: it fails closed. Whatever goes wrong while somebody is being identified ends in a refusal,
never in an identity that was not proved.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from gateway.domain.identity import ANONYMOUS, Identity
from gateway.errors import AccessUnavailable, Unauthenticated


class Why(StrEnum):
    """Why somebody is not let in, in the words of RFC 6750 section 3.1."""

    NOTHING = ""  # was shown, of the kind that we take
    INVALID = "invalid_token"  # unknown, expired, not for us: nobody is told which
    SCOPE = "insufficient_scope"


class NotLetIn(Unauthenticated):
    """What was shown does not do."""

    def __init__(self, why: Why) -> None:
        super().__init__(TEXTS[why])
        self.why = why


TEXTS: Mapping[Why, str] = {
    Why.NOTHING: "who calls has to be shown: send Authorization: Bearer and a key",
    Why.INVALID: "who calls has to be shown: send Authorization: Bearer and a key",  # alike (I28)
    Why.SCOPE: "the token lacks a scope that this gateway asks for",
}


class Access(Protocol):
    """Of one configuration. `required`: nobody is let in unasked, but to `public` paths, compared
    to the letter. `expires`: some are let in for a time only.
    """

    @property
    def required(self) -> bool: ...

    @property
    def public(self) -> frozenset[str]: ...

    @property
    def expires(self) -> bool: ...

    async def identify(self, shown: str | None) -> Identity:
        """Whose the value of the `Authorization` header is; None where there is none. Raises
        NotLetIn or AccessUnavailable, and nothing else.
        """
        ...

    def holds(self, who: Identity, before: "Access") -> bool:
        """Whether `who`, whom `before` has let in, would still be let in by the same key and with
        the same rights: for streams that stay open.
        """
        ...

    def challenge(self, origin: str, why: Why) -> str:
        """The `WWW-Authenticate` of a refusal. `origin` is scheme and host as the client wrote
        them.
        """
        ...

    def metadata(self, origin: str, path: str) -> Mapping[str, object] | None:
        """The protected-resource metadata (RFC 9728) of an MCP URL with that path, where somebody
        else issues our tokens.
        """
        ...


class Open:
    """Where nobody is asked."""

    required = False
    public: frozenset[str] = frozenset()
    expires = False

    async def identify(self, shown: str | None) -> Identity:
        return ANONYMOUS

    def holds(self, who: Identity, before: Access) -> bool:
        return True

    def challenge(self, origin: str, why: Why) -> str:
        return "Bearer"

    def metadata(self, origin: str, path: str) -> Mapping[str, object] | None:
        return None


class Closed:
    """Before it is known who may come in."""

    required = True
    public: frozenset[str] = frozenset()
    expires = False

    async def identify(self, shown: str | None) -> Identity:
        raise AccessUnavailable("it is not known yet who may come in")

    def holds(self, who: Identity, before: Access) -> bool:
        return False

    def challenge(self, origin: str, why: Why) -> str:
        return "Bearer"

    def metadata(self, origin: str, path: str) -> Mapping[str, object] | None:
        return None


OPEN: Access = Open()
CLOSED: Access = Closed()
