"""`digest:` of a capability file: a password that is proven without being sent (RFC 7616, 2069).

The first request goes out without a proof; the nonce of its refusal then serves until it is refused
itself. MD5 and its like are what servers ask for: nothing here relies on their strength.
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from gateway.credentials.base import Rendered
from gateway.credentials.oauth.challenge import Challenge, challenges
from gateway.credentials.static import Account, with_headers
from gateway.http.message import HttpRequest, HttpResponse, target

REFUSED = 401
ALGORITHMS = {  # a challenge's word, in upper case → hashlib's
    "SHA-512-256": "sha512_256",
    "SHA-512": "sha512",
    "SHA512": "sha512",
    "SHA-256": "sha256",
    "SHA256": "sha256",
    "MD5": "md5",
}
SESSION = "-SESS"
AUTH, AUTH_INT = "auth", "auth-int"

_QUOTABLE = re.compile(r"[^\x00-\x1f\x7f]*")
_WORD = re.compile(r"[\s,]+")


class Digest(Account, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A password that never travels: the API names what to hash it with."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A challenge that we can answer. `qop` empty: as in RFC 2069."""

    realm: str
    nonce: str
    opaque: str | None
    algorithm: str | None  # as it was written: it goes back that way
    hash: str
    session: bool
    qop: str
    userhash: bool
    stale: bool

    def __repr__(self) -> str:
        return f"<Asked {self.hash}>"


class DigestCredential:
    """One nonce for all calls, each use counted."""

    def __init__(
        self,
        username: Rendered,
        password: Rendered,
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._username = username
        self._password = password
        self._nonce = nonce
        self._asked: Asked | None = None
        self._count = 0

    async def apply(self, request: HttpRequest, inbound: Mapping[str, str]) -> HttpRequest:
        if self._asked is None:
            return request
        self._count += 1
        who = Who(self._username(), self._password())
        shown = proof(self._asked, who, request, self._count, self._nonce())
        return with_headers(request, (("Authorization", shown),))

    async def challenged(self, sent: HttpRequest, response: HttpResponse) -> bool:
        if response.status != REFUSED:
            return False
        asked = choose(challenges(response.headers.get("www-authenticate", "")))
        if asked is None:
            return False
        shown = dict(sent.headers).get("Authorization", "")
        mine = self._asked is not None and f'nonce="{_escaped(self._asked.nonce)}"' in shown
        fresh = ", nc=00000001," in shown if "qop=" in shown else self._count == 1
        if mine and fresh and not asked.stale:
            self._asked = None  # a nonce that was new: it is the password that is refused
            return False
        if shown and not mine and self._asked is not None:
            return True  # another call has had a newer nonce since
        self._asked, self._count = asked, 0
        return True

    async def aclose(self) -> None:
        self._asked = None

    def __repr__(self) -> str:
        return "<DigestCredential>"


@dataclass(frozen=True, slots=True)
class Who:
    username: str
    password: str

    def __repr__(self) -> str:
        return "<Who>"


def choose(offered: list[Challenge]) -> Asked | None:
    """The first that we can answer: servers list them best first (RFC 7616 section 3.7)."""
    found = [each for each in map(_read, offered) if each is not None]
    return found[0] if found else None


def _read(challenge: Challenge) -> Asked | None:
    params = challenge.params
    realm, nonce = params.get("realm"), params.get("nonce")
    if challenge.scheme != "digest" or realm is None or not nonce:
        return None
    written = params.get("algorithm")
    name = (written or "MD5").upper()
    hash_name = ALGORITHMS.get(name.removesuffix(SESSION), "")
    offered = _WORD.split(params.get("qop", "").strip().lower())
    qop = next((one for one in (AUTH, AUTH_INT, "") if one in offered), None)
    if hash_name not in hashlib.algorithms_available or qop is None:
        return None
    told = (realm, nonce, params.get("opaque") or "", written or "")
    if not all(_QUOTABLE.fullmatch(text) for text in told):
        return None
    return Asked(
        realm,
        nonce,
        params.get("opaque"),
        written,
        hash_name,
        name.endswith(SESSION),
        qop,
        params.get("userhash", "").lower() == "true",
        params.get("stale", "").lower() == "true",
    )


def proof(asked: Asked, who: Who, request: HttpRequest, count: int, cnonce: str) -> str:
    """The Authorization header (RFC 7616 section 3.4)."""
    uri, used = target(request.url), f"{count:08x}"

    def digest(*parts: str) -> str:
        return _hashed(asked.hash, ":".join(parts).encode())

    first = digest(who.username, asked.realm, who.password)
    if asked.session:
        first = digest(first, asked.nonce, cnonce)
    body = [_hashed(asked.hash, request.body or b"")] if asked.qop == AUTH_INT else []
    second = digest(request.method, uri, *body)
    counted = [used, cnonce, asked.qop] if asked.qop else []
    response = digest(first, asked.nonce, *counted, second)
    told = [
        _user(digest(who.username, asked.realm) if asked.userhash else who.username),
        f'realm="{_escaped(asked.realm)}"',
        f'nonce="{_escaped(asked.nonce)}"',
        f'uri="{uri}"',
        f'response="{response}"',
    ]
    if asked.algorithm is not None:
        told.append(f"algorithm={asked.algorithm}")
    if asked.qop:
        told.append(f'qop={asked.qop}, nc={used}, cnonce="{cnonce}"')
    elif asked.session:
        told.append(f'cnonce="{cnonce}"')  # else nobody could check the proof
    if asked.opaque is not None:
        told.append(f'opaque="{_escaped(asked.opaque)}"')
    return f"Digest {', '.join([*told, *(['userhash=true'] if asked.userhash else [])])}"


def _hashed(name: str, data: bytes) -> str:
    return hashlib.new(name, data, usedforsecurity=False).hexdigest()


def _user(text: str) -> str:
    """What is not ASCII goes as RFC 8187 says."""
    if text.isascii():
        return f'username="{_escaped(text)}"'
    return f"username*=UTF-8''{quote(text, safe='')}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
