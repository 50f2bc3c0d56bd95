"""HTTP with SSE, the transport of 2024-11-05: one stream brings everything, POSTs are told where to
go by its first event.

That place must be of the stream's own origin, or a server could have us send our credentials
anywhere.
"""

import asyncio

import msgspec
from yarl import URL

from gateway.errors import BackendUnavailable, BadResponse, DeadlineExceeded, GatewayError, Reached
from gateway.http.direct import address
from gateway.http.failures import ConnectionLost
from gateway.http.pool import Stage
from gateway.protocol.received import LARGEST, Inbound
from gateway.protocol.sse import Parser
from gateway.transports.base import CLOSED, Headers, Means, Outbound, Peer, Transport
from gateway.transports.correlate import Correlation
from gateway.transports.refusals import (
    NOT_FOUND,
    OK,
    SUCCESS,
    discreet,
    failure,
    no_answer,
    session_gone,
    told,
)
from gateway.transports.requests import STREAM, Requests, media_type, unpacked

ENDPOINT_SECONDS = 10.0  # from the request for the stream to the event that names the place
LONGEST_ENDPOINT = 4096  # characters
ENDED = "the server ended its stream of events"


class Sse(msgspec.Struct, frozen=True):
    """An MCP server of 2024-11-05 at the URL of its stream."""

    url: str

    @property
    def label(self) -> str:
        return "sse"

    async def connect(self, peer: Peer, means: Means) -> Transport:
        return await opened(self.url, peer, means, ENDPOINT_SECONDS)


async def opened(url: str, peer: Peer, means: Means, seconds: float) -> "SseTransport":
    """Connected within `seconds`. Raises GatewayError."""
    transport = SseTransport(url, peer, means)
    try:
        async with asyncio.timeout(seconds):
            await transport.open()
    except TimeoutError:
        await transport.aclose()
        raise DeadlineExceeded(
            f"the server did not say within {seconds:g} s where requests go",
            hint="it may speak Streamable HTTP: the operator can try http_url",
            reached=Reached.NOT_SENT,
        ) from None
    except BaseException:
        await transport.aclose()
        raise
    return transport


class SseTransport:
    apart = False

    def __init__(self, url: str, peer: Peer, means: Means) -> None:
        self._url = url
        self._means = means
        self._peer = peer
        self._requests = Requests(url, means)
        self._parser = Parser(LARGEST)
        self._correlation = Correlation(means.name, peer, _unsaid)
        self._posts: Requests | None = None
        self._endpoint: asyncio.Future[Requests] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None
        self._over: str | None = None  # why nothing comes any more

    async def open(self) -> None:
        """Until the server has said where requests go."""
        self._task = asyncio.create_task(self._listen())
        self._posts = await self._endpoint

    async def request(self, out: Outbound) -> Inbound:
        waiter = self._correlation.expected(out.id)
        try:
            refused = await self._post(out.body, out.headers, out)
            return discreet(refused or await waiter, self._means.redact)
        finally:
            self._correlation.forget(out.id)
            if waiter.done() and not waiter.cancelled():
                waiter.exception()  # the POST failed as well, and that was told
            del waiter  # which holds the error that holds this frame

    async def send(self, body: bytes, headers: Headers = ()) -> None:
        await self._post(body, headers)

    def follow(self, headers: Headers) -> None:
        pass

    async def aclose(self) -> None:
        if self._over is None:
            self._end(CLOSED)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    # -- out --------------------------------------------------------------------------------------

    async def _post(
        self, body: bytes, headers: Headers, out: Outbound | None = None
    ) -> Inbound | None:
        """The error that the server answered at once, to `out`; mostly None."""
        if self._over is not None or self._posts is None:
            raise BackendUnavailable(self._over or CLOSED)
        repeatable = out is not None and out.repeatable
        answer = await self._posts.post(body, headers, Stage(), repeatable=repeatable)
        if answer.status in SUCCESS:
            return None
        if answer.status == NOT_FOUND:
            raise session_gone()
        found = told(answer, await unpacked(answer), out.id) if out is not None else None
        if found is None:
            raise failure(answer)
        return found

    # -- in ---------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        reason: GatewayError = ConnectionLost(ENDED)
        try:
            answer = await self._requests.get((), Stage(sink=self._hear))
            if answer.status != OK:
                reason = failure(answer)
            elif media_type(answer) != STREAM:
                reason = no_answer(answer)
        except GatewayError as error:
            reason = error
        if not self._endpoint.done():
            self._endpoint.set_exception(reason)
            self._over = str(reason)
        elif self._over is None:
            self._end(str(reason))
            self._peer.lost(str(reason))

    def _end(self, reason: str) -> None:
        self._over = reason
        self._correlation.fail(lambda: ConnectionLost(reason))

    def _hear(self, chunk: bytes) -> bool:
        for event in self._parser.feed_raw(chunk):
            if event.event == "message" and event.data:
                self._correlation.heard(event.data)
            elif event.event == "endpoint" and not self._endpoint.done():
                self._endpoint.set_result(self._place(event.data))
        return False

    def _place(self, data: bytes) -> Requests:
        """Raises BadResponse for what is no URL of the same origin."""
        try:
            text = data.decode("ascii")
            there = str(URL(self._url).join(URL(text)))
            fits = len(text) <= LONGEST_ENDPOINT and URL(there).raw_user is None
            if fits and address(there).origin == self._requests.to.origin:
                return Requests(there, self._means)
        except (ValueError, GatewayError):
            pass
        raise BadResponse(
            "the server wants requests sent to another origin than its own",
            hint="its operator may have to set its public URL",
        )


def _unsaid(_: str) -> str:
    """In the log: what a server makes up may hold what it was shown."""
    return ""
