"""A signed token taken apart, and its signature compared with an issuer's public keys. Pure.

Sources: RFC 7515, RFC 7517, RFC 8725. Its header chooses among our keys and algorithms and says
nothing else: keys or addresses of keys in it are not looked at, extensions that it calls critical
refuse it.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from gateway.auth.access import NotLetIn, Why
from gateway.credentials.oauth.documents import json_object

TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt", "application/jwt"})
KINDS = frozenset({"RSA", "EC", "OKP"})  # never a shared secret
SIGNING_CURVES = frozenset({"Ed25519", "Ed448", "P-256", "P-384", "P-521"})
SMALLEST, LARGEST = 2048, 8192  # bits of an RSA modulus
MOST = 64  # keys of an issuer
TRIED = 8  # keys for one token
LONGEST = 256  # characters of a key id

PublicKey = RSAKey | ECKey | OKPKey

_PART = re.compile(r"[A-Za-z0-9_-]*")


class Token(NamedTuple):
    """`signed` are the bytes that `signature` is of."""

    algorithm: str
    kid: str | None
    signed: bytes
    signature: bytes
    payload: bytes


def taken_apart(token: str, algorithms: Sequence[str]) -> Token:
    """Raises NotLetIn for what is no such token, or is signed in another way."""
    head, payload, signature = token.split(".")
    header = json_object(_decoded(head)) or {}
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise NotLetIn(Why.INVALID)
    if "crit" in header or "b64" in header:
        raise NotLetIn(Why.INVALID)
    if not isinstance(kind, str) or kind.lower() not in TYPES:
        raise NotLetIn(Why.INVALID)
    if kid is not None and (not isinstance(kid, str) or len(kid) > LONGEST):
        raise NotLetIn(Why.INVALID)
    signed = f"{head}.{payload}".encode()
    return Token(algorithm, kid, signed, _decoded(signature), _decoded(payload))


def claims_of(token: Token) -> Mapping[str, Any]:
    found = json_object(token.payload)
    if found is None:
        raise NotLetIn(Why.INVALID)
    return found


class PublicKeys:
    """Those of one issuer (RFC 7517 section 5). What we cannot use is left out."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        listed = document.get("keys")
        found = [_key(one) for one in listed[:MOST]] if isinstance(listed, list) else []
        self._keys: list[PublicKey] = [key for key in found if key is not None]

    def __len__(self) -> int:
        return len(self._keys)

    def known(self, kid: str | None) -> bool:
        """Whether one of them may be meant."""
        return any(kid is None or key.kid in (None, kid) for key in self._keys)

    def verify(self, token: Token) -> None:
        """Raises NotLetIn."""
        algorithm = JWSRegistry.algorithms[token.algorithm]
        tried = 0
        for key in self._keys:
            if token.kid is not None and key.kid not in (None, token.kid):
                continue
            try:
                algorithm.check_key(key)
                if algorithm.verify(token.signed, token.signature, key):
                    return
            except (JoseError, ValueError):
                continue
            tried += 1
            if tried >= TRIED:
                break
        raise NotLetIn(Why.INVALID)


def _key(one: object) -> PublicKey | None:
    """None for what is no public key that signs."""
    if not isinstance(one, dict) or "d" in one:
        return None
    kind, curve = (str(one.get(name)) for name in ("kty", "crv"))  # a list has no hash
    if kind not in KINDS or (kind != "RSA" and curve not in SIGNING_CURVES):
        return None
    if kind == "RSA" and not SMALLEST <= _bits(one.get("n")) <= LARGEST:
        return None
    try:
        found = JWKRegistry.import_key(one)
        found.check_use("sig")
        found.check_key_op("verify")
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return found if isinstance(found, PublicKey) else None


def _bits(modulus: object) -> int:
    if not isinstance(modulus, str):
        return 0
    try:
        return int.from_bytes(_decoded(modulus)).bit_length()
    except NotLetIn:
        return 0


def _decoded(text: str) -> bytes:
    """Base64 as RFC 7515 has it: no padding, no other character."""
    if not _PART.fullmatch(text):
        raise NotLetIn(Why.INVALID)
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise NotLetIn(Why.INVALID) from None
