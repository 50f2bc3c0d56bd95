"""Who calls: each HTTP request gets an identity here, or a refusal that tells nothing more.

The rule: it fails closed (I30). Only a path that is public to the letter is open to strangers, and
whatever goes wrong while somebody is being identified is a refusal. All refusals read the same,
whatever the path and whatever was shown (I28, I32).
"""

import logging
import time
from collections.abc import Callable

from gateway.auth.access import TEXTS, Access, NotLetIn, Why
from gateway.domain.events import Observer, Refused
from gateway.domain.identity import ANONYMOUS, Grant, Identity, Level
from gateway.errors import AccessUnavailable, Unauthenticated
from gateway.protocol import jsonrpc
from gateway.protocol.header_values import Headers
from gateway.runtime.snapshot import Current
from gateway.server.reply import Reply, refusal

log = logging.getLogger(__name__)

STRANGER = Identity("anonymous", grant=Grant(level=Level.DENY))  # at a public path
NOTHING_TOLD = frozenset({"/livez", "/readyz"})  # whoever asks
APART = 10.0  # seconds between two lines of the log about the same

UNAVAILABLE = refusal(
    503,
    "who calls cannot be found out just now: try again in a moment",
    extra={"Retry-After": "5"},
)


class Entrance:
    """One for the process."""

    def __init__(
        self, current: Current, observe: Observer, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._current = current
        self._observe = observe
        self._clock = clock
        self._told: dict[str, float] = {}  # when each event was logged last
        self._untold = 0  # refusals since then

    @property
    def access(self) -> Access:
        return self._current.get().access

    async def admit(self, path: str, headers: Headers) -> Identity | Reply:
        """Who sent a request with these headers to that path."""
        access = self.access
        if not access.required:
            return ANONYMOUS
        shown = headers.get("authorization")
        if path in NOTHING_TOLD or (shown is None and path in access.public):
            return STRANGER
        try:
            return await access.identify(shown)
        except NotLetIn as error:
            return self._refused(access, headers, error)
        except AccessUnavailable as error:
            self._observe(Refused(error.code))
        except Exception:
            if self._due("access_failed"):
                log.exception("access_failed")
            self._observe(Refused(AccessUnavailable.code))
        return UNAVAILABLE

    def metadata(self, path: str, headers: Headers) -> dict[str, object] | None:
        """What an OAuth client reads first (RFC 9728), where somebody else issues our tokens."""
        found = self.access.metadata(_origin(headers), path)
        return None if found is None else dict(found)

    def _refused(self, access: Access, headers: Headers, error: NotLetIn) -> Reply:
        self._observe(Refused(error.code))
        self._tell()
        return Reply(
            403 if error.why is Why.SCOPE else 401,
            BODIES[error.why],
            {"WWW-Authenticate": access.challenge(_origin(headers), error.why)},
        )

    def _tell(self) -> None:
        """That there are refusals, not each: a stranger shall not fill the log."""
        self._untold += 1
        if self._due("callers_refused"):
            log.warning("callers_refused", extra={"count": self._untold})
            self._untold = 0

    def _due(self, event: str) -> bool:
        now = self._clock()
        due = now - self._told.get(event, float("-inf")) >= APART
        if due:
            self._told[event] = now
        return due


def _origin(headers: Headers) -> str:
    """Scheme and host as the client wrote them; a proxy before us says if it was HTTPS. Whoever
    lies about that misleads nobody but himself.
    """
    scheme = "https" if headers.get("x-forwarded-proto", "").lower() == "https" else "http"
    return f"{scheme}://{headers.get('host', '')}"


BODIES = {
    why: jsonrpc.error(None, jsonrpc.INVALID_REQUEST, text, {"code": Unauthenticated.code})
    for why, text in TEXTS.items()
}
