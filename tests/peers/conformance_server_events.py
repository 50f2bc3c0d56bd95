"""What the fixture server has sent on its streams, for a client that opens one of them again."""

from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from mcp.types import JSONRPCMessage


class Events(EventStore):
    """Everything of this run, by a number that counts up over all streams."""

    def __init__(self) -> None:
        self._sent: list[tuple[str, JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: str, message: JSONRPCMessage | None) -> str:
        self._sent.append((stream_id, message))
        return str(len(self._sent))

    async def replay_events_after(
        self, last_event_id: str, send_callback: EventCallback
    ) -> str | None:
        last = int(last_event_id)
        if not 1 <= last <= len(self._sent):
            return None
        stream = self._sent[last - 1][0]
        for number, (of, message) in enumerate(self._sent[last:], last + 1):
            if of == stream and message is not None:  # a priming event is nobody's message
                await send_callback(EventMessage(message, str(number)))
        return stream
