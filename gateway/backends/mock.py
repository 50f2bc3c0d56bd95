"""A capability file without its API: calls are answered from the file's examples. Sends nothing."""

from collections.abc import Callable

from gateway.backends.base import Notify
from gateway.backends.rest import check_stateless, tools_only
from gateway.capability.compiled import CompiledCapability, TryAgain
from gateway.capability.mock import mock_reply
from gateway.domain.call import Call, Query, Relayed
from gateway.domain.listing import Health, Listing, Status
from gateway.domain.tool import ToolResult


class MockBackend:
    """Arguments are checked and replies are read as ever; secrets need not be there."""

    def __init__(self, compiled: CompiledCapability) -> None:
        self._compiled = compiled
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
        check_stateless(call)
        tool = self._compiled.find(call.tool.ref.name)
        args = tool.prepare(call.arguments)
        result = tool.read(args, mock_reply(tool, args))
        if isinstance(result, TryAgain):
            raise result.error
        return result

    async def query(self, query: Query) -> Relayed:
        """Raises Unsupported: a capability file brings tools only."""
        raise tools_only(query)
