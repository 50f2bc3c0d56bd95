"""An agent at the gateway's door: a real MCP client that invokes the tools of one server."""

from dataclasses import dataclass
from typing import Any

from mcp import Client, types


@dataclass(frozen=True, slots=True)
class Agent:
    """`url` is that of `/mcp`, `server` the backend whose tools it calls."""

    url: str
    server: str

    async def call(self, tool: str, **arguments: Any) -> types.CallToolResult:
        """Whatever comes of it."""
        named = {"server": self.server, "tool": tool, "arguments": arguments}
        async with Client(self.url) as client:
            return await client.call_tool("gateway_invoke", named)

    async def result(self, tool: str, **arguments: Any) -> Any:
        """The structured result of a call that must succeed."""
        told = await self.call(tool, **arguments)
        assert not told.is_error, told.content
        return told.structured_content

    async def text(self, tool: str, **arguments: Any) -> str:
        """What the model reads of a call that must succeed."""
        told = await self.call(tool, **arguments)
        assert not told.is_error, told.content
        return _text(told)

    async def refusal(self, tool: str, **arguments: Any) -> str:
        """What a call that must fail says."""
        told = await self.call(tool, **arguments)
        assert told.is_error, told.content
        assert told.structured_content is None
        return _text(told)


def _text(told: types.CallToolResult) -> str:
    return "\n".join(one.text for one in told.content if isinstance(one, types.TextContent))
