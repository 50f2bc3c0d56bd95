"""Credentials that are fixed texts: bearer token, basic, named headers, query pairs."""

import base64
import re
from collections.abc import Callable, Mapping
from urllib.parse import quote_plus

import msgspec

from gateway.credentials.base import Pairs, Render, Rendered, Text
from gateway.errors import Unequipped
from gateway.http.message import HttpRequest, HttpResponse

_UNSAFE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # what could end a header line, and its like


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A name and its password, proven in one header."""

    username: str
    password: str

    @property
    def header_names(self) -> tuple[str, ...]:
        return ("Authorization",)

    @property
    def texts(self) -> tuple[Text, ...]:
        return Text(("username",), self.username), Text(("password",), self.password)


class Basic(Account, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """RFC 7617."""


class Static:
    """What never changes but with its secrets. A refusal of it is final."""

    async def apply(self, request: HttpRequest, inbound: Mapping[str, str]) -> HttpRequest:
        return self.applied(request)

    def applied(self, request: HttpRequest) -> HttpRequest:
        """Raises BackendUnavailable."""
        raise NotImplementedError

    async def challenged(self, sent: HttpRequest, response: HttpResponse) -> bool:
        return False

    async def aclose(self) -> None:
        """It holds nothing."""


class Headers(Static):
    """Shows header values."""

    def __init__(self, given: Mapping[str, Callable[[], str]]) -> None:
        self._given = tuple(given.items())

    def applied(self, request: HttpRequest) -> HttpRequest:
        return with_headers(request, tuple([(name, text()) for name, text in self._given]))


class Query(Static):
    """Shows query pairs."""

    def __init__(self, given: Mapping[str, Callable[[], str]]) -> None:
        self._given = tuple(given.items())

    def applied(self, request: HttpRequest) -> HttpRequest:
        return with_query(request, tuple([(name, text()) for name, text in self._given]))


def bearer(token: Rendered) -> Headers:
    return Headers({"Authorization": lambda: f"Bearer {token()}"})


def basic(given: Basic, render: Render) -> Headers:
    """UTF-8."""
    username, password = render(given.username), render(given.password)

    def shown() -> str:
        pair = f"{username()}:{password()}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"

    return Headers({"Authorization": shown})


def with_headers(request: HttpRequest, headers: Pairs) -> HttpRequest:
    """Raises BackendUnavailable for a value that is not one line."""
    for name, value in headers:
        if _UNSAFE.search(value):
            raise Unequipped(
                f"the credential for header {name} holds a control character",
                hint="the operator mends the secret: it must be one line",
            )
    found = (*request.headers, *headers)
    return HttpRequest(request.method, request.url, found, request.body, request.route)


def with_query(request: HttpRequest, pairs: Pairs) -> HttpRequest:
    """`pairs` are not percent-encoded yet."""
    url = request.url
    for name, value in pairs:
        url += f"{'&' if '?' in url else '?'}{quote_plus(name)}={quote_plus(value)}"
    return HttpRequest(request.method, url, request.headers, request.body, request.route)
