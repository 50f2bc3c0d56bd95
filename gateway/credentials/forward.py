"""`forward:` of a capability file: one named header of the caller's own request, handed on.

Never what the caller shows to the gateway: MCP forbids to pass that through. What is handed on
stands under a name of its own, and whoever sent it sent it for the API behind.
"""

import re
from collections.abc import Mapping

import msgspec

from gateway.credentials.base import Text
from gateway.credentials.static import with_headers
from gateway.errors import InvalidArguments
from gateway.http.message import HttpRequest, HttpResponse

OURS = frozenset(  # what a caller may show to the gateway itself
    {
        *("authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "apikey"),
        *("x-auth-token", "x-access-token", "x-capgate-key"),
    }
)
NOT_A_CREDENTIAL = frozenset(  # of the connection or the message: never for somebody behind
    {
        *("accept", "accept-encoding", "connection", "content-encoding", "content-length"),
        *("content-type", "expect", "forwarded", "host", "keep-alive", "last-event-id", "origin"),
        *("referer", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via"),
    }
)
PREFIXES = ("mcp-", "proxy-", "sec-", "x-forwarded-")

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]{1,16384}")


def ours(name: str) -> bool:
    """Whether a header, in lower case, may be meant for the gateway: it never leaves it."""
    return name in OURS or name.startswith("mcp-")


class Forward(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A header of the caller's request, such as `X-Upstream-Authorization`."""

    header: str
    """Its name in the caller's request; never one that is meant for the gateway itself."""
    to: str = "Authorization"
    """Its name in the request to the API."""
    required: bool = True
    """Without it a call is refused; if false, it goes out without."""

    def __post_init__(self) -> None:
        name = self.header.lower()
        if not _NAME.fullmatch(self.header):
            raise ValueError("header is no header name")
        if ours(name):
            raise ValueError(
                f"{self.header} is for the gateway itself and is not handed on; "
                "callers send such as X-Upstream-Authorization"
            )
        if name in NOT_A_CREDENTIAL or name.startswith(PREFIXES):
            raise ValueError(f"{self.header} is about the connection or the message")

    @property
    def header_names(self) -> tuple[str, ...]:
        return (self.to,)

    @property
    def inbound_names(self) -> tuple[str, ...]:
        return (self.header.lower(),)

    @property
    def texts(self) -> tuple[Text, ...]:
        return ()


class ForwardCredential:
    """Keeps nothing of what it hands on."""

    def __init__(self, given: Forward) -> None:
        self._given = given
        self._name = given.header.lower()

    async def apply(self, request: HttpRequest, inbound: Mapping[str, str]) -> HttpRequest:
        value = inbound.get(self._name)
        if value is None and not self._given.required:
            return request
        if value is None or not _VALUE.fullmatch(value):
            fault = "is missing from" if value is None else "cannot be handed on as it stands in"
            raise InvalidArguments(
                f"header {self._given.header} {fault} the request that brought this call",
                hint=f"send {self._given.header} with each request, over HTTP: "
                "it is what the API behind this tool is shown",
            )
        return with_headers(request, ((self._given.to, value),))

    async def challenged(self, sent: HttpRequest, response: HttpResponse) -> bool:
        return False

    async def aclose(self) -> None:
        """It holds nothing."""

    def __repr__(self) -> str:
        return f"<ForwardCredential {self._given.header}>"
