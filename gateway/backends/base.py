"""A backend: a named set of tools and a way to call them."""

from collections.abc import Callable
from typing import Protocol

from gateway.domain.call import Call, Outcome, Query, Relayed
from gateway.domain.events import Notice
from gateway.domain.listing import Listing

Notify = Callable[[Notice], None]  # must not block, must not raise


class Backend(Protocol):
    """Start once, call many, aclose once.

    `start` returns quickly: connecting is the backend's own affair. `on_change` fires on the loop
    whenever the listing differs from before; `notify` takes what an MCP server says to all its
    clients. `call` and `query` raise only `GatewayError` and `CancelledError`; cancelled, they stop
    what they began at the server.
    """

    @property
    def listing(self) -> Listing: ...

    async def start(self, on_change: Callable[[], None], notify: Notify) -> None: ...

    async def call(self, call: Call) -> Outcome: ...

    async def query(self, query: Query) -> Relayed:
        """Raises Unsupported where the backend has nothing of the kind, as a REST API."""
        ...

    async def aclose(self) -> None: ...
