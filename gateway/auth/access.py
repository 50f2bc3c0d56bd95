"""Who may come in at all: what a request shows, made into an identity.

The rule: it fails closed. Whatever goes wrong while somebody is being identified ends in a refusal,
never in an identity that was not proved.
"""

from collections.abc import Mapping
from typing import Protocol

from gateway.domain.identity import ANONYMOUS, Identity


class Access(Protocol):
    """Of one configuration. `required`: nobody is let in unasked, but to `public` paths, compared
    to the letter.
    """

    @property
    def required(self) -> bool: ...

    @property
    def public(self) -> frozenset[str]: ...

    async def identify(self, shown: str | None) -> Identity:
        """Whose the value of the `Authorization` header is; None where there is none. Raises
        Unauthenticated or AccessUnavailable, and nothing else.
        """
        ...

    def holds(self, who: Identity) -> bool:
        """Whether `who`, identified before, would still be let in: for streams that stay open."""
        ...

    def challenge(self, origin: str) -> str:
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

    async def identify(self, shown: str | None) -> Identity:
        return ANONYMOUS

    def holds(self, who: Identity) -> bool:
        return True

    def challenge(self, origin: str) -> str:
        return "Bearer"

    def metadata(self, origin: str, path: str) -> Mapping[str, object] | None:
        return None


OPEN: Access = Open()
