"""Sessions with the conformance fixture: a real server of either era, or of one alone."""

import asyncio
import contextlib
import itertools
import json
import math
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

from gateway.domain.call import Call, Query, Relayed
from gateway.domain.client import NOBODY, Client, Context
from gateway.domain.identity import ANONYMOUS
from gateway.domain.tool import Tool, ToolRef
from gateway.http.direct import Direct
from gateway.session.session import Session
from gateway.transports.base import Means, TransportKind
from gateway.transports.http import Http
from gateway.transports.stdio import Stdio
from tests.peers.mcp_server_scripted import Events

PROGRAM = (sys.executable, "-m", "tests.peers.conformance_server")
SCHEMA = {"type": "object"}
numbers = itertools.count(1)


@contextlib.contextmanager
def serving(view: str) -> Iterator[str]:
    """Over HTTP; gives the URL."""
    command = [*PROGRAM, "--http", "0", "--view", view]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(program.stdout.readline())}/mcp"
        finally:
            program.kill()


def piped(view: str) -> Stdio:
    return Stdio((*PROGRAM, "--view", view), cwd=".")


def at(url: str) -> Http:
    return Http(url)


@contextlib.asynccontextmanager
async def opened(
    kind: TransportKind, events: Events | None = None, **settings: Any
) -> AsyncIterator[Session]:
    http = Direct(public_only=False)
    try:
        async with asyncio.timeout(30):
            session = await Session.open(
                kind, Means("fixture", http), events or Events(), **settings
            )
            try:
                yield session
            finally:
                await session.aclose()
    finally:
        await http.aclose()


def call_of(
    name: str,
    arguments: Any = None,
    client: Client = NOBODY,
    params: Any = None,
    **definition: Any,
) -> Call:
    tool = Tool(ToolRef("fixture", name), {"name": name, "inputSchema": SCHEMA, **definition})
    context = Context(client, params or {})
    return Call(f"{next(numbers):x}", tool, arguments or {}, ANONYMOUS, math.inf, context)


async def called(
    session: Session, name: str, arguments: Any = None, client: Client = NOBODY, **more: Any
) -> Relayed:
    call = call_of(name, arguments, client, **more)
    result = await session.call(call, name, call.arguments, call.tool.input_schema)
    assert isinstance(result, Relayed)
    return result


async def asked(session: Session, method: str, params: Any = None, client: Client = NOBODY) -> Any:
    query = Query("q", "fixture", method, params or {}, ANONYMOUS, Context(client))
    return json.loads((await session.query(query)).raw)


def text(result: Relayed) -> str:
    return str(json.loads(result.raw)["content"][0]["text"])
