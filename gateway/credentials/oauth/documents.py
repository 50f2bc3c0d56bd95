"""Documents of servers we were pointed to: what may be fetched, how much of it, for how long.

The URLs come from strangers (I62). So: HTTPS, or HTTP to this machine; public addresses, unless the
MCP server itself is a private one; no other origin by redirect; 64 KiB; 10 seconds.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Protocol

import msgspec
from yarl import URL

from gateway.errors import BackendUnavailable, GatewayError
from gateway.http.addresses import THIS_MACHINE, names_private
from gateway.http.failures import Unreachable
from gateway.http.message import HttpRequest, HttpResponse

CAP = 64 * 1024  # bytes
SECONDS = 10.0
LONGEST = 2048  # characters of a URL
CLIENT_ERROR = 400
SERVER_ERROR = 500

_USER = re.compile("//[^/]*@")
MEANT = "if that is a private address and meant, the operator sets allow_private: true in oauth:"

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


class Http(Protocol):
    """`gateway.http.outgoing.Outgoing`, as far as it is needed here."""

    async def send(
        self, request: HttpRequest, *, seconds: float, cap: int, private: bool = False
    ) -> HttpResponse: ...


class Distrusted(BackendUnavailable):
    """We do not go where we were sent."""

    retryable = False
    advice = "the operator of the gateway asks whoever runs that server to mend it"


class Documents:
    """`home` is the MCP server's URL: its own origin may always be asked. Empty, there is none.

    `private`: its operator lets us reach private addresses for it; `meant` is what he does else.
    """

    def __init__(self, http: Http, home: str, *, private: bool = False, meant: str = MEANT) -> None:
        self._meant = meant
        self._http = http
        self._home = URL(home)
        self._private = private or names_private(self._home.host or "")

    async def get(self, url: str, what: str) -> dict[str, Any] | None:
        """The JSON object there; None where there is none.

        Raises Distrusted, and BackendUnavailable for a server that fails or does not answer.
        """
        answer = await self._send("GET", url, what)
        if answer.status >= SERVER_ERROR:
            raise BackendUnavailable(f"{what} at {_shown(url)}: HTTP {answer.status}")
        return None if answer.status >= CLIENT_ERROR else json_object(answer.body)

    async def post(
        self, url: str, what: str, body: bytes, kind: str, headers: Mapping[str, str] | None = None
    ) -> HttpResponse:
        """Raises as `get`; any status is an answer."""
        return await self._send("POST", url, what, {"Content-Type": kind, **(headers or {})}, body)

    def check(self, url: str, what: str) -> URL:
        """`url`, which may be fetched, or shown to a person. Raises Distrusted."""
        reason = problem(url, private=self._private, home=self._home)
        if reason:
            raise Distrusted(f"{what} {_shown(url)} is not followed: {reason}")
        return URL(url)

    async def _send(
        self,
        method: str,
        url: str,
        what: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> HttpResponse:
        target = self.check(url, what)
        request = HttpRequest(
            method,
            str(target),
            (("Accept", JSON), *(headers or {}).items()),
            body,
            route=f"{method} {target.origin()}{target.raw_path}",
        )
        private = self._private or _same_origin(target, self._home)
        try:
            return await self._http.send(request, seconds=SECONDS, cap=CAP, private=private)
        except Unreachable as error:
            raise Distrusted(f"{what} at {target.origin()}: {error}", hint=self._meant) from None
        except GatewayError as error:
            raise BackendUnavailable(f"{what} at {target.origin()}: {error}") from None


def problem(text: str, *, private: bool, home: URL) -> str | None:
    """Why a URL is not to be used, or None. Names are judged by their addresses when dialled."""
    try:
        url = URL(text) if len(text) <= LONGEST else URL()
        host = url.host or ""
    except ValueError:
        return "it is no URL"
    if url.scheme not in {"http", "https"} or not host:
        return "it is no web address"
    if url.user is not None or url.password is not None or url.fragment:
        return "it holds a user, a password or a fragment"
    if url.scheme == "http" and not loopback(host):
        return "it is not encrypted"
    if names_private(host) and not private and not _same_origin(url, home):
        return "it is a private address"
    return None


def _same_origin(url: URL, home: URL) -> bool:
    return home.absolute and url.origin() == home.origin()


def loopback(host: str) -> bool:
    """Whether a host is, plainly written, this machine."""
    name = host.strip("[]").rstrip(".").lower()
    if name in THIS_MACHINE:
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def json_object(body: bytes) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _shown(url: str) -> str:
    """A stranger's URL for a message: short, without its query and password."""
    return repr(_USER.sub("//", url.partition("?")[0].partition("#")[0][:LONGEST])[:120])
