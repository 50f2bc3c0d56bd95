"""Makes what lets clients in, out of `auth:`; and keeps what outlives a reload of it.

A token that was made up stays for as long as the process does; who was let in by a token of
somebody else's stays in as long as what is said about those tokens stays the same.
"""

import logging
import secrets
from collections.abc import Callable

from msgspec import structs

from gateway.auth.access import OPEN, Access
from gateway.auth.doorkeeper import Doorkeeper, Tokens
from gateway.auth.expected import Expected
from gateway.auth.keys import Keys
from gateway.config import clients
from gateway.config.auth import AUTO, Auth
from gateway.config.exposure import exposure
from gateway.config.model import Config, Server
from gateway.credentials.known import Known
from gateway.credentials.oauth.documents import Http
from gateway.credentials.redact import Redactor

log = logging.getLogger(__name__)

BYTES = 32  # of a token that is made up
EXPOSED = "this process listens where other machines reach it: callers are asked until it ends"


class AccessMaker:
    """One for the process. `redactor` learns every key, a made-up one once it has been told."""

    def __init__(self, redactor: Redactor, http: Http) -> None:
        self._known = Known(redactor)
        self._http = http
        self._made_up: str | None = None
        self._tell: Callable[[str], None] | None = None
        self._told = False
        self._auth: Auth | None = None
        self._server: Server | None = None  # where we listen, whatever the file says since then
        self._access: Access = OPEN
        self._tokens: Tokens | None = None

    def __call__(self, config: Config) -> Access:
        auth = config.auth
        if self._server is None:
            self._server = config.server
        elif exposure(structs.replace(config, server=self._server)) is not None:
            log.error("access_kept", extra={"reason": EXPOSED})
            return self._access
        if auth != self._auth:
            before, self._access = self._access, self._made(auth)
            self._auth = auth
            if before.required and not self._access.required:
                log.warning("access_opened")
        self._announce()
        return self._access

    def announce(self, tell: Callable[[str], None]) -> None:
        """Tell the made-up token, once: now, or when one is first made up."""
        self._tell = tell
        self._announce()

    def _made(self, auth: Auth) -> Access:
        if not auth.enabled:
            self._learn(auth)
            return OPEN
        if auth.bearer_token == AUTO and self._made_up is None:
            self._made_up = secrets.token_urlsafe(BYTES)
        self._learn(auth)
        keys = Keys(clients.identities(auth, self._made_up or ""))
        public = clients.ALWAYS_PUBLIC | set(auth.public_paths)
        return Doorkeeper(keys, self._of_others(auth), public)

    def _of_others(self, auth: Auth) -> Tokens | None:
        if auth.jwt is None:
            self._tokens = None
            return None
        expected = clients.expected(auth.jwt)
        if self._tokens is None or self._tokens.expected != expected:
            self._tokens = _tokens(expected, self._http)
        return self._tokens

    def _announce(self) -> None:
        auth = self._auth
        if self._tell is None or self._told or auth is None or self._made_up is None:
            return
        self._told = True
        self._tell(self._made_up)
        self._learn(auth)

    def _learn(self, auth: Auth) -> None:
        told = self._made_up if self._told else None
        self._known.hold([told, *clients.secrets(auth)])


def _tokens(expected: Expected, http: Http) -> Tokens:
    from gateway.auth import tokens  # noqa: PLC0415  its library takes 60 ms that most never need

    return tokens.Tokens(expected, http)
