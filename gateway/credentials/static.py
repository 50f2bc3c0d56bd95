"""Credentials that are fixed texts: bearer token, basic, named headers, query pairs."""

import base64
import re
from collections.abc import Callable, Mapping

import msgspec

from gateway.credentials.base import Pairs, Rendered
from gateway.errors import BackendUnavailable

_UNSAFE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # what could end a header line, and its like


class Basic(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    username: str
    password: str


class Headers:
    """Shows header values. `prefix` is the scheme before the secret, such as `Bearer `."""

    def __init__(self, given: Mapping[str, Rendered]) -> None:
        self._given = tuple(given.items())

    def headers(self) -> Pairs:
        return tuple([(name, _safe(name, text())) for name, text in self._given])

    def query(self) -> Pairs:
        return ()


class Query:
    """Shows query pairs, not yet percent-encoded."""

    def __init__(self, given: Mapping[str, Rendered]) -> None:
        self._given = tuple(given.items())

    def headers(self) -> Pairs:
        return ()

    def query(self) -> Pairs:
        return tuple([(name, text()) for name, text in self._given])


def bearer(token: Rendered) -> Headers:
    return Headers({"Authorization": lambda: f"Bearer {token()}"})


def basic(given: Basic, render: Callable[[str], Rendered]) -> Headers:
    """RFC 7617, UTF-8."""
    username, password = render(given.username), render(given.password)

    def shown() -> str:
        pair = f"{username()}:{password()}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"

    return Headers({"Authorization": shown})


def _safe(name: str, value: str) -> str:
    if _UNSAFE.search(value):
        raise BackendUnavailable(
            f"the credential for header {name} holds a control character",
            hint="the operator mends the secret: it must be one line",
        )
    return value
