"""Our outgoing HTTP against a well-behaved server: what goes out, comes back, and may not."""

import asyncio
import gzip
import logging
import zlib
from collections.abc import Sequence
from pathlib import Path
from ssl import SSLContext, TLSVersion

import pytest
from aiohttp import web

from gateway.errors import (
    BackendUnavailable,
    BadResponse,
    DeadlineExceeded,
    Draining,
    GatewayError,
    InvalidArguments,
    Reached,
)
from gateway.http.direct import Direct
from gateway.http.message import HttpRequest, HttpResponse
from gateway.http.names import Names
from gateway.http.outgoing import Outgoing
from tests.peers.tls import DAY, Authority
from tests.peers.web import Handler, serving

BIG = 10_000_000


async def send(
    url: str, method: str = "GET", *, cap: int = BIG, private: bool = True, **parts: object
) -> HttpResponse:
    """One request through a fresh Outgoing."""
    outgoing = Outgoing()
    try:
        request = HttpRequest(method, url, **parts)  # type: ignore[arg-type]
        return await outgoing.send(request, seconds=5, cap=cap, private=private)
    finally:
        await outgoing.aclose()


async def echo(request: web.Request) -> web.StreamResponse:
    """What arrived, as JSON: method, the target as it was on the wire, headers, body."""
    body = (await request.read()).decode("latin-1")
    sent = [[name.decode(), value.decode()] for name, value in request.raw_headers]
    return web.json_response({"to": [request.method, request.raw_path], "h": sent, "body": body})


# -- what goes out ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        "/a%2Fb/%2e%2e/x?q=a%20b+c&q=%C3%BC",
        "/api/../../x",
        "//evil/%00?a=%0d%0a",
        "/%252e%252e%252f;p=1?",
        "/?a=/../b",
        "/~!$&'()*+,;=:@",
    ],
)
async def test_a_url_goes_out_as_it_is(target: str) -> None:
    """T1: nothing on the way normalises it again."""
    async with serving(echo) as port:
        answer = await send(f"http://127.0.0.1:{port}{target}")
    assert f'"GET", "{target}"'.encode() in answer.body


async def test_a_url_without_a_path_asks_for_the_root() -> None:
    async with serving(echo) as port:
        assert b'"GET", "/"' in (await send(f"http://127.0.0.1:{port}")).body
        assert b'"GET", "/?a=1"' in (await send(f"http://127.0.0.1:{port}?a=1")).body


async def test_headers_keep_their_spelling_and_defaults_fill_the_gaps() -> None:
    async with serving(echo) as port:
        headers = (("X-aPi-kEy", "k"), ("accept", "text/csv"), ("X-Name", "naïve"))
        answer = await send(f"http://127.0.0.1:{port}/", headers=headers)
    for sent in (b'["X-aPi-kEy", "k"]', b'["accept", "text/csv"]', b'["X-Name", "na\\u00efve"]'):
        assert sent in answer.body
    assert b'["Accept-Encoding", "gzip, deflate"]' in answer.body
    assert b'["User-Agent", "capgate/' in answer.body
    assert answer.body.count(b"ccept") == 2


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
async def test_a_body_goes_out_with_its_length(method: str) -> None:
    async with serving(echo) as port:
        answer = await send(f"http://127.0.0.1:{port}/", method, body=b"abc")
    assert b'["Content-Length", "3"]' in answer.body
    assert b'"body": "abc"' in answer.body


async def test_a_post_without_a_body_says_so() -> None:
    async with serving(echo) as port:
        assert b'["Content-Length", "0"]' in (await send(f"http://127.0.0.1:{port}/", "POST")).body
        assert b"Content-Length" not in (await send(f"http://127.0.0.1:{port}/", "GET")).body


async def test_a_large_body_goes_out_whole() -> None:
    async def count(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    async with serving(count) as port:
        answer = await send(f"http://127.0.0.1:{port}/", "POST", body=b"x" * 5_000_000)
    assert answer.body == b"5000000"


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "a\x7fb", "\ud800"])
async def test_a_header_that_cannot_go_out_safely_is_refused(value: str) -> None:
    """T11."""
    with pytest.raises(InvalidArguments) as caught:
        await send("http://127.0.0.1:9/", headers=(("X-A", value),))
    assert caught.value.reached is Reached.NOT_SENT


@pytest.mark.parametrize("target", ["/a b", "/a\r\nX: 1", "/ü", "/a\tb", "/a\0"])
async def test_a_target_that_is_not_encoded_is_refused(target: str) -> None:
    with pytest.raises(InvalidArguments):
        await send(f"http://127.0.0.1:9{target}")


# -- what comes back ------------------------------------------------------------------------------


async def test_names_are_lower_case_and_repeated_headers_joined() -> None:
    async def twice(_: web.Request) -> web.Response:
        answer = web.Response(text="x", status=404)
        answer.headers.add("X-Twice", "a")
        answer.headers.add("X-Twice", "b")
        return answer

    async with serving(twice) as port:
        answer = await send(f"http://127.0.0.1:{port}/")
    assert answer.status == 404
    assert answer.headers["x-twice"] == "a, b"
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_packed_body_is_unpacked(encoding: str) -> None:
    pack = gzip.compress if encoding == "gzip" else zlib.compress

    async def packed(_: web.Request) -> web.Response:
        return web.Response(body=pack(b"hello" * 1000), headers={"Content-Encoding": encoding})

    async with serving(packed) as port:
        assert (await send(f"http://127.0.0.1:{port}/")).body == b"hello" * 1000
        with pytest.raises(BadResponse, match="larger than"):
            await send(f"http://127.0.0.1:{port}/", cap=4_999)


async def test_cookies_are_not_kept() -> None:
    """I58."""

    async def cookies(request: web.Request) -> web.Response:
        answer = web.Response(text=request.headers.get("Cookie", "none"))
        answer.set_cookie("session", "s")
        return answer

    outgoing = Outgoing()
    async with serving(cookies) as port:
        request = HttpRequest("GET", f"http://127.0.0.1:{port}/")
        for _ in range(2):
            answer = await outgoing.send(request, seconds=5, cap=100, private=True)
            assert answer.body == b"none"
    await outgoing.aclose()


async def test_ten_megabytes_for_each_of_many_arrive_intact() -> None:
    """F4."""

    async def large(request: web.Request) -> web.Response:
        return web.Response(body=request.path[1:].encode() * 1_000_000)

    outgoing = Outgoing()
    async with serving(large) as port:
        requests = [HttpRequest("GET", f"http://127.0.0.1:{port}/{n:010}") for n in range(8)]
        answers = await asyncio.gather(
            *[outgoing.send(item, seconds=30, cap=BIG, private=True) for item in requests]
        )
    await outgoing.aclose()
    for n, answer in enumerate(answers):
        assert answer.body == b"%010d" % n * 1_000_000


# -- redirects ------------------------------------------------------------------------------------


def redirects(location: str, status: int = 302) -> Handler:
    """`/N` leads to `/N-1`, `/go` to `location`; the rest is echoed."""

    async def handler(request: web.Request) -> web.StreamResponse:
        name = request.path[1:]
        if name.isdigit() and name != "0":
            return web.Response(status=status, headers={"Location": str(int(name) - 1)})
        if name == "go":
            return web.Response(status=status, headers={"Location": location})
        return await echo(request)

    return handler


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_within_the_origin_are_followed_with_our_headers(status: int) -> None:
    async with serving(redirects("", status)) as port:
        answer = await send(f"http://127.0.0.1:{port}/3", headers=(("X-Api-Key", "k"),))
    assert b'"GET", "/0"' in answer.body
    assert b'["X-Api-Key", "k"]' in answer.body


async def test_a_fourth_redirect_is_one_too_many() -> None:
    async with serving(redirects("")) as port:
        with pytest.raises(BadResponse, match="more than 3 times"):
            await send(f"http://127.0.0.1:{port}/4")


@pytest.mark.parametrize(
    "location",
    [
        "http://other.example/x?key=1",
        "//other.example/",
        "https://127.0.0.1:{port}/",
        "http://127.0.0.1:1/",
        "http://user:pw@127.0.0.1:{port}/",
        "http://127.0.0.2:{port}/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://[broken/",
        "http://169.254.169.254/latest/meta-data",
    ],
)
async def test_a_redirect_elsewhere_is_refused_and_not_asked(location: str) -> None:
    """T2: our keys stay with our origin."""
    asked: list[str] = []
    handler = redirects("")

    async def remember(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        if request.path == "/go":
            where = location.format(port=request.url.port)
            return web.Response(status=302, headers={"Location": where})
        return await handler(request)

    async with serving(remember) as port:
        with pytest.raises(BadResponse, match="redirects to") as caught:
            await send(f"http://127.0.0.1:{port}/go", headers=(("X-Api-Key", "k"),))
    assert asked == ["/go"]
    assert "key=" not in caught.value.explain()


async def test_a_redirected_post_is_the_callers_to_judge() -> None:
    async with serving(redirects("/elsewhere")) as port:
        answer = await send(f"http://127.0.0.1:{port}/go", "POST", body=b"x")
    assert (answer.status, answer.headers["location"]) == (302, "/elsewhere")


async def test_a_401_that_says_where_to_ask_for_a_token_is_an_answer_like_any_other() -> None:
    """I62."""
    asked: list[str] = []

    async def refuse(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        there = f"http://{request.host}/.well-known/oauth-protected-resource"
        challenge = f'Bearer resource_metadata="{there}"'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    async with serving(refuse) as port:
        assert (await send(f"http://127.0.0.1:{port}/x")).status == 401
    assert asked == ["/x"]


async def test_a_redirect_without_a_location_is_an_answer_like_any_other() -> None:
    async with serving(redirects("")) as port:
        assert (await send(f"http://127.0.0.1:{port}/go")).status == 302


# -- who may be reached -------------------------------------------------------------------------


class Dns:
    """Says what it is told, each answer once and the last for ever; counts the questions."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, _: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "2130706433", "0x7f.1", "0177.0.0.1"],
)
async def test_a_private_address_is_refused_however_it_is_written(host: str) -> None:
    """I48."""
    async with serving(echo) as port:
        with pytest.raises(BackendUnavailable) as caught:
            await send(f"http://{host}:{port}/?key=s3cret", private=False)
    assert caught.value.reached is Reached.NOT_SENT
    assert not caught.value.retryable
    assert "s3cret" not in caught.value.explain()


async def test_a_public_name_with_a_private_address_is_refused_when_dialled() -> None:
    """I48: a name that flips gains nothing, because what was checked is what is dialled."""
    names = Dns(["203.0.113.1", "127.0.0.1"])
    outgoing = Outgoing(Direct(public_only=True, resolve=names))
    async with serving(echo) as port:
        request = HttpRequest("GET", f"http://api.example:{port}/")
        with pytest.raises(BackendUnavailable, match=r"api\.example:.* not at a public address"):
            await outgoing.send(request, seconds=5, cap=100)
    await outgoing.aclose()


async def test_who_may_not_reach_an_address_does_not_reuse_who_may() -> None:
    names = Dns(["127.0.0.1"])
    outgoing = Outgoing(
        Direct(public_only=True, resolve=names), Direct(public_only=False, resolve=names)
    )
    async with serving(echo) as port:
        request = HttpRequest("GET", f"http://api.example:{port}/")
        assert (await outgoing.send(request, seconds=5, cap=BIG, private=True)).status == 200
        with pytest.raises(BackendUnavailable, match="public address"):
            await outgoing.send(request, seconds=5, cap=BIG)
    await outgoing.aclose()


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    """F14."""
    outgoing = Outgoing(any_address=Direct(public_only=False, resolve=Dns(["::1", "127.0.0.1"])))
    async with serving(echo) as port:
        request = HttpRequest("GET", f"http://api.example:{port}/")
        assert (await outgoing.send(request, seconds=5, cap=BIG, private=True)).status == 200
    await outgoing.aclose()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 80 + ".example"])
async def test_a_name_that_does_not_resolve_says_so(host: str) -> None:
    """F14."""
    with pytest.raises(BackendUnavailable, match="does not resolve") as caught:
        await send(f"http://{host}/x?key=s3cret")
    assert caught.value.reached is Reached.NOT_SENT
    assert "s3cret" not in caught.value.explain()


async def test_a_refused_connection_says_so() -> None:
    async with serving(echo) as port:
        pass
    with pytest.raises(BackendUnavailable, match="connection refused") as caught:
        await send(f"http://127.0.0.1:{port}/")
    assert caught.value.reached is Reached.NOT_SENT
    assert caught.value.retryable


async def test_a_peer_that_goes_away_under_a_request_may_have_had_it() -> None:
    """The idle connection took the request, and a new one cannot be had."""
    listening = asyncio.get_running_loop().create_future()

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        listening.result().close()
        writer.close()

    server = await asyncio.start_server(once, "127.0.0.1", 0)
    listening.set_result(server)
    request = HttpRequest("GET", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    outgoing = Outgoing()
    assert (await outgoing.send(request, seconds=5, cap=BIG, private=True)).status == 200
    with pytest.raises(BackendUnavailable) as lost:
        await outgoing.send(request, seconds=5, cap=BIG, private=True)
    with pytest.raises(BackendUnavailable) as never:
        await outgoing.send(request, seconds=5, cap=BIG, private=True)
    await outgoing.aclose()
    assert lost.value.reached is Reached.SENT_UNKNOWN
    assert never.value.reached is Reached.NOT_SENT


async def test_a_slow_look_up_costs_only_its_own_call() -> None:
    """F14."""
    asked = asyncio.Event()

    async def never(host: str, _: int) -> Sequence[str]:
        if host == "slow.example":
            asked.set()
            await asyncio.Event().wait()
        return ["127.0.0.1"]

    outgoing = Outgoing(any_address=Direct(public_only=False, resolve=never))
    async with serving(echo) as port:
        slow = HttpRequest("GET", f"http://slow.example:{port}/")
        waiting = asyncio.create_task(outgoing.send(slow, seconds=0.3, cap=BIG, private=True))
        await asked.wait()
        other = HttpRequest("GET", f"http://api.example:{port}/")
        assert (await outgoing.send(other, seconds=5, cap=BIG, private=True)).status == 200
        with pytest.raises(DeadlineExceeded, match="while connecting") as caught:
            await waiting
    assert caught.value.reached is Reached.NOT_SENT
    await outgoing.aclose()


async def test_a_look_up_is_believed_for_its_time_and_asked_once_at_a_time() -> None:
    now = [0.0]
    names = Names(clock=lambda: now[0])
    first = await asyncio.gather(*[names("localhost", 80) for _ in range(5)])
    assert all(answer is first[0] for answer in first)
    assert await names("localhost", 80) is first[0]
    now[0] = 11.0
    assert await names("localhost", 80) is not first[0]


# -- TLS -------------------------------------------------------------------------------------


async def over_tls(authority: Authority, server: SSLContext) -> HttpResponse | GatewayError:
    outgoing = Outgoing(any_address=Direct(public_only=False, tls=authority.client()))
    try:
        async with serving(echo, server) as port:
            request = HttpRequest("GET", f"https://localhost:{port}/")
            return await outgoing.send(request, seconds=5, cap=BIG, private=True)
    except GatewayError as error:
        return error
    finally:
        await outgoing.aclose()


async def test_a_good_certificate_is_accepted(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    answer = await over_tls(authority, authority.server())
    assert isinstance(answer, HttpResponse)
    assert answer.status == 200


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda a: a.server("other.example"), "Hostname mismatch"),
        (lambda a: a.server(life=-DAY), "certificate has expired"),
        (lambda a: a.server(own=True), "self-signed certificate"),
    ],
)
async def test_a_bad_certificate_is_refused_with_the_reason(
    tmp_path: Path, make: object, reason: str
) -> None:
    """I61."""
    authority = Authority(tmp_path)
    error = await over_tls(authority, make(authority))  # type: ignore[operator]
    assert isinstance(error, BackendUnavailable)
    assert reason in str(error)
    assert error.reached is Reached.NOT_SENT
    assert not error.retryable


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_old_tls_is_refused(tmp_path: Path) -> None:
    """I61."""
    authority = Authority(tmp_path)
    server = authority.server()
    server.set_ciphers("ALL:@SECLEVEL=0")
    server.minimum_version = TLSVersion.TLSv1
    server.maximum_version = TLSVersion.TLSv1_1
    error = await over_tls(authority, server)
    assert isinstance(error, BackendUnavailable)
    assert "TLS handshake" in str(error)


async def test_the_systems_authorities_do_not_know_ours(tmp_path: Path) -> None:
    async with serving(echo, Authority(tmp_path).server()) as port:
        with pytest.raises(BackendUnavailable, match="certificate is refused"):
            await send(f"https://localhost:{port}/")


# -- the rest --------------------------------------------------------------------------------


async def test_the_log_has_the_route_and_not_the_url(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "gateway")
    async with serving(echo) as port:
        url = f"http://127.0.0.1:{port}/users/ann?key=s3cret"
        await send(url, route="GET http://h/users/{name}", headers=(("X-Key", "s3cret"),))
    (record,) = [record for record in caplog.records if record.message == "http_exchange"]
    assert record.__dict__["route"] == "GET http://h/users/{name}"
    assert record.__dict__["status"] == 200
    assert record.__dict__["bytes"] > 0
    assert "s3cret" not in repr(record.__dict__)
    assert "ann" not in repr(record.__dict__)


async def test_after_closing_nothing_is_sent() -> None:
    outgoing = Outgoing()
    await outgoing.aclose()
    with pytest.raises(Draining):
        await outgoing.send(HttpRequest("GET", "http://127.0.0.1:9/"), seconds=1, cap=1)
