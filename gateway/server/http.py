"""Every HTTP rule of the gateway and no HTTP library: the facts of a request in, a Reply out.

First the names by which we are addressed, then the path, then who calls, then the era. What a path
means is decided by comparing strings as they arrived, never on a normalised or decoded URL (I4,
I25).
"""

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol
from urllib.parse import quote, unquote

from msgspec import structs

from gateway.auth.protected import WELL_KNOWN
from gateway.domain.identity import Identity
from gateway.errors import Draining
from gateway.protocol import eras, jsonrpc, mcp
from gateway.protocol.header_values import Headers
from gateway.protocol.inbound import Rejection, is_modern
from gateway.server.addressing import Addressing
from gateway.server.agents import acting
from gateway.server.endpoint import Endpoint
from gateway.server.entrance import STRANGER, Entrance
from gateway.server.feed import Feed
from gateway.server.legacy import Legacy
from gateway.server.modern import POST_ONLY, Modern
from gateway.server.reply import Page, Post, Reply, Unreadable, refusal, text, unfit
from gateway.server.surface import Surface

ROOT = "/mcp"

NOT_FOUND = text(
    404, "not found: MCP is spoken at /mcp, and at /mcp/NAME for the tools of one server"
)
STOPPING = Rejection(
    jsonrpc.INTERNAL_ERROR,
    "the gateway is shutting down; try again in a moment",
    {"code": Draining.code, "retryable": Draining.retryable},
)
CLOSE = {"Connection": "close", "Retry-After": "1"}
UNKEPT = {"Cache-Control": "no-store"}


class Incoming(Protocol):
    """A request as its transport shows it."""

    @property
    def method(self) -> str: ...

    @property
    def target(self) -> str:
        """As on the request line, undecoded."""
        ...

    @property
    def headers(self) -> Headers: ...

    async def read(self) -> bytes:
        """The whole body, decompressed; raises Unreadable."""
        ...

    def begin(self, feed: Feed) -> None:
        """Send `feed` as the answer from now on; what `Http.answer` gives then is not sent."""
        ...

    def cancel_when_gone(self) -> None:
        """From now on the client's going away cancels the task that answers it."""
        ...


class Http:
    """`pages` are the other routes, by path; they answer GET and HEAD. `meta` None: direct mode
    alone.
    """

    def __init__(
        self,
        addressing: Addressing,
        entrance: Entrance,
        endpoint: Endpoint,
        meta: Surface | None,
        eras: tuple[Modern, Legacy],
        pages: Mapping[str, Page],
    ) -> None:
        self._addressing = addressing
        self._entrance = entrance
        self._endpoint = endpoint
        self._meta = meta
        self._modern, self._legacy = eras
        self._pages = pages
        self._busy = 0
        self._stopping = False
        self._idle = asyncio.Event()
        self._writing = asyncio.Lock()  # of a page, in a thread

    @property
    def stopping(self) -> bool:
        return self._stopping

    async def answer(self, incoming: Incoming) -> Reply:
        headers = incoming.headers
        refused = self._addressing.refuse(headers.get("host"), headers.get("origin"))
        if refused is not None:
            return text(refused.status, refused.reason)
        path = _path(incoming.target, headers)
        if path is None:
            return text(400, "the request target must be a path")
        page = self._pages.get(path)
        if page is None and path.startswith(WELL_KNOWN):
            page = self._metadata(path, headers)
            if page is not None:
                return await self._read(incoming, page, STRANGER)
        access = self._entrance.access
        caller = await self._caller(path, headers)
        if isinstance(caller, Reply):
            return caller
        if page is not None:
            return await self._read(incoming, page, caller)
        surface = self._surface(path, caller)
        if surface is None:
            return self._missing(path, caller)
        await self._endpoint.settled(surface)
        return await self._mcp(incoming, Post(surface, headers, incoming.begin, caller, access))

    async def _read(self, incoming: Incoming, page: Page, caller: Identity) -> Reply:
        if incoming.method not in ("GET", "HEAD"):
            return _only("GET, HEAD")
        told = page(caller)
        if isinstance(told, Reply):
            return told
        async with self._writing:
            return await asyncio.to_thread(told)

    async def _caller(self, path: str, headers: Headers) -> Identity | Reply:
        found = await self._entrance.admit(path, headers)
        return found if isinstance(found, Reply) else acting(found, headers)

    def _surface(self, path: str, caller: Identity) -> Surface | None:
        """What the path offers: `/mcp`, `/mcp/` or `/mcp/{backend}`, to the letter. An alias of a
        backend leads to it. One that the caller may not see is not there.
        """
        if path in (ROOT, ROOT + "/"):
            return self._meta
        name = _backend_name(path)
        return None if name is None else self._endpoint.backend(name, caller)

    def _missing(self, path: str, caller: Identity) -> Reply:
        """Who may see nothing at all, since nobody knows as which agent it acts, is told that of
        every backend, whether it is there or not.
        """
        why = self._endpoint.view(caller).rights.refusal
        if why is None or _backend_name(path) is None:
            return NOT_FOUND
        return refusal(403, why.explain())

    def _metadata(self, path: str, headers: Headers) -> Page | None:
        """Of the MCP URL whose path follows; that of `/mcp` where none does. It tells of no
        backend whether it is there.
        """
        of = path[len(WELL_KNOWN) :] or ROOT
        if of != ROOT and (of[0] != "/" or _backend_name(of) is None):
            return None
        found = self._entrance.metadata(of, headers)
        return None if found is None else lambda _: Reply(200, jsonrpc.encode(found), UNKEPT)

    async def _mcp(self, incoming: Incoming, post: Post) -> Reply:
        if incoming.method == "POST":
            return await self._counted(incoming, post)
        if eras.modern(post.headers.get(mcp.VERSION_HEADER)):
            return POST_ONLY
        if incoming.method == "DELETE":
            return self._legacy.delete(post)
        if incoming.method != "GET":
            return _only("GET, POST, DELETE")
        if self._stopping:
            return refusal(503, STOPPING.message, extra=CLOSE)
        return self._legacy.get(post)

    async def _counted(self, incoming: Incoming, post: Post) -> Reply:
        self._busy += 1
        try:
            return await self._post(incoming, post)
        except Unreadable as error:
            return error.reply
        finally:
            self._busy -= 1
            if not self._busy:
                self._idle.set()

    async def _post(self, incoming: Incoming, post: Post) -> Reply:
        wrong = unfit(post.headers)
        if wrong is not None:
            return wrong
        body = await incoming.read()
        if self._entrance.access is not post.access:  # whoever took his time may be let in no more
            caller = await self._caller(_path(incoming.target, post.headers) or "", post.headers)
            if isinstance(caller, Reply):
                return caller
            post = structs.replace(post, caller=caller)
        message = jsonrpc.decode(body)
        if isinstance(message, jsonrpc.Batch):
            modern = eras.modern(post.headers.get(mcp.VERSION_HEADER)) is not None
        else:
            modern = is_modern(message, post.headers)
        era = "modern" if modern else "legacy"
        if isinstance(message, jsonrpc.Problem):
            return Reply(400, self._endpoint.malformed(message, era))
        if self._stopping and isinstance(message, jsonrpc.Request):
            return Reply(503, self._endpoint.refuse(message, era, STOPPING).body, CLOSE)
        if not modern:
            return await self._legacy.post(post, message, len(body))
        incoming.cancel_when_gone()
        return await self._modern.post(post, message, len(body))

    async def drain(self, grace: float) -> None:
        """Refuse new calls, end the streams, and wait at most `grace` seconds for running calls."""
        self._stopping = True
        self._modern.finish()
        self._legacy.finish()
        if self._busy:
            self._idle.clear()
            try:
                async with asyncio.timeout(grace):
                    await self._idle.wait()
            except TimeoutError:
                return


@lru_cache(maxsize=1024)
def _backend_name(path: str) -> str | None:
    """The one segment below `/mcp/`, decoded, if it is spelled in the one right way."""
    root, _, segment = path[1:].partition("/")
    if root != ROOT[1:] or not segment:
        return None
    name = unquote(segment, errors="replace")
    return name if quote(name, safe="") == segment and "/" not in name else None


def _path(target: str, headers: Headers) -> str | None:
    """The path of the request target; an absolute one must name the very host of the Host
    header.
    """
    if not target.startswith("/"):
        prefix = f"http://{headers.get('host')}/"
        if not target.startswith(prefix):
            return None
        target = target[len(prefix) - 1 :]
    return target.partition("?")[0]


def _only(methods: str) -> Reply:
    return refusal(405, f"allowed here: {methods}", extra={"Allow": methods})
