"""An MCP server on `mcp` 1.x, run as a script inside the environment of `mcp1.py`."""

from mcp.server.fastmcp import Context, FastMCP
from pydantic import BaseModel

server = FastMCP("v1", instructions="of old")


class Name(BaseModel):
    name: str


@server.tool()
async def greet(ctx: Context) -> str:
    await ctx.report_progress(1, 2)
    await ctx.info("asking")
    found = await ctx.elicit("who?", Name)
    return f"hello {found.data.name}"


@server.tool()
async def roots(ctx: Context) -> str:
    listed = await ctx.session.list_roots()
    return " ".join(str(root.uri) for root in listed.roots)


if __name__ == "__main__":
    server.run()
