"""`hmac:` of a capability file: a keyed digest of what the request says, sent with it.

What is signed is a template over the request as it goes out, so that most home-made schemes of APIs
can be said in a file.
"""

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import msgspec
from yarl import URL

from gateway.credentials.base import Pairs, Render, Rendered, Text
from gateway.credentials.static import with_headers, with_query
from gateway.errors import Unequipped
from gateway.http.message import HttpRequest, HttpResponse, target

NAMES = (  # what `message` may read of the request
    *("method", "url", "host", "path", "query", "body", "body_sha256"),
    *("timestamp", "nonce"),
)
PREFIX_NAMES = ("timestamp", "nonce")

Algorithm = Literal["sha256", "sha1", "sha384", "sha512", "md5"]
Encoding = Literal["hex", "base64", "base64url"]

_READS_BODY = re.compile(r"\bbody\b")  # maybe: to decode it for nothing is no fault


class Hmac(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A signature of the request: HMAC (RFC 2104) over a text of your making."""

    secret: str
    """The shared secret."""
    message: str
    """What is signed: a template over `method`, `url`, `host`, `path`, `query`, `body`,
    `body_sha256`, `timestamp` and `nonce`."""
    header: str | None = None
    """The header that carries the signature. Exactly one of header and query."""
    query: str | None = None
    """The query parameter that carries the signature, as the last one."""
    algorithm: Algorithm = "sha256"
    """The digest."""
    encoding: Encoding = "hex"
    """How the signature is written."""
    secret_encoding: Literal["text", "hex", "base64"] = "text"  # noqa: S105  no secret itself
    """How the secret is written."""
    prefix: str = ""
    """What stands before the signature, such as `sha256=`; a template over `timestamp` and `nonce`
    too."""
    timestamp: Literal["s", "ms", "iso"] = "s"
    """How the time is written: seconds or milliseconds since 1970, or `2026-11-21T10:00:00Z`."""
    timestamp_header: str | None = None
    """The header that carries the time."""
    timestamp_query: str | None = None
    """The query parameter that carries the time; it stands in `query` when that is signed."""
    nonce_header: str | None = None
    """The header that carries the nonce: 32 hexadecimal digits, anew for each attempt."""

    def __post_init__(self) -> None:
        if (self.header is None) == (self.query is None):
            raise ValueError("hmac needs either header or query")
        if self.header is None and self.prefix:
            raise ValueError("prefix stands before a header's signature")

    @property
    def header_names(self) -> tuple[str, ...]:
        given = (self.header, self.timestamp_header, self.nonce_header)
        return tuple(name for name in given if name is not None)

    @property
    def query_names(self) -> tuple[str, ...]:
        return tuple(name for name in (self.timestamp_query, self.query) if name is not None)

    @property
    def texts(self) -> tuple[Text, ...]:
        return (
            Text(("secret",), self.secret),
            Text(("message",), self.message, NAMES),
            *([Text(("prefix",), self.prefix, PREFIX_NAMES)] if self.prefix else []),
        )


@dataclass(frozen=True, slots=True)
class Chance:
    """Where time and nonces come from."""

    wall: Callable[[], float] = time.time
    nonce: Callable[[], str] = lambda: secrets.token_hex(16)


class HmacCredential:
    def __init__(self, given: Hmac, render: Render, chance: Chance) -> None:
        self._given = given
        self._chance = chance
        self._secret = render(given.secret)
        self._message = render(given.message, NAMES)
        self._prefix: Rendered | None = None
        if given.prefix:
            self._prefix = render(given.prefix, PREFIX_NAMES)
        self._reads_body = bool(_READS_BODY.search(given.message))

    async def apply(self, request: HttpRequest, inbound: Mapping[str, str]) -> HttpRequest:
        given = self._given
        now = written(self._chance.wall(), given.timestamp)
        said = {"timestamp": now, "nonce": self._chance.nonce()}
        if given.timestamp_query is not None:
            request = with_query(request, ((given.timestamp_query, now),))
        signature = self._signed(self._message({**self._facts(request), **said}))
        if self._prefix is not None:
            signature = self._prefix(said) + signature
        if given.query is not None:
            request = with_query(request, ((given.query, signature),))
        return with_headers(request, self._headers(signature, said))

    async def challenged(self, sent: HttpRequest, response: HttpResponse) -> bool:
        return False

    async def aclose(self) -> None:
        """It holds nothing."""

    def __repr__(self) -> str:
        return f"<HmacCredential {self._given.algorithm}>"

    def _headers(self, signature: str, said: Mapping[str, str]) -> Pairs:
        given = self._given
        shown = (
            (given.header, signature),
            (given.timestamp_header, said["timestamp"]),
            (given.nonce_header, said["nonce"]),
        )
        return tuple([(name, value) for name, value in shown if name is not None])

    def _facts(self, request: HttpRequest) -> dict[str, str]:
        """Of the request as it goes out. A byte of the body that is no text stays that byte."""
        path, _, query = target(request.url).partition("?")
        body = request.body or b""
        return {
            "method": request.method,
            "url": request.url,
            "host": URL(request.url, encoded=True).host_port_subcomponent or "",
            "path": path,
            "query": query,
            "body": body.decode("utf-8", "surrogateescape") if self._reads_body else "",
            "body_sha256": hashlib.sha256(body).hexdigest(),
        }

    def _signed(self, message: str) -> str:
        given = self._given
        data = message.encode("utf-8", "surrogateescape")
        raw = hmac.digest(_key(self._secret(), given.secret_encoding), data, given.algorithm)
        if given.encoding == "hex":
            return raw.hex()
        if given.encoding == "base64":
            return base64.b64encode(raw).decode()
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def written(now: float, how: str) -> str:
    if how == "iso":
        return datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(int(now * 1000) if how == "ms" else int(now))


def _key(secret: str, how: str) -> bytes:
    """Raises BackendUnavailable, which shows nothing of it."""
    try:
        if how == "hex":
            return bytes.fromhex(secret)
        return base64.b64decode(secret, validate=True) if how == "base64" else secret.encode()
    except ValueError:
        raise Unequipped(
            f"the secret of hmac is not {how}", hint="the operator mends the secret"
        ) from None
