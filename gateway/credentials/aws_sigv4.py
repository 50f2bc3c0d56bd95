"""`aws_sigv4:` of a capability file: requests signed as AWS wants them, by AWS's own signer.

What is signed is what goes out: so the URL is first brought into the one form that AWS's servers
come to by themselves. botocore is an extra, loaded for the first file that needs it.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote_to_bytes

import msgspec

from gateway.credentials.base import Rendered, Text
from gateway.credentials.static import with_headers
from gateway.errors import Unequipped
from gateway.http.message import HttpRequest, HttpResponse, target

SETS = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-SHA256")
MISSING = "aws_sigv4 needs botocore, which is not installed: pip install 'capgate[aws]'"
ONCE_ENCODED = frozenset({"s3", "s3-object-lambda", "s3-outposts", "s3express"})


class AwsSigV4(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """AWS Signature Version 4."""

    region: str
    """Such as `eu-west-1`."""
    service: str
    """The service's name in signatures, such as `s3`, `execute-api` or `dynamodb`."""
    access_key: str
    secret_key: str
    session_token: str | None = None
    """Of temporary credentials."""

    @property
    def header_names(self) -> tuple[str, ...]:
        return SETS

    @property
    def texts(self) -> tuple[Text, ...]:
        given = [(name, getattr(self, name)) for name in self.__struct_fields__]
        return tuple(Text((name,), text) for name, text in given if text is not None)

    def problem(self, constant: Callable[[str], str]) -> str | None:
        """Loads the signer, where files are loaded, so that no call waits for it."""
        return None if signer() else MISSING


class Keys(NamedTuple):
    """As botocore knows them."""

    access_key: str
    secret_key: str
    token: str | None

    def __repr__(self) -> str:
        return "<Keys>"


class AwsSigV4Credential:
    """`given` are the settings' texts by their names."""

    def __init__(self, given: Mapping[str, Rendered]) -> None:
        self._given = given

    async def apply(self, request: HttpRequest, inbound: Mapping[str, str]) -> HttpRequest:
        modules = signer()
        if modules is None:
            raise Unequipped(MISSING)
        return signed(request, {name: text() for name, text in self._given.items()}, modules)

    async def challenged(self, sent: HttpRequest, response: HttpResponse) -> bool:
        return False

    async def aclose(self) -> None:
        """It holds nothing."""

    def __repr__(self) -> str:
        return "<AwsSigV4Credential>"


class Modules(NamedTuple):
    """What is used of botocore."""

    auth: Any
    awsrequest: Any


def signer() -> Modules | None:
    """botocore, or None where it is not installed."""
    try:
        from botocore import auth, awsrequest  # noqa: PLC0415  200 ms to load
    except ImportError:
        return None
    logging.getLogger(auth.__name__).setLevel(logging.INFO)  # it would log what it signs
    return Modules(auth, awsrequest)


def signed(request: HttpRequest, given: Mapping[str, str], modules: Modules) -> HttpRequest:
    service = given["service"]
    keys = Keys(given["access_key"], given["secret_key"], given.get("session_token"))
    url = settled(request.url)
    headers = {name: value for name, value in request.headers if name.lower() != "date"}
    plain = service in ONCE_ENCODED
    read = _as_read(url) if plain else url
    work = modules.awsrequest.AWSRequest(request.method, read, headers, request.body or b"")
    kind = modules.auth.S3SigV4Auth if plain else modules.auth.SigV4Auth
    kind(keys, service, given["region"]).add_auth(work)
    shown = tuple((name, work.headers[name]) for name in SETS if name in work.headers)
    bare = HttpRequest(request.method, url, request.headers, request.body, request.route)
    return with_headers(bare, shown)


def settled(url: str) -> str:
    """`url` in the form that AWS signs: all is percent-encoded that can be, in capitals. What was
    one segment stays one.
    """
    path, mark, query = target(url).partition("?")
    scheme, _, rest = url.partition("://")
    start = f"{scheme}://{rest.partition('?')[0].partition('/')[0]}"
    path = "/".join([quote(unquote_to_bytes(part), safe="~") for part in path.split("/")])
    pairs = [pair.partition("=") for pair in query.split("&")]
    query = "&".join([_encoded(name) + equals + _encoded(value) for name, equals, value in pairs])
    return f"{start}{path}{mark}{query}"


def _as_read(url: str) -> str:
    """As those services read it before they check: `%2F` is a part of the name like `/`."""
    path, mark, query = url.partition("?")
    return path.replace("%2F", "/") + mark + query


def _encoded(text: str) -> str:
    return quote(unquote_to_bytes(text.replace("+", " ")), safe="~")
