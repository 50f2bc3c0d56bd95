"""HTTP requests to one MCP server, written from nothing: what its client sent never gets into them.

The head of a request hardly changes from one to the next, so it is kept; credentials are asked for
each time, and shown anew once when they are refused.
"""

import re
from urllib.parse import quote, urlencode

from yarl import URL

from gateway.credentials.base import Pairs
from gateway.errors import InvalidArguments
from gateway.http.direct import address
from gateway.http.inflate import inflate
from gateway.http.message import HttpResponse
from gateway.http.pool import Stage
from gateway.protocol.received import LARGEST
from gateway.transports.base import Headers, Means
from gateway.version import __version__

CHALLENGES = frozenset({401, 403})
STREAM = "text/event-stream"
BOTH = f"application/json, {STREAM}"
RESERVED = (
    frozenset(  # no credential may take the place of what frames a request or names what it is of
        {
            "accept",
            "accept-encoding",
            "connection",
            "content-encoding",
            "content-length",
            "content-type",
            "expect",
            "host",
            "keep-alive",
            "last-event-id",
            "mcp-method",
            "mcp-name",
            "mcp-protocol-version",
            "mcp-session-id",
            "proxy-connection",
            "te",
            "traceparent",
            "tracestate",
            "trailer",
            "transfer-encoding",
            "upgrade",
        }
    )
)
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Requests:
    """`session` is the value of `Mcp-Session-Id` to send, None for none.

    The methods give the answer, whatever its status; an event stream goes to the sink of `stage`.
    They raise GatewayError, and take as long as it takes.
    """

    def __init__(self, url: str, means: Means) -> None:
        """Raises Unreachable or InvalidArguments for a URL that cannot be asked."""
        self.to = address(str(URL(url).with_fragment(None)))
        self.session: str | None = None
        self.backend = means.name
        self.redact = means.redact
        self._http = means.http
        self._authorizer = means.authorizer
        self._heads: dict[str, tuple[str | None, Pairs, Pairs, bytes]] = {}

    async def post(
        self, body: bytes, headers: Headers, stage: Stage, *, repeatable: bool = False
    ) -> HttpResponse:
        return await self._send("POST", headers, body, stage, repeatable=repeatable)

    async def get(self, headers: Headers, stage: Stage) -> HttpResponse:
        """Open a stream of events."""
        stage.lasting = True
        return await self._send("GET", headers, None, stage, repeatable=True)

    async def delete(self, headers: Headers) -> HttpResponse:
        return await self._send("DELETE", headers, None, Stage(), repeatable=True)

    async def _send(
        self, method: str, headers: Headers, body: bytes | None, stage: Stage, *, repeatable: bool
    ) -> HttpResponse:
        tail = _lines(headers)
        if body is None:
            tail += b"\r\n"
        else:
            tail += b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        authorizer = self._authorizer
        if authorizer is None:
            data = self._head(method, (), ()) + tail
            return await self._http.send(self.to, data, LARGEST, stage, repeatable=repeatable)
        again = False
        while True:
            shown = await authorizer.headers()
            data = self._head(method, authorizer.query(), shown) + tail
            answer = await self._http.send(self.to, data, LARGEST, stage, repeatable=repeatable)
            if answer.status not in CHALLENGES:
                return answer
            if not await authorizer.challenged(answer.status, answer.headers, shown) or again:
                return answer
            again = True

    def _head(self, method: str, query: Pairs, shown: Pairs) -> bytes:
        """What precedes the headers of one request alone."""
        kept = self._heads.get(method)
        if kept and kept[0] == self.session and kept[1] == query and kept[2] == shown:
            return kept[3]
        head = self._written(method, query, shown)
        self._heads[method] = self.session, query, shown, head
        return head

    def _written(self, method: str, query: Pairs, shown: Pairs) -> bytes:
        target = self.to.target
        if query:
            mark = "&" if "?" in target else "?"
            target += mark + urlencode(query, quote_via=quote)
        own = [("Host", self.to.host), ("Accept", STREAM if method == "GET" else BOTH)]
        own.append(("Accept-Encoding", "identity"))
        if method == "POST":
            own.append(("Content-Type", "application/json"))
        if self.session is not None:
            own.append(("Mcp-Session-Id", self.session))
        theirs = [(name, value) for name, value in shown if _allowed(name)]
        if all(name.lower() != "user-agent" for name, _ in theirs):
            own.append(("User-Agent", f"capgate/{__version__}"))
        return f"{method} {target} HTTP/1.1\r\n".encode() + _lines((*own, *theirs))


def _allowed(name: str) -> bool:
    return TOKEN.fullmatch(name) is not None and name.lower() not in RESERVED


def _lines(headers: Headers) -> bytes:
    """Raises InvalidArguments for a value that cannot go out."""
    lines = []
    for name, value in headers:
        if CONTROL.search(value):
            raise InvalidArguments("a header value holds a control character")
        lines.append(f"{name}: {value}\r\n")
    try:
        return "".join(lines).encode()
    except UnicodeEncodeError:
        raise InvalidArguments("a header value holds half a surrogate pair") from None


def media_type(answer: HttpResponse) -> str:
    """`text/html` of `text/html; charset=utf-8`; empty where there is none."""
    return answer.headers.get("content-type", "").partition(";")[0].strip().lower()


async def unpacked(answer: HttpResponse) -> bytes:
    """The body of an answer, its content encoding undone. Raises BadResponse."""
    encoding = answer.headers.get("content-encoding")
    if encoding:
        return await inflate(answer.body, encoding, LARGEST)
    return answer.body
