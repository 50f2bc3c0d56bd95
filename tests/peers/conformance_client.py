"""The whole gateway as the client that the official conformance suite tests.

python -m tests.peers.conformance_client SERVER_URL

It serves that server as a backend, and a client of the `mcp` SDK does through it what the scenario
(`MCP_CONFORMANCE_SCENARIO`) wants to see done. Whenever a person is needed it opens the page that
the gateway names, as a browser would.
"""

import asyncio
import contextlib
import functools
import json
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from mcp import Client, types
from mcp.shared.exceptions import MCPError

from gateway import app
from gateway.config.load import Source, load, understand
from gateway.credentials.secret import environment
from gateway.domain.listing import Health, Status
from gateway.runtime.configured import Configured

PATIENCE = 8.0  # seconds for the backend to come up, or to name a page; some never should
PERSONS = 10  # pages to open at most
PAGE = re.compile(r"opens (http\S+)")
DOCUMENT = "https://conformance-test.local/client-metadata.json"
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


@dataclass
class Person:
    """Opens every page once."""

    opened: set[str] = field(default_factory=set)

    async def let_in(self, told: str) -> bool:
        """Whether `told` names a page that was not open before."""
        page = PAGE.search(told)
        if page is None or page[1] in self.opened or len(self.opened) >= PERSONS:
            return False
        self.opened.add(page[1])
        async with aiohttp.ClientSession() as browser, browser.get(page[1]) as answer:
            await answer.read()
        return True


async def call_with(person: Person, client: Client, parts: app.Parts) -> None:
    """Call every tool, again whenever somebody was let in."""
    for tool in (await client.list_tools()).tools:
        while True:
            answered = await client.call_tool(tool.name)
            told = "".join(getattr(block, "text", "") for block in answered.content)
            if not (answered.is_error and await person.let_in(told)):
                break
            await _known(parts, person)


@contextlib.asynccontextmanager
async def gateway(
    url: str, folder: Path, person: Person, more: dict[str, Any]
) -> AsyncIterator[tuple[app.Parts, str]]:
    """The URL at which the server is served. It is up."""
    file, capabilities = folder / "gateway.yaml", folder / "capabilities"
    capabilities.mkdir()
    settings = {
        "server": {"port": 0},
        "log": {"level": "warning"},
        "capabilities": {"directories": [str(capabilities)]},
        "backends": {"peer": {"http_url": url, **more}},
    }
    file.write_text(json.dumps(settings))
    source = Source(str(file))
    loaded = load(source, {})
    assert loaded.config is not None, loaded.issues
    taken = functools.partial(understand, file=source.file, environ={}, said={})
    configured = Configured(source, loaded.config, taken)
    async with app.listening(configured) as (parts, port):
        await _known(parts, person)
        yield parts, f"http://127.0.0.1:{port}/mcp/peer"


async def _known(parts: app.Parts, person: Person) -> None:
    changed = asyncio.Event()
    parts.current.subscribe(lambda _before, _after: changed.set())
    async with asyncio.timeout(PATIENCE):
        while (health := _health(parts)).status is not Status.OK:
            if not await person.let_in(health.reason or ""):
                await changed.wait()
            changed.clear()


def _health(parts: app.Parts) -> Health:
    return parts.current.get().catalog.backends["peer"].health


def _shown(scenario: str, context: dict[str, Any]) -> dict[str, Any]:
    """How the backend is let in, where the scenario is about that."""
    if not scenario.startswith("auth/"):
        return {}
    said = {key: context[key] for key in ("client_id", "client_secret") if key in context}
    return {"oauth": said or {"client_metadata_url": DOCUMENT}}


async def main(url: str) -> None:
    environ = environment()
    scenario = environ["MCP_CONFORMANCE_SCENARIO"]
    context = json.loads(environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
    mode = "auto" if environ["MCP_CONFORMANCE_PROTOCOL_VERSION"] >= "2026" else "legacy"
    person, more = Person(), _shown(scenario, context)
    with tempfile.TemporaryDirectory() as folder:
        async with (
            gateway(url, Path(folder), person, more) as (parts, served),
            Client(served, mode=mode, elicitation_callback=fill_in) as client,
        ):
            try:
                if more:
                    await call_with(person, client, parts)
                else:
                    await SCENARIOS.get(scenario, call_each)(client, context)
            except MCPError as error:
                print(error, file=sys.stderr)  # noqa: T201  the scenario judges, not we


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
