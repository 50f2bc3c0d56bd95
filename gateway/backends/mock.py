"""A capability file without its API: calls are answered from the file's examples. Sends nothing."""

import functools
import math
from collections.abc import Callable
from typing import Any

from gateway.backends.base import Notify
from gateway.backends.driving import Hands, drive, teller
from gateway.backends.files import Files
from gateway.backends.rest import check_stateless
from gateway.capability.compiled import CompiledCapability, Oversize
from gateway.capability.examples.mock import Replies, mock_replies
from gateway.capability.flow import Send, at_once
from gateway.capability.flows.paging import Paging
from gateway.domain.call import Call, Query, Relayed
from gateway.domain.listing import Health, Listing, Status
from gateway.domain.tool import ToolResult


class MockBackend:
    """Arguments are checked and replies are read as ever; secrets need not be there."""

    def __init__(self, compiled: CompiledCapability, files: Files | None = None) -> None:
        self._compiled = compiled
        self._files = files or Files()
        self._listing = compiled.listing("mock", Health(Status.OK, None, compiled.issues))

    def __repr__(self) -> str:
        return f"<MockBackend {self._compiled.name!r}>"

    @property
    def listing(self) -> Listing:
        return self._listing

    async def start(self, on_change: Callable[[], None], notify: Notify) -> None:
        """Nothing here ever changes."""

    async def aclose(self) -> None:
        self._compiled.secrets.release()

    async def call(self, call: Call) -> ToolResult:
        """Raises InvalidArguments, and what the tool makes of the example's reply."""
        result = await self._answered(call)
        return self._files.keep(result, call) if isinstance(result, Oversize) else result

    async def _answered(self, call: Call) -> ToolResult | Oversize:
        check_stateless(call)
        tool = self._compiled.find(call.tool.ref.name)
        args = tool.prepare(call.arguments)
        replies = Replies(mock_replies(tool, args), ending=isinstance(tool.run, Paging))
        if tool.run is None:
            result: ToolResult | Oversize = replies.read(functools.partial(tool.read, args))
            return result
        tell = teller(call.context.client)

        async def send(each: Send) -> Any:
            return replies.read(at_once(each, tell))

        async def wait(_: float) -> None:
            """A job of examples is always there."""

        return await drive(tool.run(args, lambda: math.inf), Hands(send, wait, tell))

    async def query(self, query: Query) -> Relayed:
        """A file that a call has linked to. Raises Unsupported and RemoteError."""
        return await self._files.answer(query)
