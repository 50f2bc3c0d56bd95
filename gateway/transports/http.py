"""Streamable HTTP: each request a POST, answered by one JSON message or by a stream of events.

A legacy server may name a session, end a stream before the answer and go on with it later
(SEP-1699), and talk on a standing stream; a modern one does none of that, so none of it happens.
Redirects are not followed, and cookies are not kept.
"""

import asyncio
import contextlib
import random
import re
from collections.abc import Callable

import msgspec

from gateway.errors import BackendUnavailable, BadResponse, GatewayError, Reached
from gateway.http.failures import ConnectionLost
from gateway.http.message import HttpResponse
from gateway.http.pool import Stage
from gateway.protocol.mcp import INITIALIZE, LISTEN, SESSION_HEADER
from gateway.protocol.received import Inbound
from gateway.transports.base import CLOSED, Headers, Means, Outbound, Peer, Transport
from gateway.transports.refusals import (
    NOT_FOUND,
    OK,
    SERVER_ERROR,
    SUCCESS,
    TOO_MANY,
    UNAUTHORIZED,
    discreet,
    failure,
    no_answer,
    session_gone,
    session_lost,
    told,
)
from gateway.transports.requests import STREAM, Requests, media_type, unpacked
from gateway.transports.standing import Standing
from gateway.transports.streams import Reading

JSON = frozenset({"application/json", ""})
GOODBYE_SECONDS = 1.0
TRIES = 5  # in a row, to hear a broken stream's end
SESSION_ID = re.compile(r"[!-~]{1,1024}")


class Http(msgspec.Struct, frozen=True):
    """An MCP server at a URL."""

    url: str

    @property
    def label(self) -> str:
        return "http"

    async def connect(self, peer: Peer, means: Means) -> Transport:
        """Sends nothing yet."""
        return HttpTransport(Requests(self.url, means), peer)


class HttpTransport:
    """`rng` spreads the attempts to hear the standing stream again."""

    apart = True

    def __init__(
        self, requests: Requests, peer: Peer, rng: Callable[[], float] = random.random
    ) -> None:
        self._requests = requests
        self._peer = peer
        self._standing = Standing(requests, peer, self._gone, rng)
        self._headers: Headers = ()  # those of `follow`
        self._open: set[Stage] = set()
        self._closed = False

    async def request(self, out: Outbound) -> Inbound:
        if self._closed:
            raise BackendUnavailable(CLOSED)
        opening = out.method == INITIALIZE
        if opening:
            self._requests.session = None
        reading = Reading(self._peer, out.id)
        stage = Stage(sink=reading, lasting=out.method == LISTEN)
        self._open.add(stage)
        try:
            response = await self._answered(out, reading, stage)
        finally:
            self._open.discard(stage)
        return response if response.error is None else discreet(response, self._requests.redact)

    async def send(self, body: bytes, headers: Headers = ()) -> None:
        if self._closed:
            raise BackendUnavailable(CLOSED)
        answer = await self._requests.post(body, headers, Stage(sink=_enough))
        if answer.status not in SUCCESS:
            in_session = self._requests.session is not None
            lost = in_session and session_lost(answer, await unpacked(answer), None)
            raise session_gone() if lost else failure(answer)

    def follow(self, headers: Headers) -> None:
        self._headers = headers
        if not self._closed:
            self._standing.follow(headers)

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        await self._standing.aclose()
        for stage in tuple(self._open):
            if stage.connection is not None:
                stage.connection.close()
        if self._requests.session is not None:
            with contextlib.suppress(GatewayError, TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await self._requests.delete(self._headers)

    # -- one request ----------------------------------------------------------------------------

    async def _answered(self, out: Outbound, reading: Reading, stage: Stage) -> Inbound:
        in_session = self._requests.session is not None  # by its answer, another may be opening
        try:
            answer = await self._requests.post(
                out.body, out.headers, stage, repeatable=out.repeatable
            )
        except ConnectionLost:
            if not reading.begun:
                raise
            return await self._resumed(out, reading, stage)
        if answer.status != OK:
            return await self._refused(out, answer, in_session=in_session)
        if out.method == INITIALIZE:
            self._requests.session = _session(answer)
        if reading.response is None:
            await self._read(answer, reading)
        if reading.response is None:
            return await self._resumed(out, reading, stage)
        return reading.response

    async def _read(self, answer: HttpResponse, reading: Reading) -> None:
        kind = media_type(answer)
        if kind in JSON:
            reading.take(await unpacked(answer))
            if reading.response is None:
                raise BadResponse("the server answered another request than ours")
        elif kind == STREAM:
            reading(await unpacked(answer))  # nothing, unless it came packed
        else:
            raise no_answer(answer)

    async def _refused(self, out: Outbound, answer: HttpResponse, *, in_session: bool) -> Inbound:
        if answer.status in SUCCESS:
            raise no_answer(answer)
        body = await unpacked(answer)
        found = told(answer, body, out.id)
        if in_session and session_lost(answer, body, found):
            raise session_gone()
        if found is None or answer.status == UNAUTHORIZED:
            raise failure(answer)
        return found

    async def _resumed(self, out: Outbound, reading: Reading, stage: Stage) -> Inbound:
        """Hear the rest of a stream that ended before the response (SEP-1699)."""
        failures = 0
        while reading.last_id and failures < TRIES and not self._closed:
            await asyncio.sleep(reading.pause)
            opened = await self._taken_up(out, reading, stage)
            if reading.response is not None:
                return reading.response
            failures = 0 if opened else failures + 1
        raise _unanswered()

    async def _taken_up(self, out: Outbound, reading: Reading, stage: Stage) -> bool:
        """Whether there was a stream; False: there may be one later."""
        try:
            answer = await reading.go_on(self._requests, out.headers, stage)
        except (ConnectionLost, BackendUnavailable):
            return reading.heard
        if answer.status == NOT_FOUND and self._requests.session is not None:
            raise session_gone(Reached.SENT_UNKNOWN)
        if answer.status == OK and media_type(answer) == STREAM:
            return True
        if answer.status < SERVER_ERROR and answer.status != TOO_MANY:
            raise _unanswered()
        return False

    def _gone(self) -> None:
        if not self._closed:
            self._peer.lost(str(session_gone()))


def _session(answer: HttpResponse) -> str | None:
    """The id of the session that an answer to `initialize` opens."""
    found = answer.headers.get(SESSION_HEADER)
    if found is not None and not SESSION_ID.fullmatch(found):
        raise BadResponse("the server names its session by something else than plain ASCII")
    return found


def _unanswered() -> ConnectionLost:
    text = "the server ended its stream before it answered"
    return ConnectionLost(text, reached=Reached.SENT_UNKNOWN)


def _enough(_: bytes) -> bool:
    return True
