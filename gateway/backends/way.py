"""How one MCP server is reached, and what was learned of it: its transport and its revision."""

from gateway.errors import GatewayError
from gateway.protocol.eras import Revision
from gateway.session.opening import NoStreamableHttp
from gateway.session.session import Session, SessionEvents
from gateway.transports import Http, Sse
from gateway.transports.base import Means, TransportKind


class Way:
    """`known` is the revision it speaks, as far as anybody knows.

    What was learned is a guess: when it leads nowhere, the next attempt begins as configured.
    """

    def __init__(self, kind: TransportKind, means: Means, known: Revision | None = None) -> None:
        self.kind = kind
        self._configured = kind
        self._means = means
        self._known = known

    async def open(self, events: SessionEvents) -> Session:
        """Raises GatewayError."""
        try:
            session = await self._by(self.kind, events)
        except NoStreamableHttp as refused:
            session = await self._older(events, refused)
        except GatewayError:
            self.kind = self._configured  # it may have become a newer server
            raise
        self._known = session.revision
        return session

    async def _older(self, events: SessionEvents, refused: NoStreamableHttp) -> Session:
        """A URL that takes no `initialize` may be that of an HTTP+SSE server (2024-11-05)."""
        if not isinstance(self.kind, Http):
            raise refused
        older = Sse(self.kind.url)
        try:
            session = await self._by(older, events)
        except GatewayError:
            raise refused from None
        self.kind = older
        return session

    async def _by(self, kind: TransportKind, events: SessionEvents) -> Session:
        return await Session.open(kind, self._means, events, self._known)
