"""What every kind of backend credential is made with, and what the process has once for them all.

OAuth's libraries take 100 ms to load, so they are loaded when the first backend needs them.
"""

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.credentials import opening
from gateway.credentials.oauth.documents import Http
from gateway.credentials.secret import Learner

if TYPE_CHECKING:
    from gateway.credentials.oauth.shared_token import Tokens
    from gateway.credentials.oauth.token_store import TokenStore


def nobody() -> None:
    """Nobody waits."""


@dataclass(frozen=True, slots=True)
class AuthMeans:
    """`name` is the backend's, `url` its server's: what tokens are made for.

    `tokens` (client credentials) and `store` (interactive OAuth) are the process's one each.
    `ready` is called, on the loop, when a person has let us in: connect now. It must not raise.
    """

    name: str
    url: str
    http: Http
    tokens: "Callable[[], Tokens]"
    store: "Callable[[], TokenStore]"
    learner: Learner | None = None
    ready: Callable[[], None] = nobody
    clock: Callable[[], float] = time.time


class Shared:
    """One for the process: tokens that backends share, and the store of those that are kept.

    `environ` tells the state folder and the store's key.
    """

    def __init__(
        self,
        http: Http,
        environ: Mapping[str, str],
        learner: Learner | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._http = http
        self._environ = environ
        self._learner = learner
        self._clock = clock
        self._tokens: Tokens | None = None
        self._store: TokenStore | None = None

    def means(self, name: str, url: str, ready: Callable[[], None] = nobody) -> AuthMeans:
        return AuthMeans(
            name, url, self._http, self.tokens, self.store, self._learner, ready, self._clock
        )

    def for_rest(
        self,
        name: str,
        origin: str,
        send: opening.SendOwn,
        *,
        private: bool = False,
        http: Http | None = None,
    ) -> opening.Means:
        """What the credential of a capability file may use; `send` is its backend's.

        `http`: its backend has certificates of its own, and so its tokens are asked for with them.
        """
        tokens = self.tokens if http is None else functools.partial(self._made, http)
        return opening.Means(name, origin, send, tokens, self._learner, self._clock, private)

    def tokens(self) -> "Tokens":
        if self._tokens is None:
            self._tokens = self._made(self._http)
        return self._tokens

    def _made(self, http: Http) -> "Tokens":
        from gateway.credentials.oauth.shared_token import Tokens  # noqa: PLC0415

        return Tokens(http, self._learner, self._clock, self.store)

    def store(self) -> "TokenStore":
        """Raises ConfigError for a key in the environment that is none."""
        if self._store is None:
            from gateway.credentials.oauth import token_store as made  # noqa: PLC0415

            folder = made.state_folder(self._environ)
            self._store = made.TokenStore(folder, self._environ.get(made.KEY_VARIABLE))
        return self._store
