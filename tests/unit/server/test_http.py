import asyncio
import json
from typing import Any

import pytest

from gateway.domain.call import Call
from gateway.domain.events import Event
from gateway.domain.tool import ToolRef, ToolResult
from gateway.observe.ledger import Ledger
from gateway.runtime.snapshot import Current
from gateway.server.compose import HttpServer, Options
from gateway.server.feed import Feed
from gateway.server.listen import MOST_EACH
from gateway.server.reply import Reply, Unreadable
from tests.peers.memory_gateway import echo, snapshot, tool

BOTH = "application/json, text/event-stream"
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


class Asking:
    """An Incoming made by hand."""

    def __init__(
        self, method: str = "POST", target: str = "/mcp", body: Any = None, **headers: str
    ) -> None:
        self.method = method
        self.target = target
        self.headers = {"host": "localhost", "content-type": "application/json", "accept": BOTH}
        self.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.was_read = False
        self.cancellable = False
        self.feed: Feed | None = None

    async def read(self) -> bytes:
        self.was_read = True
        return self.body

    def begin(self, feed: Feed) -> None:
        self.feed = feed

    def cancel_when_gone(self) -> None:
        self.cancellable = True


def legacy(method: str, params: Any = None, **headers: str) -> Asking:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
    return Asking(body=body, **headers)


def modern(method: str, params: Any = None, target: str = "/mcp", **headers: str) -> Asking:
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": method,
        "params": {**(params or {}), "_meta": META},
    }
    sent = {"mcp_protocol_version": "2026-07-28", "mcp_method": method, **headers}
    return Asking(target=target, body=body, **sent)


def server(handler: Any = echo) -> HttpServer:
    def ignore(event: Event) -> None:
        pass

    tools = {"weather": [tool("weather", "now")], "my server": [tool("my server", "x")]}
    current = Current(snapshot(1, tools, {"weather": handler}))
    return HttpServer(current, ignore, Options(), Ledger(), lambda: b"")


async def opened(server: HttpServer, target: str = "/mcp", version: str = "2025-11-25") -> str:
    asking = legacy("initialize", {"protocolVersion": version})
    asking.target = target
    reply = await server.http.answer(asking)
    assert reply.status == 200
    return reply.extra["Mcp-Session-Id"]


def body(reply: Reply) -> Any:
    return json.loads(reply.body)


@pytest.mark.parametrize("path", ["/mcp", "/mcp/", "/health", "/metrics", "/livez", "/nowhere"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"host": "localhost/health?x="}, 400),
    ],
)
async def test_the_guard_stands_before_every_route_and_any_body(
    path: str, headers: dict[str, str], status: int
) -> None:
    """I1 to I4."""
    for method in ("GET", "POST"):
        asking = Asking(method, path, **headers)
        assert (await server().http.answer(asking)).status == status
        assert not asking.was_read


@pytest.mark.parametrize(
    "target",
    ["/mcp", "/mcp/", "/mcp/weather", "/mcp/my%20server", "/mcp?x=1", "http://localhost/mcp"],
)
async def test_the_mcp_urls_answer_without_a_redirect(target: str) -> None:
    reply = await server().http.answer(modern("tools/list", target=target))
    assert reply.status == 200


@pytest.mark.parametrize(
    "target",
    [
        "/mcp/%2e%2e/admin",
        "/mcp//weather",
        "/mcp/a%2Fb",
        "/mcp/weather.",
        "/mcp/Weather",
        "/MCP",
        "/mcp/weather/",
        "/mcp/weather;b",
        "/mcp/%77eather",
        "/mcp/my server",
        "/",
        "/mcpx",
        "/mcp/..",
        "/mcp/../mcp",
        "/mcp/%",
        "/mcp/%ff",
        "/mcp/weather%00",
        "/mcp/gone",
    ],
)
async def test_any_other_spelling_is_not_found(target: str) -> None:
    """I25."""
    assert (await server().http.answer(modern("tools/list", target=target))).status == 404


@pytest.mark.parametrize(
    "target", ["http://evil.example/mcp", "*", "localhost:443", "https://localhost/mcp", ""]
)
async def test_a_target_that_is_no_path_of_ours_is_a_bad_request(target: str) -> None:
    """I6."""
    assert (await server().http.answer(modern("tools/list", target=target))).status == 400


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"])
async def test_the_modern_era_has_post_only(method: str) -> None:
    """I12."""
    reply = await server().http.answer(Asking(method, mcp_protocol_version="2026-07-28"))
    assert (reply.status, reply.extra["Allow"]) == (405, "POST")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "HEAD", "OPTIONS", "BREW"])
async def test_other_methods_are_told_what_is_allowed(method: str) -> None:
    reply = await server().http.answer(Asking(method))
    assert (reply.status, reply.extra["Allow"]) == (405, "GET, POST, DELETE")


@pytest.mark.parametrize("path", ["/health", "/metrics", "/livez", "/readyz"])
async def test_pages_are_for_reading(path: str) -> None:
    assert (await server().http.answer(Asking("GET", path))).status == 200
    assert (await server().http.answer(Asking("POST", path))).status == 405


async def test_what_is_no_message_is_a_400_that_says_why() -> None:
    """I13."""
    reply = await server().http.answer(Asking(body=b"{"))
    assert (reply.status, body(reply)["error"]["code"]) == (400, -32700)


async def test_an_unreadable_body_gives_its_own_reply() -> None:
    class Broken(Asking):
        async def read(self) -> bytes:
            raise Unreadable(413, "too large")

    assert (await server().http.answer(Broken())).status == 413


async def test_a_modern_call_can_be_cancelled_by_leaving_and_a_legacy_one_cannot() -> None:
    """I21."""
    front = server()
    asked = modern("tools/list")
    await front.http.answer(asked)
    assert asked.cancellable
    asked = legacy("tools/list", mcp_session_id=await opened(front))
    assert (await front.http.answer(asked)).status == 200
    assert not asked.cancellable


@pytest.mark.parametrize(
    ("method", "status", "code"),
    [("ping", 404, -32601), ("initialize", 404, -32601), ("resources/read", 400, -32602)],
)
async def test_modern_errors_have_the_status_of_their_code(
    method: str, status: int, code: int
) -> None:
    reply = await server().http.answer(modern(method))
    assert (reply.status, body(reply)["error"]["code"], body(reply)["id"]) == (status, code, 1)


async def test_a_modern_header_without_envelope_is_modern_and_malformed() -> None:
    reply = await server().http.answer(legacy("tools/list", mcp_protocol_version="2026-07-28"))
    assert (reply.status, body(reply)["error"]["code"]) == (400, -32602)


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ({"jsonrpc": "2.0", "method": "notifications/cancelled"}, 202),
        ({"jsonrpc": "2.0", "id": 1, "result": {}}, 400),
        ([{"jsonrpc": "2.0", "id": 1, "method": "ping"}], 400),
    ],
)
async def test_the_modern_era_takes_single_requests_and_notifications(
    message: Any, status: int
) -> None:
    """I22."""
    asked = Asking(body=message, mcp_protocol_version="2026-07-28")
    assert (await server().http.answer(asked)).status == status


async def test_a_session_id_means_nothing_to_the_modern_era() -> None:
    reply = await server().http.answer(modern("tools/list", mcp_session_id="nonsense"))
    assert reply.status == 200
    assert "Mcp-Session-Id" not in reply.extra


async def test_a_legacy_request_needs_its_session() -> None:
    front = server()
    assert (await front.http.answer(legacy("tools/list"))).status == 400
    assert (await front.http.answer(legacy("tools/list", mcp_session_id="x"))).status == 404
    session = await opened(front)
    assert (await front.http.answer(legacy("tools/list", mcp_session_id=session))).status == 200
    reply = await front.http.answer(Asking("DELETE", mcp_session_id=session))
    assert reply.status == 204
    for again in (legacy("ping", mcp_session_id=session), Asking("DELETE", mcp_session_id=session)):
        assert (await front.http.answer(again)).status == 404


async def test_a_session_is_bound_to_the_url_it_was_opened_at() -> None:
    front = server()
    session = await opened(front, "/mcp/weather")
    asked = legacy("tools/list", mcp_session_id=session)
    assert (await front.http.answer(asked)).status == 404
    asked.target = "/mcp/weather"
    assert (await front.http.answer(asked)).status == 200


@pytest.mark.parametrize(
    ("version", "status"), [("2025-11-25", 200), ("2024-11-05", 200), ("1.0", 400)]
)
async def test_a_legacy_version_header_must_be_one_we_speak(version: str, status: int) -> None:
    front = server()
    session = await opened(front)
    asked = legacy("ping", mcp_session_id=session, mcp_protocol_version=version)
    assert (await front.http.answer(asked)).status == status


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 9, "result": {}},
    ],
)
async def test_what_needs_no_answer_is_accepted(message: Any) -> None:
    """I22."""
    front = server()
    asked = Asking(body=message, mcp_session_id=await opened(front))
    reply = await front.http.answer(asked)
    assert (reply.status, reply.body) == (202, b"")


@pytest.mark.parametrize(("version", "status"), [("2025-03-26", 200), ("2025-06-18", 400)])
async def test_batches_are_for_the_one_revision_that_has_them(version: str, status: int) -> None:
    """I16."""
    front = server()
    items = [{"jsonrpc": "2.0", "id": n, "method": "ping"} for n in (1, 2)]
    asked = Asking(body=items, mcp_session_id=await opened(front, version=version))
    reply = await front.http.answer(asked)
    assert reply.status == status
    if status == 200:
        assert [item["id"] for item in body(reply)] == [1, 2]


async def test_a_legacy_error_comes_with_status_200() -> None:
    front = server()
    reply = await front.http.answer(legacy("no/such", mcp_session_id=await opened(front)))
    assert (reply.status, body(reply)["error"]["code"]) == (200, -32601)


async def test_a_get_stream_needs_its_session_and_event_streams() -> None:
    front = server()
    session = await opened(front)
    assert (await front.http.answer(Asking("GET"))).status == 400
    assert (await front.http.answer(Asking("GET", accept="application/json"))).status == 406
    reply = await front.http.answer(Asking("GET", mcp_session_id=session))
    assert (reply.status, reply.kind) == (200, "text/event-stream")
    assert reply.feed is not None


async def test_listening_gives_a_stream_that_is_acknowledged() -> None:
    reply = await server().http.answer(modern("subscriptions/listen", {"notifications": {}}))
    assert reply.kind == "text/event-stream"
    assert reply.extra["X-Accel-Buffering"] == "no"
    assert reply.feed is not None
    assert b"notifications/subscriptions/acknowledged" in await anext(reply.feed)


class Slow:
    """A tool that answers when told to."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, call: Call) -> ToolResult:
        self.begun.set()
        await self.go.wait()
        return await echo(call)


async def test_draining_refuses_new_calls_and_lets_running_ones_end() -> None:
    """F10."""
    slow = Slow()
    front = server(slow)
    calling = modern("tools/call", {"name": "now"}, "/mcp/weather", mcp_name="now")
    running = asyncio.create_task(front.http.answer(calling))
    await slow.begun.wait()
    draining = asyncio.create_task(front.http.drain(5))
    await asyncio.sleep(0)
    refused = await front.http.answer(modern("tools/list"))
    assert (refused.status, refused.extra["Connection"]) == (503, "close")
    assert "shutting down" in body(refused)["error"]["message"]
    assert body(refused)["id"] == 1
    assert (await front.http.answer(Asking("GET", "/readyz"))).status == 503
    assert (await front.http.answer(Asking("GET", "/livez"))).status == 200
    assert not draining.done()
    slow.go.set()
    async with asyncio.timeout(5):
        assert (await running).status == 200
        await draining


async def test_draining_waits_no_longer_than_its_grace() -> None:
    slow = Slow()
    front = server(slow)
    calling = modern("tools/call", {"name": "now"}, "/mcp/weather", mcp_name="now")
    running = asyncio.create_task(front.http.answer(calling))
    await slow.begun.wait()
    async with asyncio.timeout(5):
        await front.http.drain(0.01)
    running.cancel()


async def test_draining_ends_listen_streams_politely_and_get_streams() -> None:
    front = server()
    listening = await front.http.answer(modern("subscriptions/listen", {"notifications": {}}))
    asked = Asking("GET", mcp_session_id=await opened(front))
    getting = await front.http.answer(asked)
    await front.http.drain(1)
    assert listening.feed is not None
    assert getting.feed is not None
    said = b"".join([chunk async for chunk in listening.feed])
    assert b'"resultType":"complete"' in said
    async with asyncio.timeout(5):
        assert b"data: {" not in b"".join([chunk async for chunk in getting.feed])
    assert (await front.http.answer(asked)).status == 503


async def test_a_legacy_call_is_cancelled_by_its_notification() -> None:
    slow = Slow()
    front = server(slow)
    session = await opened(front, "/mcp/weather")
    calling = legacy("tools/call", {"name": "now"}, mcp_session_id=session)
    cancelling = Asking(
        body={"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}},
        mcp_session_id=session,
    )
    calling.target = cancelling.target = "/mcp/weather"
    running = asyncio.create_task(front.http.answer(calling))
    await slow.begun.wait()
    assert (await front.http.answer(cancelling)).status == 202
    async with asyncio.timeout(5):
        assert await running == Reply(202)


async def test_a_modern_notification_of_an_unknown_version_is_told_so() -> None:
    asked = Asking(
        body={"jsonrpc": "2.0", "method": "notifications/x", "params": {"_meta": META}},
        mcp_protocol_version="v999",
    )
    reply = await server().http.answer(asked)
    assert (reply.status, body(reply)["error"]["code"]) == (400, -32022)


async def test_a_malformed_filter_is_refused_before_a_stream_begins() -> None:
    reply = await server().http.answer(modern("subscriptions/listen"))
    assert (reply.status, body(reply)["error"]["code"], reply.feed) == (400, -32602, None)


async def test_too_many_subscriptions_of_one_caller_are_a_429() -> None:
    """I23."""
    front = server()
    wanted = {"notifications": {"toolsListChanged": True}}
    replies = [
        await front.http.answer(modern("subscriptions/listen", wanted))
        for _ in range(MOST_EACH + 1)
    ]
    assert [reply.status for reply in replies[-2:]] == [200, 429]
    assert body(replies[-1])["id"] == 1
    assert front.streams == MOST_EACH


async def test_an_initialize_that_is_malformed_opens_no_session() -> None:
    reply = await server().http.answer(legacy("initialize", [1]))
    assert (reply.status, "Mcp-Session-Id" in reply.extra) == (400, False)


async def test_a_batch_holds_its_bad_items_to_account_one_by_one() -> None:
    front = server()
    items = [{"jsonrpc": "2.0", "id": 1, "method": "ping"}, {"jsonrpc": "2.0", "id": 2}]
    session = await opened(front, version="2025-03-26")
    reply = await front.http.answer(Asking(body=items, mcp_session_id=session))
    assert [item.get("error", {}).get("code") for item in body(reply)] == [None, -32600]


async def test_a_pinned_tool_is_called_by_its_own_name() -> None:
    def ignore(event: Event) -> None:
        pass

    current = Current(snapshot(1, {"weather": [tool("weather", "now")]}))
    options = Options(surfaced_tools=[ToolRef("weather", "now")])
    front = HttpServer(current, ignore, options, Ledger(), lambda: b"")
    params = {"name": "now", "arguments": {"text": "hi"}}
    reply = await front.http.answer(modern("tools/call", params, mcp_name="now"))
    assert body(reply)["result"]["structuredContent"] == {"text": "hi"}
