"""A real MCP server on the `mcp` SDK that tells what each request says it belongs to."""

import json

from mcp.server.mcpserver import Context, MCPServer
from opentelemetry.trace import get_current_span

server = MCPServer("traced")


def told(ctx: Context) -> str:
    """As the SDK read it out of `_meta`, and as HTTP's headers have it."""
    at = get_current_span().get_span_context()
    request = ctx.request_context.request
    headers = {} if request is None else request.headers
    return json.dumps(
        {
            "trace": f"{at.trace_id:032x}",
            "span": f"{at.span_id:016x}",
            "state": at.trace_state.to_header(),
            "header": headers.get("traceparent"),
            "baggage": (ctx.request_context.meta or {}).get("baggage"),
        }
    )


@server.tool()
async def where(ctx: Context) -> str:
    return told(ctx)


@server.tool()
async def fail() -> str:
    raise ValueError("canary in an error's text")


@server.prompt()
def prompted(ctx: Context) -> str:
    return told(ctx)


if __name__ == "__main__":
    server.run("stdio")
