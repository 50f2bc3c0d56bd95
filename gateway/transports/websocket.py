"""An MCP server at a WebSocket, as it stands in a config file.

What speaks with it comes with aiohttp, which takes long to load: only when there is such a server.
"""

import msgspec

from gateway.transports.base import Means, Peer, Transport


class WebSocket(msgspec.Struct, frozen=True):
    """`url` begins with `ws://` or `wss://`."""

    url: str

    @property
    def label(self) -> str:
        return "websocket"

    async def connect(self, peer: Peer, means: Means) -> Transport:
        from gateway.transports.websocket_conversation import opened  # noqa: PLC0415  100 ms to load

        return await opened(self.url, peer, means)
