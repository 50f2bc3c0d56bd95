"""A real MCP server over stdio, on the `mcp` SDK: it can be asked who it is, to wait and to die."""

import asyncio
import os

from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("peer", instructions="ask it anything")


@server.tool()
async def echo(text: str, times: int = 1) -> str:
    return text * times


@server.tool()
async def pid() -> str:
    return str(os.getpid())


@server.tool()
async def hang() -> str:
    await asyncio.Event().wait()
    return ""


@server.tool()
async def die(code: int) -> str:
    print("out of cheese", file=__import__("sys").stderr, flush=True)
    os._exit(code)


@server.tool()
async def grow(name: str, ctx: Context) -> str:
    """Offer one more tool. The SDK drops what a session is to tell of lists to a modern client:
    that goes by its bus.
    """

    async def grown() -> str:
        return name

    server.add_tool(grown, name=name)
    await ctx.session.send_tool_list_changed()
    await ctx.notify_tools_changed()
    return "grown"


@server.resource("memo://one")
def memo() -> str:
    return "the memo"


@server.prompt()
def greet(name: str) -> str:
    return f"greet {name}"


if __name__ == "__main__":
    server.run("stdio")
