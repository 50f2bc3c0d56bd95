"""A backend: a named set of tools and a way to call them."""

from collections.abc import Callable
from typing import Protocol

from gateway.domain.call import Call
from gateway.domain.listing import Listing
from gateway.domain.tool import ToolResult


class Backend(Protocol):
    """Start once, call many, aclose once.

    `start` returns quickly: connecting is the backend's own affair. `on_change` fires on the loop
    whenever the listing (tools or health) differs from before. `call` raises only `GatewayError`
    and `CancelledError`.
    """

    @property
    def listing(self) -> Listing: ...

    async def start(self, on_change: Callable[[], None]) -> None: ...

    async def call(self, call: Call) -> ToolResult: ...

    async def aclose(self) -> None: ...
