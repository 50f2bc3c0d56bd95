"""What is always shown to a server: headers and query pairs from the configuration."""

import base64
import re
from collections.abc import Iterator, Mapping

from gateway.credentials.authorizer import Authorizer
from gateway.credentials.base import Pairs
from gateway.credentials.known import Known
from gateway.credentials.secret import Learner
from gateway.errors import GatewayError, Unequipped
from gateway.http.failures import Unreachable

OURS = frozenset(  # headers the transports write themselves
    {
        *("accept", "accept-encoding", "connection", "content-length", "content-type"),
        *("expect", "host", "keep-alive", "last-event-id", "te", "trailer", "transfer-encoding"),
        *("upgrade", "proxy-connection"),
    }
)
OUR_PREFIXES = ("mcp-", "sec-websocket-")
REFUSED = 401

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]*")
_WORD = re.compile(r"[A-Za-z][A-Za-z/ ._;=*-]{0,31}")  # `application/json`: no secret's look
_SECRET_NAME = re.compile(r"auth|cookie|key|pass|secret|token|credential", re.IGNORECASE)


class Fixed:
    """Shows the same always, then what `inner` shows; a refusal is `inner`'s to mend.

    `about` is the setting that is refused then, None: there is none.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        about: str | None = None,
        learner: Learner | None = None,
        *,
        query: Mapping[str, str] | None = None,
        inner: Authorizer | None = None,
    ) -> None:
        self._headers = tuple(headers.items())
        self._query = tuple((query or {}).items())
        self._about = about
        self._inner = inner
        self._known = Known(learner)
        self._known.hold(_secrets(self._headers, self._query))

    async def headers(self) -> Pairs:
        if self._inner is None:
            return self._headers
        return (*self._headers, *await self._inner.headers())

    def query(self) -> Pairs:
        return self._query if self._inner is None else (*self._query, *self._inner.query())

    async def challenged(self, status: int, headers: Mapping[str, str], shown: Pairs = ()) -> bool:
        if self._inner is not None:
            own = set(self._headers)
            theirs = tuple(pair for pair in shown if pair not in own)
            return await self._inner.challenged(status, headers, theirs)
        if status != REFUSED:
            return False
        if self._about is None:
            raise Unreachable(
                "the server wants authorization (HTTP 401)",
                hint="the operator of the gateway sets auth: of this backend, or oauth: {}",
            )
        raise Unreachable(
            f"the server refuses the credential it is shown (HTTP 401): {self._about}",
            hint=f"the operator of the gateway mends {self._about}: of this backend",
        )

    async def aclose(self) -> None:
        self._known.release()
        if self._inner is not None:
            await self._inner.aclose()

    def __repr__(self) -> str:
        return f"<Fixed {', '.join(name for name, _ in self._headers + self._query)}>"


class Unable:
    """Shows nothing, and says why: what it needs is not there."""

    def __init__(self, error: GatewayError) -> None:
        self._error = error

    async def headers(self) -> Pairs:
        raise Unequipped(str(self._error), hint=self._error.hint)

    def query(self) -> Pairs:
        return ()

    async def challenged(self, status: int, headers: Mapping[str, str], shown: Pairs = ()) -> bool:
        return False

    async def aclose(self) -> None:
        """There is nothing to close."""


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def basic(username: str, password: str) -> dict[str, str]:
    """RFC 7617, UTF-8."""
    pair = base64.b64encode(f"{username}:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def header_problem(name: str, value: str) -> str | None:
    """Why this header cannot be sent to a server, or None. Shows nothing of the value."""
    low = name.lower()
    if not _NAME.fullmatch(name):
        return f"{name!r} is no header name"
    if low in OURS or low.startswith(OUR_PREFIXES):
        return f"the gateway itself sets {name}"
    if not value.strip():
        return f"{name} is empty"
    if not _VALUE.fullmatch(value):
        return f"the value of {name} holds a control character: it must be one line"
    return None


def _secrets(headers: Pairs, query: Pairs) -> Iterator[str]:
    """Of all values, those that may be secret: plain words of ordinary headers would blot out
    other texts. A scheme before a credential is none of it.
    """
    for name, value in (*headers, *query):
        if not _SECRET_NAME.search(name) and _WORD.fullmatch(value):
            continue
        yield value
        scheme, _, rest = value.partition(" ")
        if rest and scheme.isalpha():
            yield rest.strip()
            if scheme == "Basic":
                yield from _password(rest)


def _password(encoded: str) -> Iterator[str]:
    try:
        yield base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except ValueError:
        return
