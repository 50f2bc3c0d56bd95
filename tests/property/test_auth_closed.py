"""Nobody is let in who was not identified, whatever is sent and whatever breaks (I28, I30, I32)."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.auth.access import NotLetIn, Why
from gateway.auth.doorkeeper import Doorkeeper
from gateway.auth.keys import Keys, digest
from gateway.domain.call import Call
from gateway.domain.events import Event, Refused
from gateway.domain.identity import Identity
from gateway.domain.tool import ToolResult
from gateway.errors import AccessUnavailable
from gateway.observe.ledger import Ledger
from gateway.runtime.snapshot import Current
from gateway.server.compose import HttpServer, Options
from gateway.server.reply import Reply
from tests.peers.memory_gateway import snapshot, tool

KEY = "kF3-2mZ~9._+/bQxV7nW1pLs8dHcJ4tR0aYgUeOiKqM="
PUBLIC = frozenset({"/health", "/livez", "/readyz", "/open"})
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {
        "name": "now",
        "arguments": {},
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    },
}
HEADERS = {
    "host": "localhost",
    "content-type": "application/json",
    "accept": "application/json, text/event-stream",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/call",
    "mcp-name": "now",
}


class Breaking(Doorkeeper):
    """Its key store raises."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(Keys([(digest(KEY), Identity("ann"))]), None, PUBLIC)
        self._error = error

    async def identify(self, shown: str | None) -> Identity:
        raise self._error


class Sent:
    def __init__(self, method: str, target: str, headers: Mapping[str, str]) -> None:
        self.method, self.target = method, target
        self.headers = {**HEADERS, **headers}
        self.was_read = False

    async def read(self) -> bytes:
        self.was_read = True
        return json.dumps(CALL).encode()

    def begin(self, feed: Any) -> None:
        raise AssertionError(feed)

    def cancel_when_gone(self) -> None:
        pass


class World:
    """A gateway before a backend that notes who calls it."""

    def __init__(self, access: Doorkeeper) -> None:
        self.events: list[Event] = []
        self.callers: list[str] = []

        async def handler(call: Call) -> ToolResult:
            self.callers.append(call.caller.name)
            return ToolResult(({"type": "text", "text": "done"},))

        first = snapshot(1, {"weather": [tool("weather", "now")]}, {"weather": handler})
        current = Current(replace(first, access=access))
        self.server = HttpServer(
            current, self.events.append, Options(), Ledger(), lambda: b"secret figures"
        )

    def answer(self, method: str, target: str, **headers: str) -> tuple[Reply, bool]:
        sent = Sent(method, target, headers)

        async def answered() -> Reply:
            return await self.server.http.answer(sent)  # type: ignore[arg-type]

        return asyncio.run(answered()), sent.was_read


def world(access: Doorkeeper | None = None) -> World:
    keys = Keys([(digest(KEY), Identity("ann"))])
    return World(access or Doorkeeper(keys, None, PUBLIC))


FAULTS: list[BaseException] = [
    ValueError("boom"),
    KeyError("x"),
    RuntimeError(KEY),
    OSError(5, "disk"),
    RecursionError(),
    MemoryError(),
    AssertionError(),
    StopAsyncIteration(),
    TimeoutError(),
    UnicodeEncodeError("utf-8", "\ud800", 0, 1, "x"),
    AccessUnavailable("no keys"),
    NotLetIn(Why.INVALID),
    NotLetIn(Why.NOTHING),
    NotLetIn(Why.SCOPE),
]


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
@pytest.mark.parametrize("target", ["/mcp", "/mcp/weather", "/mcp/nowhere", "/metrics", "/x"])
def test_whatever_breaks_while_somebody_is_identified_is_a_refusal(
    fault: BaseException, target: str
) -> None:
    """I30."""
    gateway = world(Breaking(fault))
    reply, was_read = gateway.answer("POST", target, authorization=f"Bearer {KEY}")
    assert reply.status in (401, 403, 503)
    assert (was_read, gateway.callers) == (False, [])
    assert [type(event) for event in gateway.events] == [Refused]
    assert KEY.encode() not in reply.body
    assert b"boom" not in reply.body


def test_the_one_key_lets_its_client_in_as_itself() -> None:
    gateway = world()
    reply, _ = gateway.answer("POST", "/mcp/weather", authorization=f"Bearer {KEY}")
    assert (reply.status, gateway.callers) == (200, ["ann"])


CREDENTIALS = st.one_of(
    st.none(),
    st.text(max_size=80),
    st.builds("Bearer {}".format, st.text(max_size=80)),
    st.integers(0, len(KEY) - 1).map(lambda at: f"Bearer {KEY[:at]}\x7f{KEY[at + 1 :]}"),
    st.sampled_from([f"Bearer {KEY}, Bearer x", f"Bearer {KEY},x", f"Basic {KEY}", KEY]),
)
PATHS = st.one_of(
    st.sampled_from(
        [
            *("/mcp", "/mcp/", "/mcp/weather", "/metrics", "/admin", "/openai/tools", "/"),
            *("//health", "/health/", "/HEALTH", "/health%20", "/%68ealth", "/health;x", "/open/x"),
            *("/health/../mcp", "/livez/", "/open%2f", "/.well-known/oauth-protected-resource"),
        ]
    ),
    st.text(max_size=30).map("/{}".format),
)


@given(method=st.sampled_from(["GET", "POST", "DELETE", "OPTIONS"]), path=PATHS, shown=CREDENTIALS)
def test_every_path_but_the_public_ones_refuses_alike(
    method: str, path: str, shown: str | None
) -> None:
    """I28, I32."""
    gateway = world()
    named = {} if shown is None else {"authorization": shown}
    reply, was_read = gateway.answer(method, path, **named)
    bare = path.partition("?")[0]
    assert (was_read, gateway.callers) == (False, [])
    if bare in PUBLIC and (shown is None or bare in ("/livez", "/readyz")):
        assert reply.status in (200, 404, 405)
        assert b"weather" not in reply.body
    else:
        assert reply.status == 401
        assert reply.body == REFUSED.body
        assert reply.extra["WWW-Authenticate"].startswith("Bearer")


REFUSED, _ = world().answer("GET", "/mcp")


@pytest.mark.parametrize("target", ["/mcp", "/metrics", "/admin", "/health", "/mcp/weather"])
@pytest.mark.parametrize(
    "host", ["a/health?x=", "localhost/health", "user@localhost", "local host"]
)
def test_no_host_header_leads_around_the_door(target: str, host: str) -> None:
    """I4."""
    gateway = world()
    reply, was_read = gateway.answer("POST", target, host=host)
    assert (reply.status, was_read, gateway.callers) == (400, False, [])
