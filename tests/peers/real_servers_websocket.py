"""An MCP server of the `mcp` SDK 1.x over WebSocket; a script for an environment of its own.

It prints its port and serves `shout` at /ws.
"""

import asyncio
import socket


async def main():
    # Only in the other environment do these exist in this shape.
    import uvicorn  # noqa: PLC0415
    from mcp import types  # noqa: PLC0415
    from mcp.server.lowlevel import Server  # noqa: PLC0415
    from mcp.server.websocket import websocket_server  # noqa: PLC0415

    server = Server("shouting")

    @server.list_tools()
    async def tools():
        schema = {"type": "object", "properties": {"text": {"type": "string"}}}
        return [types.Tool(name="shout", description="A text in capitals", inputSchema=schema)]

    @server.call_tool()
    async def call(_name, arguments):
        await server.request_context.session.send_progress_notification("none", 1.0)
        return [types.TextContent(type="text", text=arguments["text"].upper())]

    async def app(scope, receive, send):
        if scope["type"] == "websocket":
            async with websocket_server(scope, receive, send) as streams:
                await server.run(*streams, server.create_initialization_options())

    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)  # noqa: T201  for whoever started us
        config = uvicorn.Config(app, log_level="warning", ws="websockets", lifespan="off")
        await uvicorn.Server(config).serve(sockets=[listening])


if __name__ == "__main__":
    asyncio.run(main())
