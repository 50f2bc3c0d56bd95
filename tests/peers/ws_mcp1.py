"""A real MCP server on a WebSocket, made with the `mcp` 1.x SDK: to be run in its environment.

Its argument is the port. It has one tool, which answers with its text.
"""

import sys


def main(port: int) -> None:
    # Only in the other environment do these exist in this shape.
    import uvicorn  # noqa: PLC0415
    from mcp.server.fastmcp import FastMCP  # noqa: PLC0415
    from mcp.server.websocket import websocket_server  # noqa: PLC0415

    server = FastMCP("on a websocket")

    @server.tool()
    def echo(text: str) -> str:
        return text

    inner = server._mcp_server  # it has no name for it

    async def app(scope, receive, send):
        async with websocket_server(scope, receive, send) as streams:
            await inner.run(*streams, inner.create_initialization_options())

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off")


if __name__ == "__main__":
    main(int(sys.argv[1]))
