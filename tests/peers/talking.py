"""An MCP server in memory that talks back: its tools tell and ask whoever calls them.

What the real sessions with servers do through `Call.context.client`, without any server.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

from gateway.domain.call import Call, Handler, Query, QueryHandler, Relayed
from gateway.domain.catalog import Catalog
from gateway.domain.client import Client
from gateway.domain.listing import Listing
from gateway.domain.tool import JsonObject, ToolResult, text_result
from gateway.runtime.snapshot import Snapshot
from tests.peers.memory_gateway import snapshot, tool

FORM: JsonObject = {"type": "object", "properties": {"name": {"type": "string"}}}
NAME: JsonObject = {"message": "Your name?", "requestedSchema": FORM}
SAMPLE: JsonObject = {"messages": [], "maxTokens": 10}
ELICIT, SAMPLING, ROOTS = "elicitation/create", "sampling/createMessage", "roots/list"

Talk = Callable[[Client], Awaitable[str]]


async def greet(client: Client) -> str:
    """Asks one thing."""
    answer = await client.ask(ELICIT, NAME)
    return f"hello {json.dumps(answer)}"


async def survey(client: Client) -> str:
    """Asks three things at once."""
    answers = await asyncio.gather(
        client.ask(ELICIT, NAME), client.ask(SAMPLING, SAMPLE), client.ask(ROOTS, {})
    )
    return json.dumps(answers)


async def interview(client: Client) -> str:
    """Asks two things, one after the other."""
    first = await client.ask(ELICIT, NAME)
    second = await client.ask(ELICIT, {**NAME, "message": "And your age?"})
    return json.dumps([first, second])


async def report(client: Client) -> str:
    """Tells how it gets on, and logs."""
    for step in (1, 2):
        client.notify("notifications/progress", {"progressToken": 7, "progress": step, "total": 2})
    for level in ("debug", "error"):
        client.notify("notifications/message", {"level": level, "data": f"a {level} line"})
    return "done"


async def plain(_: Client) -> str:
    return "done"


TALKS: dict[str, Talk] = {talk.__name__: talk for talk in (greet, survey, interview, report, plain)}


async def agree(_: Query) -> Relayed:
    return Relayed(b"{}")


def handler(talks: dict[str, Talk]) -> Handler:
    async def call(call: Call) -> ToolResult:
        return text_result(await talks[call.tool.ref.name](call.context.client))

    return call


def talking(
    talks: dict[str, Talk] | None = None,
    *,
    handle: Handler | None = None,
    query: QueryHandler | None = None,
    era: str = "legacy",
) -> Snapshot:
    """A gateway's snapshot with one such server, `talker`; `handle` takes its calls instead, and
    `query` all other requests.
    """
    known = {**TALKS, **(talks or {})}
    tools = [tool("talker", name) for name in known]
    made = snapshot(1, {"talker": tools}, {"talker": handle or handler(known)})
    logging: JsonObject = {"logging": {}, "tools": {}}
    listing = Listing(
        "talker", "It talks.", tuple(tools), transport="stdio", era=era, capabilities=logging
    )
    return replace(made, catalog=Catalog([listing]), queries={"talker": query or agree})
