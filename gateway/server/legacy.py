"""Streamable HTTP of the legacy era: sessions, the GET stream, DELETE, and batches once.

Source: revisions 2025-03-26 to 2025-11-25, basic/transports. A client that goes away has not
cancelled its calls here: only `notifications/cancelled` does.
"""

from typing import NamedTuple

from gateway.protocol import eras, jsonrpc, mcp, wire
from gateway.protocol.inbound import Rejection
from gateway.protocol.task_ids import TASK
from gateway.server.asked import Asked
from gateway.server.batch import answer_batch
from gateway.server.channel import LegacyChannel
from gateway.server.clients import LegacyClient
from gateway.server.dialogue import capabilities_of
from gateway.server.endpoint import Endpoint
from gateway.server.feed import Feed
from gateway.server.hearing import Hub
from gateway.server.outboxes import MOST_WAITING
from gateway.server.reply import EVENTS, Post, Reply, accepts, refusal, stream
from gateway.server.sessions import Session, Sessions

RETRY_MS = 2000  # what a stream asks a client to wait before it comes back

ACCEPTED = Reply(202)
GONE = "no such session: initialize again"
FORGOTTEN = "nothing is kept of the stream that Last-Event-ID names: send the request again"


class Brought(NamedTuple):
    """What a message came with; `size` is its own, in bytes: of one in a batch, on average."""

    post: Post
    size: int


class Legacy:
    def __init__(self, endpoint: Endpoint, sessions: Sessions, hub: Hub) -> None:
        self._endpoint = endpoint
        self._sessions = sessions
        self._hub = hub

    async def post(self, post: Post, message: jsonrpc.Decoded, size: int) -> Reply:
        """Answer what stands in one body of `size` bytes."""
        if isinstance(message, jsonrpc.Request) and message.method == mcp.INITIALIZE:
            return await self._initialize(post, message)
        id = message.id if isinstance(message, jsonrpc.Request) else None
        session = self._session(post, id)
        if isinstance(session, Reply):
            return session
        primed = RETRY_MS if session.revision.primes else None
        channel = LegacyChannel(post.begin, session.outboxes, primed)
        if isinstance(message, jsonrpc.Batch):
            return await self._batch(session, message, channel, Brought(post, size))
        body = await self._one(session, message, channel, Brought(post, size))
        return _reply(body, channel)

    def get(self, post: Post) -> Reply:
        """Open the session's stream of what comes unasked; `Last-Event-ID` takes up an old one."""
        if not accepts(post.headers.get("accept"), EVENTS):
            return refusal(406, f"Accept must list {EVENTS}")
        session = self._session(post, None)
        if isinstance(session, Reply):
            return session
        found = session.outboxes.find(post.headers.get(mcp.LAST_EVENT_HEADER))
        if found is None:
            return refusal(400, FORGOTTEN)
        outbox, after = found
        feed = Feed(most=MOST_WAITING)
        outbox.attach(feed, after, RETRY_MS if session.revision.primes else None)
        if outbox is session.outbox and session.hearing is not None:
            session.hearing.watch(mcp.FLAGS.values())
        return stream(feed)

    def delete(self, post: Post) -> Reply:
        session = self._session(post, None)
        if isinstance(session, Reply):
            return session
        self._sessions.end(session)
        return Reply(204)

    def finish(self) -> None:
        """End every open stream; calls in flight keep their session."""
        self._sessions.close_streams()

    async def _initialize(self, post: Post, request: jsonrpc.Request) -> Reply:
        revision = eras.negotiate(request.params.get("protocolVersion"))
        answer = await self._endpoint.answer(Asked(post.surface, request, revision, post.caller))
        if answer.code is not None:
            return Reply(200, answer.body)
        capabilities = capabilities_of(request.params)
        session = self._sessions.open(revision, post.caller, post.surface, capabilities)
        session.hearing = self._hub.open(
            post.surface,
            post.caller,
            lambda method, params: session.outbox.publish(wire.told(method, params)),
            lambda: session.dialogue.level,
        )
        session.dialogue.expect = session.hearing.expect
        return Reply(200, answer.body, {"Mcp-Session-Id": session.id})

    def _session(self, post: Post, id: jsonrpc.Id | None) -> Session | Reply:
        """The session the headers name, or the refusal: none named 400, unknown 404."""
        version = post.headers.get(mcp.VERSION_HEADER)
        if version is not None and eras.legacy(version) is None:
            known = ", ".join(eras.SUPPORTED)
            return refusal(400, f"unsupported MCP-Protocol-Version; supported: {known}", id=id)
        named = post.headers.get(mcp.SESSION_HEADER)
        if named is None:
            return refusal(400, "Mcp-Session-Id is missing: initialize first", id=id)
        return self._sessions.find(named, post.caller, post.surface) or refusal(404, GONE, id=id)

    async def _one(
        self, session: Session, message: jsonrpc.Message, channel: LegacyChannel, by: Brought
    ) -> bytes | None:
        """The response to one message of a session; None where none is due."""
        if isinstance(message, jsonrpc.Request):
            return await self._request(session, message, channel, by)
        if isinstance(message, jsonrpc.Response):
            session.dialogue.answered(message)
        if isinstance(message, jsonrpc.Problem):
            return jsonrpc.error(message.id, message.code, message.message)
        if isinstance(message, jsonrpc.Notification) and message.method == mcp.CANCELLED:
            session.calls.cancel(message.params.get("requestId"))
        return None

    async def _request(
        self, session: Session, request: jsonrpc.Request, channel: LegacyChannel, by: Brought
    ) -> bytes | None:
        """As the caller of this very request: what it may do may have changed since the first."""
        surface, revision, dialogue = session.surface, session.revision, session.dialogue
        caller, headers = by.post.caller, by.post.headers
        if not self._endpoint.waits(request.method):
            asked = Asked(surface, request, revision, caller, size=by.size)
            return (await self._endpoint.answer(asked)).body
        channel.lasting = TASK in request.params
        client = LegacyClient(dialogue, request.params, channel)
        hearing = session.hearing
        asked = Asked(
            surface, request, revision, caller, headers, client, dialogue, hearing, by.size
        )
        return await session.calls.run(request.id, self._endpoint.answer(asked))

    async def _batch(
        self, session: Session, batch: jsonrpc.Batch, channel: LegacyChannel, by: Brought
    ) -> Reply:
        """What is said of any of its requests goes out on the one stream."""
        each = Brought(by.post, by.size // max(len(batch.items), 1))
        answered = await answer_batch(
            session.revision, batch, lambda message: self._one(session, message, channel, each)
        )
        if isinstance(answered, Rejection):
            return refusal(400, answered.message)
        return _reply(answered, channel)


def _reply(body: bytes | None, channel: LegacyChannel) -> Reply:
    if channel.begun:
        return channel.finish(body)
    channel.close()
    return ACCEPTED if body is None else Reply(200, body)
