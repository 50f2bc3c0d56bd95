"""HTTP in our own terms, so that no rule of the front knows the library that carries it."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

import msgspec

from gateway.auth.access import Access
from gateway.domain.identity import Identity
from gateway.protocol import jsonrpc
from gateway.protocol.header_values import Headers
from gateway.server.feed import Feed
from gateway.server.surface import Surface

JSON = "application/json"
EVENTS = "text/event-stream"

Extra = Mapping[str, str]
NOTHING: Extra = MappingProxyType({})


class Reply(msgspec.Struct, frozen=True, gc=False):
    """A whole answer, or the beginning of one that `feed` continues until it ends."""

    status: int
    body: bytes = b""
    extra: Extra = NOTHING  # headers beyond the content type
    kind: str = JSON
    feed: Feed | None = None


Later = Callable[[], Reply]  # takes so long that a thread has to do it, one at a time
Page = Callable[[Identity], Reply | Later]  # what is told that caller


class Post(msgspec.Struct, frozen=True, gc=False):
    """What arrives at an MCP URL: the surface it leads to, the headers, who calls, and by what that
    was found out.

    `begin` starts to send a feed as the answer, while it is still being worked out.
    """

    surface: Surface
    headers: Headers
    begin: Callable[[Feed], None]
    caller: Identity
    access: Access


class Unreadable(Exception):
    """The body cannot be taken: too large (413), too slow (408), cut off (400)."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.reply = refusal(status, reason)


def refusal(
    status: int, reason: str, *, id: jsonrpc.Id | None = None, extra: Extra = NOTHING
) -> Reply:
    """A refusal below the protocol's methods, as a JSON-RPC error that any client can read."""
    return Reply(status, jsonrpc.error(id, jsonrpc.INVALID_REQUEST, reason), extra)


def text(status: int, words: str) -> Reply:
    return Reply(status, f"{words}\n".encode(), kind="text/plain; charset=utf-8")


def stream(feed: Feed) -> Reply:
    return Reply(200, kind=EVENTS, feed=feed, extra=STREAM_HEADERS)


STREAMED = Reply(200, kind=EVENTS)  # by a feed that was begun before

STREAM_HEADERS: Extra = MappingProxyType(
    {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
)


@lru_cache(maxsize=256)
def accepts(header: str | None, kind: str) -> bool:
    """Whether an Accept header takes `kind`; an absent one takes nothing (it is required)."""
    family = kind.split("/", 1)[0]
    for part in (header or "").split(","):
        name, _, parameters = part.partition(";")
        refused = parameters.replace(" ", "").lower() in ("q=0", "q=0.0")
        if not refused and name.strip().lower() in (kind, f"{family}/*", "*/*"):
            return True
    return False


@lru_cache(maxsize=256)
def is_json(content_type: str | None) -> bool:
    """Whether a body is announced as JSON in UTF-8."""
    name, _, parameters = (content_type or "").partition(";")
    charset = parameters.replace(" ", "").replace('"', "").lower()
    return name.strip().lower() == JSON and charset in ("", "charset=utf-8", "charset=utf8")


def unfit(headers: Headers) -> Reply | None:
    """What is wrong with a POST before its body is read: its types (I12)."""
    if not is_json(headers.get("content-type")):
        return refusal(415, f"Content-Type must be {JSON}")
    accept = headers.get("accept")
    if not (accepts(accept, JSON) and accepts(accept, EVENTS)):
        return refusal(406, f"Accept must list {JSON} and {EVENTS}")
    return None
