"""What comes on one stream of server-sent events: messages of a server, sorted by who waits.

Messages are handed over as their bytes come and nothing is kept but the unfinished event, which
has a bound (I60).
"""

from gateway.http.message import HttpResponse
from gateway.http.pool import Stage
from gateway.protocol.received import LARGEST, Inbound, decode
from gateway.protocol.sse import Parser
from gateway.transports.base import Headers, Peer
from gateway.transports.requests import Requests

FIRST_PAUSE = 1.0  # seconds before a stream is taken up again, unless the server says otherwise
PAUSES = 0.1, 30.0  # what it may say
LONGEST_ID = 1024  # characters of an event's id


class Reading:
    """Called with the bytes of a stream, it tells whether that was enough, as a sink does.

    `request` is the id of ours which the stream answers; None: it answers none, and goes on. A
    response to anything else is dropped. Raises BadResponse for what is no message.
    """

    __slots__ = ("_parser", "_peer", "begun", "last_id", "pause", "request", "response")

    def __init__(self, peer: Peer, request: int | None) -> None:
        self.request = request
        self.response: Inbound | None = None
        self.begun = False  # any stream has said anything
        self.last_id = ""  # from where to go on
        self.pause = FIRST_PAUSE  # seconds
        self._peer = peer
        self._parser: Parser | None = None

    def __call__(self, chunk: bytes) -> bool:
        parser = self._parser
        if parser is None:
            parser = self._parser = Parser(LARGEST)
            self.begun = True
        events = parser.feed_raw(chunk)
        if 0 < len(parser.last_id) <= LONGEST_ID and parser.last_id.isprintable():
            self.last_id = parser.last_id
        if parser.retry_ms is not None:
            self.pause = min(max(parser.retry_ms / 1000, PAUSES[0]), PAUSES[1])
        for event in events:
            if event.data and event.event == "message":
                self.take(event.data)
                if self.response is not None and self.request is not None:
                    return True  # nothing after it is meant for anyone
        return False

    @property
    def heard(self) -> bool:
        """Whether the newest stream has said anything."""
        return self._parser is not None

    async def go_on(self, requests: Requests, headers: Headers, stage: Stage) -> HttpResponse:
        """Hear another stream (GET), which goes on where the last one broke; gives its answer."""
        self._parser = None
        if self.last_id:
            headers = (*headers, ("Last-Event-ID", self.last_id))
        stage.sink = self
        return await requests.get(headers, stage)

    def take(self, data: bytes) -> None:
        """A message, or a batch of them."""
        for message in decode(data):
            if message.method is not None:
                self._peer.received(message, self.request)
            elif message.id == self.request and self.response is None:
                self.response = message
