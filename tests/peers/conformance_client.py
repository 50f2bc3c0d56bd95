"""The whole gateway as the client that the official conformance suite tests.

python -m tests.peers.conformance_client SERVER_URL

It serves that server as a backend, and a client of the `mcp` SDK does through it what the scenario
(`MCP_CONFORMANCE_SCENARIO`) wants to see done.
"""

import asyncio
import contextlib
import functools
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from mcp import Client, types
from mcp.shared.exceptions import MCPError

from gateway import app
from gateway.config.load import Source, load, understand
from gateway.credentials.secret import environment
from gateway.domain.listing import Status
from gateway.runtime.configured import Configured

PATIENCE = 20.0  # seconds for the backend to come up
EXAMPLES = {"string": "x", "integer": 0, "number": 0, "boolean": False, "object": {}, "array": []}

Drive = Callable[[Client, dict[str, Any]], Awaitable[None]]


async def fill_in(_context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
    """Agree to all that is asked: with the defaults, and yes where there is none."""
    assert isinstance(params, types.ElicitRequestFormParams)
    fields = params.requested_schema.get("properties", {})
    content = {name: field.get("default", True) for name, field in fields.items()}
    return types.ElicitResult(action="accept", content=content)


async def add(client: Client, _context: dict[str, Any]) -> None:
    await client.list_tools()
    await client.call_tool("add_numbers", {"a": 5, "b": 3})


async def call_each(client: Client, _context: dict[str, Any]) -> None:
    for tool in (await client.list_tools()).tools:
        properties = tool.input_schema.get("properties", {})
        needed = tool.input_schema.get("required", [])
        arguments = {name: EXAMPLES[properties[name].get("type", "string")] for name in needed}
        await client.call_tool(tool.name, arguments)


async def call_as_told(client: Client, context: dict[str, Any]) -> None:
    offered = {tool.name for tool in (await client.list_tools()).tools}
    for call in context["toolCalls"]:
        if call["name"] in offered:
            await client.call_tool(call["name"], call.get("arguments") or {})


async def read_all(client: Client, context: dict[str, Any]) -> None:
    await call_each(client, context)
    for resource in (await client.list_resources()).resources:
        await client.read_resource(str(resource.uri))
    for prompt in (await client.list_prompts()).prompts:
        await client.get_prompt(prompt.name)


async def echo_schema(client: Client, _context: dict[str, Any]) -> None:
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    schema = tools["json_schema_2020_12_tool"].input_schema
    await client.call_tool("json_schema_echo", {"schema": schema})


async def several_rounds(client: Client, _context: dict[str, Any]) -> None:
    await client.list_tools()
    for name in ("echo_state", "unrelated", "no_state", "no_result_type"):
        await client.call_tool(f"test_mrtr_{name}", {})


SCENARIOS: dict[str, Drive] = {
    "tools_call": add,
    "request-metadata": call_each,
    "http-standard-headers": read_all,
    "http-custom-headers": call_as_told,
    "json-schema-2020-12-preservation": echo_schema,
    "sep-2322-client-request-state": several_rounds,
}


@contextlib.asynccontextmanager
async def gateway(url: str, folder: Path) -> AsyncIterator[str]:
    """The URL at which the server is served. It is up, or has said why it is not."""
    file, capabilities = folder / "gateway.yaml", folder / "capabilities"
    capabilities.mkdir()
    settings = {
        "server": {"port": 0},
        "log": {"level": "warning"},
        "capabilities": {"directories": [str(capabilities)]},
        "backends": {"peer": {"http_url": url}},
    }
    file.write_text(json.dumps(settings))
    source = Source(str(file))
    loaded = load(source, {})
    assert loaded.config is not None, loaded.issues
    taken = functools.partial(understand, file=source.file, environ={}, said={})
    configured = Configured(source, loaded.config, taken)
    async with app.listening(configured) as (parts, port):
        await _known(parts)
        yield f"http://127.0.0.1:{port}/mcp/peer"


async def _known(parts: app.Parts) -> None:
    changed = asyncio.Event()
    parts.current.subscribe(lambda _before, _after: changed.set())
    async with asyncio.timeout(PATIENCE):
        while parts.current.get().catalog.backends["peer"].health.status is not Status.OK:
            changed.clear()
            await changed.wait()


async def main(url: str) -> None:
    environ = environment()
    scenario = environ["MCP_CONFORMANCE_SCENARIO"]
    context = json.loads(environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
    modern = environ["MCP_CONFORMANCE_PROTOCOL_VERSION"] >= "2026"
    with tempfile.TemporaryDirectory() as folder:
        async with gateway(url, Path(folder)) as served:
            mode = "auto" if modern else "legacy"
            async with Client(served, mode=mode, elicitation_callback=fill_in) as client:
                try:
                    await SCENARIOS.get(scenario, call_each)(client, context)
                except MCPError as error:
                    print(error, file=sys.stderr)  # noqa: T201  the scenario judges, not we


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
