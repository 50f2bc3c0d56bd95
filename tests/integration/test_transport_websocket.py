"""The WebSocket transport before the SDK's own server, and before servers that misbehave."""

import asyncio
import contextlib
import json
import math
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import WSMsgType, web

from gateway.domain.call import Call
from gateway.domain.identity import ANONYMOUS
from gateway.domain.tool import Tool, ToolRef
from gateway.errors import BackendUnavailable, BadResponse, Busy, InvalidArguments, Reached
from gateway.http.direct import Direct
from gateway.http.failures import ConnectionLost, Refused, Unreachable
from gateway.protocol.received import LARGEST
from gateway.session.session import Session
from gateway.transports.base import Means
from gateway.transports.websocket import WebSocket
from gateway.transports.websocket_conversation import Conversation, opened
from tests.peers import mcp1, programs, real_servers
from tests.peers.hearing import Hearing, outbound, result
from tests.peers.tls import Authority
from tests.peers.web import serving

Behaviour = Callable[[web.WebSocketResponse, dict], Awaitable[None]]


def means(authorizer=None) -> Means:
    return Means("tested", Direct(public_only=False), authorizer)


async def echo(socket: web.WebSocketResponse, message: dict) -> None:
    if message["method"] == "echo":
        answer = {"jsonrpc": "2.0", "id": message["id"], "result": message["params"]}
        await socket.send_str(json.dumps(answer))


def server(behaviour: Behaviour = echo, seen: list[web.Request] | None = None, **settings: object):
    async def handler(request: web.Request) -> web.StreamResponse:
        if seen is not None:
            seen.append(request)
        socket = web.WebSocketResponse(protocols=("mcp",), max_msg_size=0, **settings)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await behaviour(socket, json.loads(message.data))
        return socket

    return handler


@contextlib.asynccontextmanager
async def connected(handler) -> AsyncIterator[tuple[Conversation, Hearing]]:
    async with serving(handler) as port:
        peer = Hearing()
        socket = await opened(f"ws://127.0.0.1:{port}/mcp", peer, means())
        try:
            yield socket, peer
        finally:
            await socket.aclose()


class Shows:
    """An Authorizer that shows another token once the first is refused."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)
        self.challenges: list[tuple[int, str]] = []

    async def headers(self):
        return (
            ("Authorization", f"Bearer {self.tokens[0]}"),
            ("Sec-WebSocket-Protocol", "evil"),
            ("Connection", "close"),
        )

    def query(self):
        return (("k", "a&b"),)

    async def challenged(self, status, headers, shown=()):
        self.challenges.append((status, headers["www-authenticate"]))
        if len(self.tokens) > 1:
            self.tokens.pop(0)
            return True
        return False

    async def aclose(self):
        pass


@pytest.fixture(scope="module")
def sdk_server(tmp_path_factory):
    try:
        python = str(mcp1.install())
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"mcp 1.x cannot be installed here: {type(error).__name__}")
    script = str(programs.ROOT / "tests" / "peers" / "real_servers_websocket.py")
    log = tmp_path_factory.mktemp("websocket") / "log"
    with real_servers.started([python, script], log) as port:
        yield f"ws://127.0.0.1:{port}/ws"


class Unheard:
    """SessionEvents that nobody listens to."""

    def changed(self, method):
        pass

    def said(self, method, params):
        pass

    def lost(self, reason):
        pass


async def test_a_session_with_the_sdks_own_server_lists_and_calls(sdk_server):
    session = await Session.open(WebSocket(sdk_server), means(), Unheard())
    try:
        assert session.server_info["name"] == "shouting"
        tools = await session.list_all("tools/list")
        tool = Tool(ToolRef("tested", "shout"), tools[0])
        call = Call("1", tool, {"text": "hi"}, ANONYMOUS, math.inf)
        answer = await session.call(call, "shout", {"text": "hi"}, tool.input_schema)
        assert b'"HI"' in answer.raw
        await session.ping()
    finally:
        await session.aclose()


async def test_requests_overlap_and_each_gets_its_own_answer():
    seen: list[web.Request] = []
    async with connected(server(seen=seen)) as (socket, peer):
        asked = [outbound("echo", n=number) for number in range(50)]
        answers = await asyncio.gather(*map(socket.request, asked))
    assert [answer.id for answer in answers] == [out.id for out in asked]
    assert [result(answer)["n"] for answer in answers] == list(range(50))
    assert seen[0].headers["Sec-WebSocket-Protocol"] == "mcp"
    assert seen[0].headers["User-Agent"].startswith("capgate/")
    assert "Cookie" not in seen[0].headers
    assert peer.reasons == []  # never after aclose
    with pytest.raises(BackendUnavailable, match="closed"):
        await socket.send(b"{}")


async def test_what_the_server_says_unasked_goes_to_the_peer_and_noise_to_nobody():
    async def behave(socket, message):
        await socket.send_str('{"jsonrpc":"2.0","id":"a","method":"ping"}')
        await socket.send_bytes(b'{"jsonrpc":"2.0","method":"notifications/message"}')
        await socket.send_str("no message")
        await socket.send_bytes(b"\xff\xfe")
        await echo(socket, message)

    async with connected(server(behave)) as (socket, peer):
        assert result(await socket.request(outbound("echo", n=1))) == {"n": 1}
    assert [message.method for message in peer.messages] == ["ping", "notifications/message"]


async def test_an_unreadable_answer_fails_its_request_alone():
    async def behave(socket, message):
        await socket.send_str(f'{{"jsonrpc":"2.0","id":{message["id"]},"result":[1]}}')

    async with connected(server(behave)) as (socket, _):
        with pytest.raises(BadResponse):
            await socket.request(outbound("echo"))


async def test_a_lost_connection_fails_its_requests_and_is_told_once():
    async def behave(socket, _message):
        await socket.close(code=4000)

    async with connected(server(behave)) as (socket, peer):
        with pytest.raises(ConnectionLost, match="code 4000") as caught:
            await socket.request(outbound("hold"))
        assert caught.value.reached is Reached.SENT_UNKNOWN
        with pytest.raises(BackendUnavailable):
            await socket.request(outbound("echo"))
        await peer.loss()
    assert len(peer.reasons) == 1


async def test_a_connection_that_is_cut_is_lost_too():
    async def behave(socket, _message):
        socket._req.transport.abort()

    async with connected(server(behave)) as (socket, peer):
        with pytest.raises(ConnectionLost):
            await socket.request(outbound("hold"))
        await peer.loss()


async def test_a_message_over_the_cap_ends_the_connection():  # I57
    async def behave(socket, _message):
        await socket.send_str("x" * (LARGEST + 1))

    async with connected(server(behave)) as (socket, _):
        with pytest.raises(ConnectionLost, match="more than 16777216 bytes"):
            await socket.request(outbound("echo"))


async def test_an_answer_of_ten_megabytes_is_whole():
    async with connected(server()) as (socket, _):
        answer = await socket.request(outbound("echo", text="x" * 10_000_000))
    assert len(result(answer)["text"]) == 10_000_000


async def test_a_server_that_reads_nothing_gets_no_more_than_we_keep():
    reading = asyncio.Event()

    async def behave(_socket, _message):
        await reading.wait()

    async with connected(server(behave)) as (socket, _):
        asked = [outbound("hold", text="x" * 12_000_000) for _ in range(6)]
        tasks = [asyncio.ensure_future(socket.request(out)) for out in asked]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        assert {type(task.exception()) for task in done} == {Busy}
        reading.set()
        await socket.aclose()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_cancelled_request_is_forgotten():
    async with connected(server()) as (socket, _):
        waiting = asyncio.ensure_future(socket.request(outbound("hold")))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert len(socket._correlation) == 0
        assert result(await socket.request(outbound("echo", n=1))) == {"n": 1}


async def test_a_refusal_is_answered_once_with_what_the_authorizer_then_shows():
    seen: list[web.Request] = []
    welcome = server(seen=seen)

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.headers["Authorization"] != "Bearer new":
            return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        return await welcome(request)

    async with serving(handler) as port:
        url = f"ws://127.0.0.1:{port}/?x=1"
        shows = Shows("old", "new")
        socket = await opened(url, Hearing(), means(shows))
        assert result(await socket.request(outbound("echo", n=1))) == {"n": 1}
        await socket.aclose()
        assert shows.challenges == [(401, "Bearer")]
        assert seen[0].headers["Sec-WebSocket-Protocol"] == "mcp"
        assert dict(seen[0].query) == {"x": "1", "k": "a&b"}

        shows = Shows("old", "older", "oldest")
        with pytest.raises(Refused, match="401"):
            await opened(url, Hearing(), means(shows))
        assert len(shows.challenges) == 2


async def test_a_redirect_is_not_followed():  # T2
    met: list[web.Request] = []

    async def elsewhere(request):
        met.append(request)
        return web.Response()

    async with serving(elsewhere) as other:

        async def handler(_request):
            raise web.HTTPFound(f"http://127.0.0.1:{other}/")

        async with serving(handler) as port:
            with pytest.raises(BadResponse, match="redirects"):
                await opened(f"ws://127.0.0.1:{port}/", Hearing(), means())
    assert met == []


@pytest.mark.parametrize(
    ("url", "error", "reason"),
    [
        ("ws://127.0.0.1:1/", BackendUnavailable, "cannot connect"),
        ("ws://no-such-host.invalid/", BackendUnavailable, "cannot connect"),
        ("ws://", Unreachable, "not a WebSocket URL"),
    ],
)
async def test_what_cannot_be_reached_says_so(url, error, reason):
    with pytest.raises(error, match=reason) as caught:
        await opened(url, Hearing(), means())
    assert caught.value.reached is Reached.NOT_SENT


async def test_a_credential_that_cannot_go_out_is_not_shown_in_the_error():
    async with serving(server()) as port:
        with pytest.raises(InvalidArguments) as caught:
            await opened(f"ws://127.0.0.1:{port}/", Hearing(), means(Shows("se\r\ncret")))
    assert "cret" not in str(caught.value)


async def test_tls_is_verified(tmp_path):  # I61
    authority = Authority(tmp_path)
    async with serving(server(), authority.server()) as port:
        url = f"wss://localhost:{port}/"
        with pytest.raises(Unreachable, match="certificate is not trusted"):
            await opened(url, Hearing(), means())
        socket = await opened(url, Hearing(), means(), authority.client())
        assert result(await socket.request(outbound("echo", n=1))) == {"n": 1}
        await socket.aclose()


async def test_the_settings_connect_by_themselves_and_nothing_stays():
    before = len(asyncio.all_tasks())
    async with serving(server()) as port:
        kind = WebSocket(f"ws://127.0.0.1:{port}/")
        for _ in range(3):
            transport = await kind.connect(Hearing(), means())
            assert result(await transport.request(outbound("echo", n=1))) == {"n": 1}
            await transport.aclose()
            await transport.aclose()
    assert len(asyncio.all_tasks()) == before
