"""An `mcp` 1.x client in an environment of its own, since 2.x lives in ours.

Run as a script inside that environment it opens a session over HTTP (the URL, then headers to send)
or stdio, lists and calls, and prints what it saw as JSON.
"""

import asyncio
import json
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".venv-mcp1"
PYTHON = HOME / "bin" / "python"
PINNED = "mcp[ws]>=1.23,<2"


def install() -> Path:
    """Its Python; makes the environment when it is missing. Raises CalledProcessError."""
    ready = HOME / "ready"
    if not ready.exists() or ready.read_text() != PINNED:
        venv.create(HOME, with_pip=True, clear=True)
        subprocess.run([PYTHON, "-m", "pip", "install", "-q", PINNED], check=True)
        ready.write_text(PINNED)
    return PYTHON


async def see(session, initialized):
    tools = await session.list_tools()
    called = await session.call_tool(
        "gateway_invoke", {"server": "weather", "tool": "now", "arguments": {"text": "hi"}}
    )
    refused = await session.call_tool("gateway_invoke", {"server": "weather", "tool": "nwo"})
    await session.send_ping()
    return {
        "version": initialized.protocolVersion,
        "instructions": initialized.instructions,
        "tools": [tool.name for tool in tools.tools],
        "structured": called.structuredContent,
        "error": refused.content[0].text if refused.isError else None,
    }


async def main(target: list[str]) -> None:
    # Only in the other environment do these exist in this shape.
    from mcp import ClientSession, StdioServerParameters  # noqa: PLC0415
    from mcp.client.stdio import stdio_client  # noqa: PLC0415
    from mcp.client.streamable_http import streamablehttp_client  # noqa: PLC0415

    if target[0].startswith("http"):
        headers = dict(one.split(": ", 1) for one in target[1:])
        opening = streamablehttp_client(target[0], headers)
    else:
        opening = stdio_client(StdioServerParameters(command=target[0], args=target[1:]))
    async with opening as streams, ClientSession(*streams[:2]) as session:
        seen = await see(session, await session.initialize())
    print(json.dumps(seen))  # noqa: T201  for whoever started us


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
