"""Streamable HTTP of the modern era: each POST stands alone; no session, no GET, no batch.

Source: 2026-07-28, basic/transports/streamable-http.
"""

from gateway.domain.tool import JsonObject
from gateway.protocol import jsonrpc, mcp
from gateway.protocol.eras import modern
from gateway.protocol.inbound import Rejection, climb, unsupported
from gateway.protocol.sse import encode
from gateway.server.asked import Asked
from gateway.server.channel import Channel
from gateway.server.clients import ModernClient
from gateway.server.endpoint import Answer, Endpoint
from gateway.server.feed import Feed
from gateway.server.listen import Subscription, Subscriptions, wanted
from gateway.server.reply import Post, Reply, refusal, stream

ERA = "modern"

POST_ONLY = refusal(405, "this protocol version has POST only", extra={"Allow": "POST"})
ONE_MESSAGE = refusal(400, "the body must be a single JSON-RPC request or notification")


class Modern:
    def __init__(self, endpoint: Endpoint, subscriptions: Subscriptions) -> None:
        self._endpoint = endpoint
        self._subscriptions = subscriptions

    async def post(self, post: Post, message: jsonrpc.Decoded, size: int) -> Reply:
        """Answer one message of `size` bytes. A batch and a response are refused: this era has
        neither.
        """
        if isinstance(message, jsonrpc.Request):
            return await self._request(post, message, size)
        if isinstance(message, jsonrpc.Notification):
            return _acknowledge(post)
        return ONE_MESSAGE

    def finish(self) -> None:
        """End every listen stream politely."""
        self._subscriptions.finish_all()

    async def _request(self, post: Post, request: jsonrpc.Request, size: int) -> Reply:
        route = climb(request, post.headers)
        if isinstance(route, Rejection):
            return _reply(self._endpoint.refuse(request, ERA, route))
        if request.method == mcp.LISTEN:
            return await self._listen(post, request, route.capabilities)
        channel = Channel(post.begin)
        client = ModernClient(route.capabilities, request.params, channel)
        asked = Asked(
            post.surface, request, route.revision, post.caller, post.headers, client, size=size
        )
        try:
            answer = await self._endpoint.answer(asked)
            return channel.finish(answer.body) if channel.begun else _reply(answer)
        finally:
            channel.close()

    async def _listen(
        self, post: Post, request: jsonrpc.Request, capabilities: JsonObject
    ) -> Reply:
        asked_for = wanted(request.params, capabilities)
        if isinstance(asked_for, Rejection):
            return _reply(self._endpoint.refuse(request, ERA, asked_for))
        feed = Feed()
        subscription = Subscription(
            request.id, post.caller, lambda message: feed.send(encode(message)), feed.end
        )
        if not await self._subscriptions.open(post.surface, asked_for, subscription):
            reason = "too many open subscriptions; close one or try again later"
            return refusal(429, reason, id=request.id, extra={"Retry-After": "10"})
        feed.on_end(lambda: self._subscriptions.close(subscription))
        self._endpoint.begun(request, ERA)
        return stream(feed)


def _acknowledge(post: Post) -> Reply:
    """Over HTTP this era defines no notification; whichever comes is taken and dropped."""
    version = post.headers.get(mcp.VERSION_HEADER, "")
    if modern(version) is None:
        rejection = unsupported(version)
        body = jsonrpc.error(None, rejection.code, rejection.message, rejection.data)
        return Reply(rejection.status, body)
    return Reply(202)


def _reply(answer: Answer) -> Reply:
    return Reply(answer.status, answer.body)
