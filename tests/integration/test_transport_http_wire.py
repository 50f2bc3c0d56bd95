"""Streamable HTTP against a server that says exactly what each test wants said."""

import asyncio
import gzip
import json
from collections.abc import Mapping

import pytest

from gateway.credentials.base import Pairs
from gateway.errors import (
    BackendUnavailable,
    BadResponse,
    InvalidArguments,
    Reached,
    SessionLost,
)
from gateway.http.failures import Refused
from tests.peers.mcp_wire_connected import NOTE, connected, opening
from tests.peers.mcp_wire_hearer import Hearer, asked, result
from tests.peers.mcp_wire_script import (
    END,
    Answer,
    Request,
    accepted,
    event,
    forever,
    message,
    says,
    scripted,
    stream,
    then_silence,
    whole,
)
from tests.peers.mcp_wire_script import result as good


def events(*pieces: bytes | None, head: bytes = b"") -> Answer:
    """A stream of these events; None stands for the response."""

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        found = [message(request.id) if piece is None else piece for piece in pieces]
        writer.write(stream() + b"".join(event(piece, head) for piece in found) + END)

    return answer


# -- what goes out ------------------------------------------------------------------------------


async def test_a_request_holds_what_it_must_and_nothing_else() -> None:
    async with scripted(good) as peer, connected(peer) as transport:
        out = asked(headers=(("Mcp-Method", "tools/call"), ("Mcp-Name", "a")))
        answer = await transport.request(out)
    (request,) = peer.requests
    assert result(answer) == {"of": out.id}
    assert (request.method, request.target, request.body) == ("POST", "/mcp?key=k", out.body)
    assert sorted(request.headers) == [
        "accept",
        "accept-encoding",
        "content-length",
        "content-type",
        "host",
        "mcp-method",
        "mcp-name",
        "user-agent",
    ]
    assert request.headers["accept"] == "application/json, text/event-stream"
    assert request.headers["content-type"] == "application/json"


async def test_a_cookie_is_not_kept() -> None:
    async def baking(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(whole(message(request.id), b"Set-Cookie: a=b"))

    async with scripted(baking) as peer, connected(peer) as transport:
        await transport.request(asked())
        await transport.request(asked())
    assert all("cookie" not in request.headers for request in peer.requests)
    assert peer.connections == 1


async def test_a_header_value_cannot_break_out_of_its_line() -> None:
    async with scripted(good) as peer, connected(peer) as transport:
        with pytest.raises(InvalidArguments):
            await transport.request(asked(headers=(("Mcp-Name", "a\r\nX-Evil: 1"),)))
        await transport.request(asked(headers=(("Mcp-Name", "naïve"),)))
    assert len(peer.requests) == 1


async def test_a_session_is_named_from_then_on_and_ended() -> None:
    async with scripted(opening, accepted, good, accepted) as peer:
        async with connected(peer) as transport:
            await transport.request(asked("initialize"))
            await transport.send(NOTE)
            await transport.request(asked())
        assert [
            (request.method, request.headers.get("mcp-session-id")) for request in peer.requests
        ] == [("POST", None), ("POST", "s-1"), ("POST", "s-1"), ("DELETE", "s-1")]


async def test_a_new_handshake_leaves_the_old_session_behind() -> None:
    async with scripted(opening, good, accepted) as peer, connected(peer) as transport:
        await transport.request(asked("initialize"))
        await transport.request(asked("initialize"))
        await transport.send(NOTE)
    assert [request.headers.get("mcp-session-id") for request in peer.requests] == [None] * 3


async def test_a_session_id_that_is_no_header_value_is_refused() -> None:
    async def odd(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(whole(message(request.id), b"Mcp-Session-Id: a b"))

    async with scripted(odd) as peer, connected(peer) as transport:
        with pytest.raises(BadResponse, match="session"):
            await transport.request(asked("initialize"))


async def test_a_goodbye_is_not_waited_for_long() -> None:
    silence = then_silence(b"")
    async with scripted(opening, accepted, silence) as peer, connected(peer) as transport:
        await transport.request(asked("initialize"))
        await transport.send(NOTE)
        async with asyncio.timeout(5):
            await transport.aclose()
        await transport.aclose()
        with pytest.raises(BackendUnavailable):
            await transport.request(asked())
    assert [request.method for request in peer.requests].count("DELETE") == 1


# -- what comes in ------------------------------------------------------------------------------


async def test_a_batch_gives_its_response_and_its_other_messages() -> None:
    async def batch(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(whole(b"[" + NOTE + b"," + message(request.id) + b"]"))

    hearer = Hearer()
    async with scripted(batch) as peer, connected(peer, hearer) as transport:
        out = asked()
        assert result(await transport.request(out)) == {"of": out.id}
    assert hearer.messages.get_nowait() == (out.id, "notifications/x", None)


async def test_only_the_response_to_the_request_ends_it() -> None:
    """I57, I60: other ids, id reuse, and events after the response."""
    hearer = Hearer()
    other = [b"%d" % 10**9, b'"1"', b"null"]
    wrong = [b'{"jsonrpc":"2.0","id":%b,"error":{"code":1,"message":"x"}}' % id for id in other]
    answer = events(*wrong, NOTE, None, NOTE, None)
    async with scripted(answer) as peer, connected(peer, hearer) as transport:
        for _ in range(2):
            out = asked()
            assert result(await transport.request(out)) == {"of": out.id}
            assert hearer.messages.get_nowait()[:2] == (out.id, "notifications/x")
    assert hearer.messages.empty()
    assert peer.connections == 1


async def test_events_may_drip() -> None:
    async def dripping(request: Request, writer: asyncio.StreamWriter) -> None:
        data = b"HTTP/1.1 103 Early Hints\r\n\r\n" + stream() + event(b"", b"id: 1\nretry: 9\n")
        for byte in data + event(message(request.id)) + END:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)

    async with scripted(dripping) as peer, connected(peer) as transport:
        for _ in range(2):
            out = asked()
            assert result(await transport.request(out)) == {"of": out.id}


async def test_the_response_is_given_before_the_stream_ends() -> None:
    """The connection is used again if the end comes soon."""
    ending = asyncio.Event()

    async def late(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(stream() + event(message(request.id)))
        await ending.wait()
        writer.write(END)

    async with scripted(late, good) as peer, connected(peer) as transport:
        await transport.request(asked())
        ending.set()
        await transport.request(asked())  # meanwhile on another one
        for _ in range(20):
            await asyncio.gather(*[transport.request(asked()) for _ in range(2)])
    assert peer.connections == 2


async def test_a_stream_that_goes_on_after_the_response_is_closed() -> None:
    """I60."""

    async def endless(request: Request, writer: asyncio.StreamWriter) -> None:
        await forever(stream() + event(message(request.id)), event(NOTE))(request, writer)

    hearer = Hearer()
    async with scripted(endless) as peer, connected(peer, hearer) as transport:
        await transport.request(asked())
        await peer.left.wait()
    assert hearer.messages.empty()


async def test_a_packed_answer_is_unpacked() -> None:
    async def packed(request: Request, writer: asyncio.StreamWriter) -> None:
        body = gzip.compress(message(request.id))
        writer.write(whole(body, b"Content-Encoding: gzip"))

    async def packed_stream(request: Request, writer: asyncio.StreamWriter) -> None:
        body = gzip.compress(b"data: " + message(request.id) + b"\n\n")
        writer.write(whole(body, b"Content-Encoding: gzip", b"Content-Type: text/event-stream"))

    async with scripted(packed, packed_stream) as peer, connected(peer) as transport:
        for _ in range(2):
            out = asked()
            assert result(await transport.request(out)) == {"of": out.id}


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (whole(b"<html>secret</html>", b"Content-Type: text/html"), "text/html"),
        (whole(b"x", b"Content-Type: s3cr3t token"), "something else"),
        (whole(b"not json: secret"), "no JSON-RPC message"),
        (whole(b'{"jsonrpc":"2.0","id":-5,"result":{}}'), "another request"),
        (whole(b'{"jsonrpc":"2.0","id":1,"result":"\xff"}'), "no JSON-RPC message"),
        (stream() + event(b"secret") + END, "no JSON-RPC message"),
        (whole(b"", status=b"202 Accepted"), "HTTP 202"),
        (whole(b"", b"Location: http://127.0.0.1:1/?secret", status=b"307 X"), "redirects"),
    ],
)
async def test_what_is_no_answer_is_a_bad_response(answer: bytes, text: str) -> None:
    async with scripted(says(answer)) as peer, connected(peer) as transport:
        with pytest.raises(BadResponse, match=text) as caught:
            await transport.request(asked())
    assert "secret" not in caught.value.explain()
    assert "s3cr3t" not in caught.value.explain()
    assert len(peer.requests) == 1


@pytest.mark.parametrize("id", [None, "server-error", "ours"])
@pytest.mark.parametrize("status", [400, 403, 404, 500])
async def test_an_error_keeps_the_status_it_came_with(id: str | None, status: int) -> None:
    async def refusing(request: Request, writer: asyncio.StreamWriter) -> None:
        error = {"code": -32022, "message": "m", "data": {"supported": []}}
        named = request.id if id == "ours" else id
        body = json.dumps({"jsonrpc": "2.0", "id": named, "error": error}).encode()
        writer.write(whole(body, status=b"%d X" % status))

    async with scripted(refusing) as peer, connected(peer) as transport:
        out = asked("server/discover")
        answer = await transport.request(out)
    assert (answer.id, answer.status, answer.error["code"]) == (out.id, status, -32022)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410])
async def test_a_status_without_an_error_is_a_refusal(status: int) -> None:
    data = whole(b"secret", status=b"%d X" % status)
    async with scripted(says(data)) as peer, connected(peer) as transport:
        with pytest.raises(Refused, match=str(status)) as caught:
            await transport.request(asked("server/discover"))
        with pytest.raises(Refused):
            await transport.send(NOTE)
    assert caught.value.status == status
    assert "secret" not in caught.value.explain()


@pytest.mark.parametrize(
    ("status", "reached"),
    [
        (429, Reached.NOT_SENT),
        (503, Reached.NOT_SENT),
        (500, Reached.SENT_UNKNOWN),
        (504, Reached.SENT_UNKNOWN),
    ],
)
async def test_a_server_in_trouble_is_unavailable(status: int, reached: Reached) -> None:
    data = whole(b"secret", status=b"%d X" % status)
    async with scripted(says(data)) as peer, connected(peer) as transport:
        with pytest.raises(BackendUnavailable, match=str(status)) as caught:
            await transport.request(asked())
    assert caught.value.reached is reached


@pytest.mark.parametrize(
    "answer",
    [
        whole(b"", status=b"404 Not Found"),
        whole(b'{"id":null,"error":{"code":-32001,"message":"x"}}', status=b"404 Not Found"),
        whole(b"Bad Request: No valid session ID provided", status=b"400 Bad Request"),
    ],
)
async def test_a_forgotten_session_is_lost_and_nothing_was_done(answer: bytes) -> None:
    async with scripted(opening, says(answer)) as peer, connected(peer) as transport:
        await transport.request(asked("initialize"))
        with pytest.raises(SessionLost) as caught:
            await transport.request(asked())
        with pytest.raises(SessionLost):
            await transport.send(NOTE)
    assert caught.value.reached is Reached.NOT_SENT


async def test_an_unknown_method_is_no_lost_session() -> None:
    async def unknown(request: Request, writer: asyncio.StreamWriter) -> None:
        body = b'{"id":%d,"error":{"code":-32601,"message":"x"}}' % request.id
        writer.write(whole(body, status=b"404 Not Found"))

    async with scripted(opening, unknown) as peer, connected(peer) as transport:
        await transport.request(asked("initialize"))
        assert (await transport.request(asked())).error["code"] == -32601


# -- credentials --------------------------------------------------------------------------------


class Keys:
    """Shows one key after the other; `knows` how many there are."""

    def __init__(self, *keys: str) -> None:
        self.keys = list(keys)
        self.refused: list[tuple[int, str, Pairs]] = []

    async def headers(self) -> Pairs:
        return (("Authorization", self.keys[0]), ("Host", "evil"), ("X-Key", "1"))

    def query(self) -> Pairs:
        return (("token", "a&b"),)

    async def challenged(self, status: int, headers: Mapping[str, str], shown: Pairs = ()) -> bool:
        self.refused.append((status, headers["www-authenticate"], shown))
        if len(self.keys) < 2:
            return False
        self.keys.pop(0)
        return True

    async def aclose(self) -> None:
        pass


async def doorkeeper(request: Request, writer: asyncio.StreamWriter) -> None:
    if request.headers.get("authorization") == "good":
        await good(request, writer)
    else:
        writer.write(whole(b"", b"WWW-Authenticate: Bearer", status=b"401 X"))


async def test_new_credentials_are_shown_once_when_the_old_are_refused() -> None:
    keys = Keys("old", "good")
    async with scripted(doorkeeper) as peer, connected(peer, authorizer=keys) as transport:
        for _ in range(2):
            out = asked()
            assert result(await transport.request(out)) == {"of": out.id}
    assert [request.headers["authorization"] for request in peer.requests] == [
        "old",
        "good",
        "good",
    ]
    assert {request.target for request in peer.requests} == {"/mcp?key=k&token=a%26b"}
    assert {request.headers["host"] for request in peer.requests} == {f"127.0.0.1:{peer.port}"}
    assert [(status, said) for status, said, _ in keys.refused] == [(401, "Bearer")]
    assert keys.refused[0][2][0] == ("Authorization", "old")


async def test_credentials_refused_twice_are_an_error_that_does_not_tell_them() -> None:
    keys = Keys("old", "older", "oldest")
    async with scripted(doorkeeper) as peer, connected(peer, authorizer=keys) as transport:
        with pytest.raises(Refused, match="401") as caught:
            await transport.request(asked())
    assert len(peer.requests) == 2
    assert len(keys.refused) == 2
    assert "old" not in caught.value.explain()
