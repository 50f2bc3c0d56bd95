"""A token as an authorization server gave it, and when it is to be had anew."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from oauthlib.oauth2 import OAuth2Error
from oauthlib.oauth2.rfc6749.parameters import parse_token_response

from gateway.credentials.oauth.documents import json_object
from gateway.errors import BackendUnavailable

LONGEST_LIFE = 10 * 365 * 86_400.0  # seconds; what is longer is a mistake
GIVEN = (200, 201)  # some servers say that they made one
_CODE = re.compile(r"[a-z0-9_.-]{1,64}")
_UNSAFE = re.compile(r"[^\x21-\x7e]")


class TokenRefused(BackendUnavailable):
    """The authorization server `issuer` gives no token; `error` is its code for why."""

    retryable = False

    def __init__(self, issuer: str, error: str, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.issuer = issuer
        self.error = error

    def again(self) -> "TokenRefused":
        """The same, for another caller."""
        return TokenRefused(self.issuer, self.error, str(self), self.hint)


class Token(msgspec.Struct, frozen=True):
    """Times are of the wall clock. `scopes` None: as asked for."""

    access: str
    refresh: str | None = None
    got_at: float = 0.0
    expires_at: float | None = None
    scopes: tuple[str, ...] | None = None

    def due(self, now: float, early: float) -> bool:
        """Whether to renew it: `early` seconds, or half its life if shorter, before its end."""
        if self.expires_at is None:
            return False
        return now >= self.expires_at - min(early, (self.expires_at - self.got_at) / 2)

    def expired(self, now: float) -> bool:
        return self.expires_at is not None and now >= self.expires_at

    def __repr__(self) -> str:
        return "<Token>"


def read(status: int, body: bytes, now: float, issuer: str) -> Token:
    """The answer of a token endpoint. Raises TokenRefused, whose text has nothing of the body."""
    try:
        told = _told(body.decode())
    except OAuth2Error as error:
        raise refused(issuer, error.error, status) from None
    except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError):
        raise refused(issuer, "", status) from None
    access, kind = told.get("access_token"), told.get("token_type", "bearer")
    if status not in GIVEN or not isinstance(access, str) or not access or _UNSAFE.search(access):
        raise refused(issuer, "", status)
    if str(kind).lower() != "bearer":
        text = f"{issuer} gave a token of another type than Bearer"
        raise TokenRefused(issuer, "token_type", text)
    refresh, life, scopes = told.get("refresh_token"), told.get("expires_in"), told.get("scope")
    return Token(
        access,
        refresh if isinstance(refresh, str) and refresh else None,
        now,
        now + life if isinstance(life, int | float) and 0 < life < LONGEST_LIFE else None,
        tuple(map(str, scopes)) if isinstance(scopes, list | tuple) else None,
    )


def _told(text: str) -> Mapping[str, Any]:
    """Some servers write a life that is no number: then nobody knows how long the token lives."""
    try:
        told: Mapping[str, Any] = parse_token_response(text)
    except (ValueError, TypeError, OverflowError):
        found = json_object(text.encode())
        if found is None or found.pop("expires_in", None) is None:
            raise
        told = parse_token_response(msgspec.json.encode(found).decode())
    return told


def refused(issuer: str, code: object, status: int) -> TokenRefused:
    """`code` is the server's word, believed only if it looks like one."""
    known = code if isinstance(code, str) and _CODE.fullmatch(code) else ""
    return TokenRefused(
        issuer,
        known,
        f"{issuer} gave no token: {known or f'HTTP {status} without one'}",
        "the operator of the gateway sees to its client id, secret and scopes there",
    )
