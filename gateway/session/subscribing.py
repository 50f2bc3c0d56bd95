"""Resources of a legacy server that somebody watches: subscribed to one by one."""

import asyncio

from gateway.errors import GatewayError, Unsupported
from gateway.protocol import mcp
from gateway.protocol.answers import ErrorAnswered, read
from gateway.session.line import Line
from gateway.session.listening import Refused
from gateway.session.paging import Own


class Subscribing:
    """`own` sends a request of the gateway's."""

    def __init__(self, line: Line, own: Own) -> None:
        self._line = line
        self._own = own
        self._held: set[str] = set()  # what the server knows of
        self._wanted: frozenset[str] = frozenset()
        self._lock = asyncio.Lock()

    async def watch(self, uris: frozenset[str]) -> Refused:
        """Hear of these and of no others. Raises GatewayError, Unsupported among them."""
        refused: dict[str, GatewayError] = {}
        if uris and not self._line.introduction.has("resources", "subscribe"):
            raise Unsupported("the server tells nobody when its resources change")
        async with self._lock:
            self._wanted = uris
            for uri in self._held - uris:
                self._held.discard(uri)
                await self._own(mcp.UNSUBSCRIBE, {"uri": uri})  # an error means: already so
            for uri in sorted(uris - self._held):
                try:
                    read(await self._own(mcp.SUBSCRIBE, {"uri": uri}))
                except ErrorAnswered as error:
                    refused[uri] = error
                else:
                    self._held.add(uri)
        return refused

    async def restore(self) -> None:
        """The server has forgotten all."""
        self._held.clear()
        await self.watch(self._wanted)

    def close(self) -> None:
        """Its end is that of the connection."""
